/// The backend connections of each pool key on this node: who gets which one, who waits, when one is opened and
/// when one is closed. Knows backend connections, never sessions: it answers to whoever asks.
@org.jspecify.annotations.NullMarked
package org.pgporter.node.pool;
