package org.pgporter.node.transport;

/// Comes with each batch that an actor is handed: told when the batch is on its way, so that the next may come.
/// Once for each batch, from any thread.
@FunctionalInterface
public interface Ack {
    /// For a batch after which nothing is to be read yet.
    Ack NONE = () -> {};

    void acknowledge();
}
