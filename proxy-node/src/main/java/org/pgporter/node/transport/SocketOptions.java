package org.pgporter.node.transport;

import java.time.Duration;
import java.util.Optional;

/// How a TCP connection is set up. Zero leaves a value to the operating system.
///
/// @param keepAliveIdle seconds of silence before the first probe
/// @param keepAliveInterval seconds between probes
/// @param keepAliveCount unanswered probes after which the connection is dead
/// @param userTimeout how long sent data may stay unacknowledged; Linux only
/// @param linger seconds that close waits for unsent data
/// @param bufferSize bytes of each of the socket's buffers
public record SocketOptions(
        boolean tcpNoDelay,
        int keepAliveIdle,
        int keepAliveInterval,
        int keepAliveCount,
        Duration userTimeout,
        Optional<Integer> linger,
        int bufferSize) {
    /// No delay, everything else as the operating system has it.
    public static SocketOptions plain() {
        return new SocketOptions(true, 0, 0, 0, Duration.ZERO, Optional.empty(), 0);
    }
}
