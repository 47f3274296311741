package org.pgporter.node.transport;

import org.pgporter.node.tls.Negotiation;

/// @param backlog connections that the operating system holds until they are accepted
/// @param reusePort one listening socket for each event loop, and other processes may listen on the same port
/// (SO_REUSEPORT)
/// @param sockets of the accepted connections
/// @param negotiation what comes before the first startup packet of an accepted connection
public record ListenOptions(int backlog, boolean reusePort, SocketOptions sockets, Negotiation negotiation) {}
