package org.pgporter.config;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Where clients connect to; part of section `general`.
///
/// @param host addresses to listen on, separated by commas; `*` is every address of IPv4 and IPv6
/// @param port TCP port, also in the name of the Unix socket; 0 takes any free one
/// @param unixSocketDir absolute directory in which to create `.s.PGSQL.<port>`; absent: no Unix socket
/// @param unixSocketMode who may connect to the Unix socket; write permission counts
/// @param backlog connections that the operating system holds until accepted; 0: as many as `max_connections`
/// @param soReuseport whether a second process may listen on the same port to take over
public record ListenerConfig(
        String host,
        int port,
        Optional<Path> unixSocketDir,
        FileMode unixSocketMode,
        int backlog,
        boolean soReuseport) {
    /// What the operating system takes as the path of a Unix socket: `sun_path` of Linux is 108 bytes, the last is
    /// zero.
    private static final int LONGEST_SOCKET_PATH = 107;

    private static final ListenerConfig DEFAULTS =
            new ListenerConfig("0.0.0.0", 6432, Optional.empty(), new FileMode(0600), 0, false);

    public ListenerConfig {
        Checks checks = new Checks()
                .require(
                        Arrays.stream(host.split(",", -1)).noneMatch(String::isBlank),
                        "host",
                        "must be an address, `*`, or addresses separated by commas")
                .noZero("host", host)
                .between("port", 0, 65_535, port)
                .atLeast("backlog", 0, backlog);
        unixSocketDir.ifPresent(directory -> {
            int length = socketPath(directory, port).toString().getBytes(StandardCharsets.UTF_8).length;
            checks.require(directory.isAbsolute(), "unix_socket_dir", "must be an absolute path, was " + directory)
                    .require(
                            length <= LONGEST_SOCKET_PATH,
                            "unix_socket_dir",
                            "is too long: the socket's path would have " + length
                                    + " bytes, and the operating system takes " + LONGEST_SOCKET_PATH,
                            "choose a shorter directory",
                            Set.of("unix_socket_dir", "port"));
        });
        checks.throwIfAny();
    }

    public static ListenerConfig defaults() {
        return DEFAULTS;
    }

    /// The parts of [#host()], without blanks.
    public List<String> addresses() {
        return Arrays.stream(host.split(",", -1)).map(String::strip).toList();
    }

    /// Where the Unix socket is created; empty when there is none.
    public Optional<Path> unixSocket() {
        return unixSocketDir.map(directory -> socketPath(directory, port));
    }

    private static Path socketPath(Path directory, int port) {
        return directory.resolve(".s.PGSQL." + port);
    }

    public ListenerConfig withHost(String changed) {
        return Records.with(this, "host", changed);
    }

    public ListenerConfig withPort(int changed) {
        return Records.with(this, "port", changed);
    }

    public ListenerConfig withUnixSocketDir(Path changed) {
        return Records.with(this, "unixSocketDir", Optional.of(changed));
    }

    public ListenerConfig withUnixSocketMode(FileMode changed) {
        return Records.with(this, "unixSocketMode", changed);
    }

    public ListenerConfig withBacklog(int changed) {
        return Records.with(this, "backlog", changed);
    }

    public ListenerConfig withSoReuseport(boolean changed) {
        return Records.with(this, "soReuseport", changed);
    }
}
