package org.pgporter.node.transport;

/// How event loops talk to the operating system.
public enum IoKind {
    /// The first of the following that works here.
    AUTO,
    /// Linux, kernel 5.14 or newer, where a sandbox does not forbid it.
    IO_URING,
    /// Linux.
    EPOLL,
    /// macOS and BSD.
    KQUEUE,
    /// Everywhere.
    NIO
}
