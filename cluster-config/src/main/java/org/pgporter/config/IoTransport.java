package org.pgporter.config;

/// How event loops talk to the operating system. In the file: the name in lower case.
public enum IoTransport {
    /// The first of io_uring, epoll, kqueue and NIO that works here.
    AUTO,
    IO_URING,
    EPOLL,
    KQUEUE,
    NIO
}
