package org.pgporter.node.transport;

/// @param backlog connections that the operating system holds until they are accepted
/// @param reusePort one listening socket for each event loop, and other processes may listen on the same port
/// (SO_REUSEPORT)
/// @param sockets of the accepted connections
public record ListenOptions(int backlog, boolean reusePort, SocketOptions sockets) {}
