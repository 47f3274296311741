package org.pgporter.node.transport;

import java.nio.file.Path;

/// Where to connect to. Host names are resolved when connecting.
public sealed interface RemoteAddress {
    record Tcp(String host, int port) implements RemoteAddress {
        @Override
        public String toString() {
            return host + ":" + port;
        }
    }

    record Unix(Path path) implements RemoteAddress {
        @Override
        public String toString() {
            return path.toString();
        }
    }
}
