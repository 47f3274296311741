/// Connections to PostgreSQL: logging in, relaying one lease at a time, aligning parameters, preparing
/// missing statements and cleaning up. Knows sockets and the protocol, never pools or sessions: it answers
/// to whoever holds the lease and to its owner.
@org.jspecify.annotations.NullMarked
package org.pgporter.node.backend;
