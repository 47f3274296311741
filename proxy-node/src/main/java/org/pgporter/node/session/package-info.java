/// Client sessions: from the first byte a client sends to its last. Owns the client's socket, its names for
/// prepared statements and the parameters it wants, and decides when a lease is no longer needed. Knows pools
/// and backend connections.
@org.jspecify.annotations.NullMarked
package org.pgporter.node.session;
