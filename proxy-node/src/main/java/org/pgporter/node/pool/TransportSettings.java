package org.pgporter.node.pool;

import org.pgporter.config.ServerAddress;
import org.pgporter.node.transport.RemoteAddress;
import org.pgporter.node.transport.SocketOptions;

/// The configuration's words for addresses and sockets in the transport's terms.
public final class TransportSettings {
    private TransportSettings() {}

    public static RemoteAddress remote(ServerAddress address) {
        return switch (address) {
            case ServerAddress.Tcp(var host, var port) -> new RemoteAddress.Tcp(host, port);
            case ServerAddress.UnixSocket(var path) -> new RemoteAddress.Unix(path);
        };
    }

    public static SocketOptions sockets(org.pgporter.config.SocketOptions options) {
        return new SocketOptions(
                options.tcpNoDelay(),
                Math.toIntExact(options.tcpKeepalivesIdle().toSeconds()),
                Math.toIntExact(options.tcpKeepalivesInterval().toSeconds()),
                options.tcpKeepalivesCount(),
                options.tcpUserTimeout(),
                options.tcpSoLinger(),
                Math.toIntExact(options.tcpSocketBufferSize().bytes()));
    }
}
