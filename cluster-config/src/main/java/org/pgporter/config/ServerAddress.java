package org.pgporter.config;

import java.nio.file.Path;

/// Where a backend listens.
public sealed interface ServerAddress {
    /// `server_host` and `server_port` as an address: an absolute path is the directory of a Unix socket, as in
    /// libpq.
    static ServerAddress of(String host, int port) {
        return host.startsWith("/") ? new UnixSocket(Path.of(host, ".s.PGSQL." + port)) : new Tcp(host, port);
    }

    /// @param host a name or an IP address, not yet resolved
    /// @param port 1 to 65535
    record Tcp(String host, int port) implements ServerAddress {
        @Override
        public String toString() {
            return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
        }
    }

    /// @param path the socket itself, `<directory>/.s.PGSQL.<port>`
    record UnixSocket(Path path) implements ServerAddress {
        @Override
        public String toString() {
            return path.toString();
        }
    }
}
