package org.pgporter.config;

import java.time.Duration;
import java.util.Optional;

/// How TCP connections of both legs are set up; part of section `general`.
///
/// @param tcpKeepalivesIdle silence before the first keepalive probe, whole seconds; 0 leaves it to the operating
///     system
/// @param tcpKeepalivesInterval between two probes, whole seconds; 0 leaves it to the operating system
/// @param tcpKeepalivesCount unanswered probes after which the connection is dead; 0 leaves it to the operating
///     system
/// @param tcpNoDelay whether small writes leave at once
/// @param tcpUserTimeout how long sent data may stay unacknowledged; 0: no limit but the operating system's. Linux
///     only
/// @param tcpSoLinger seconds that close waits for unsent data, 0 to 65535; 0 resets the connection; absent: not
///     set
/// @param tcpSocketBufferSize bytes of each socket's send and of its receive buffer; 0 leaves it to the operating
///     system
public record SocketOptions(
        @InSeconds Duration tcpKeepalivesIdle,
        @InSeconds Duration tcpKeepalivesInterval,
        int tcpKeepalivesCount,
        boolean tcpNoDelay,
        Duration tcpUserTimeout,
        Optional<Integer> tcpSoLinger,
        ByteSize tcpSocketBufferSize) {
    private static final SocketOptions DEFAULTS = new SocketOptions(
            Duration.ofSeconds(5),
            Duration.ofSeconds(5),
            5,
            true,
            Duration.ofSeconds(60),
            Optional.empty(),
            new ByteSize(0));

    /// `MAX_TCP_KEEPIDLE`, `MAX_TCP_KEEPINTVL` and `MAX_TCP_KEEPCNT` of Linux.
    private static final int LONGEST_KEEPALIVE_SECONDS = 32_767;

    private static final int MOST_KEEPALIVE_PROBES = 127;

    public SocketOptions {
        Checks checks = new Checks()
                .between("tcp_keepalives_count", 0, MOST_KEEPALIVE_PROBES, tcpKeepalivesCount)
                .notNegative("tcp_user_timeout", tcpUserTimeout)
                .require(
                        tcpUserTimeout.compareTo(Duration.ofMillis(Integer.MAX_VALUE)) <= 0,
                        "tcp_user_timeout",
                        "must be at most 24d, was " + Durations.format(tcpUserTimeout))
                .require(
                        tcpSocketBufferSize.bytes() <= Integer.MAX_VALUE,
                        "tcp_socket_buffer_size",
                        "must be below 2G, was " + tcpSocketBufferSize.bytes());
        checkSeconds(checks, "tcp_keepalives_idle", tcpKeepalivesIdle);
        checkSeconds(checks, "tcp_keepalives_interval", tcpKeepalivesInterval);
        tcpSoLinger.ifPresent(seconds -> checks.between("tcp_so_linger", 0, 65_535, seconds));
        checks.throwIfAny();
    }

    private static void checkSeconds(Checks checks, String key, Duration value) {
        boolean whole = value.equals(Duration.ofSeconds(value.toSeconds()));
        checks.require(
                whole && !value.isNegative() && value.toSeconds() <= LONGEST_KEEPALIVE_SECONDS,
                key,
                "must be whole seconds from 0 to " + LONGEST_KEEPALIVE_SECONDS + ", was " + Durations.format(value));
    }

    public static SocketOptions defaults() {
        return DEFAULTS;
    }

    public SocketOptions withTcpKeepalivesIdle(Duration changed) {
        return Records.with(this, "tcpKeepalivesIdle", changed);
    }

    public SocketOptions withTcpKeepalivesInterval(Duration changed) {
        return Records.with(this, "tcpKeepalivesInterval", changed);
    }

    public SocketOptions withTcpKeepalivesCount(int changed) {
        return Records.with(this, "tcpKeepalivesCount", changed);
    }

    public SocketOptions withTcpNoDelay(boolean changed) {
        return Records.with(this, "tcpNoDelay", changed);
    }

    public SocketOptions withTcpUserTimeout(Duration changed) {
        return Records.with(this, "tcpUserTimeout", changed);
    }

    public SocketOptions withTcpSoLinger(int changed) {
        return Records.with(this, "tcpSoLinger", Optional.of(changed));
    }

    public SocketOptions withTcpSocketBufferSize(ByteSize changed) {
        return Records.with(this, "tcpSocketBufferSize", changed);
    }
}
