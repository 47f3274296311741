package org.pgporter.node.transport;

import java.net.InetSocketAddress;
import java.nio.file.Path;

/// Where to accept connections.
public sealed interface ListenAddress {
    record Tcp(InetSocketAddress address) implements ListenAddress {
        @Override
        public String toString() {
            return address.getAddress().getHostAddress() + ":" + address.getPort();
        }
    }

    /// @param mode permission bits of the socket file
    record Unix(Path path, int mode) implements ListenAddress {
        @Override
        public String toString() {
            return path.toString();
        }
    }
}
