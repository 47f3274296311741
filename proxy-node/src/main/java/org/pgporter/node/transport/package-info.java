/// Sockets as Pekko Streams sources, and event loops as Pekko dispatchers, over Netty. The only package that
/// knows Netty's channels; it knows nothing of PostgreSQL.
@org.jspecify.annotations.NullMarked
package org.pgporter.node.transport;
