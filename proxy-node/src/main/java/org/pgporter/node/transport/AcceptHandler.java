package org.pgporter.node.transport;

/// Takes over accepted connections, on the event loop that each belongs to.
@FunctionalInterface
public interface AcceptHandler {
    void accepted(int loopIndex, SocketHandle socket);
}
