package org.pgporter.node.tls;

import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.SslHandler;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.pgporter.config.ServerTlsMode;
import org.pgporter.config.ServerTlsNegotiation;
import org.pgporter.config.ServerTlsOptions;
import org.pgporter.config.TlsOptions;
import org.pgporter.node.work.CpuWork;

/// TLS towards one PostgreSQL server, for all pools that lead there under the same configuration.
final class ServerTls {
    private final ServerTlsOptions options;
    private final String host;
    private final int port;
    private final TlsFiles files;
    private final CpuWork work;

    /// With mode allow: whether the server has refused a connection without TLS and taken one with it.
    private volatile boolean plainRefused;

    private ServerTls(ServerTlsOptions options, String host, int port, TlsFiles files, CpuWork work) {
        this.options = options;
        this.host = host;
        this.port = port;
        this.files = files;
        this.work = work;
    }

    /// @param host the name that a certificate must be for
    /// @throws TlsProblem when the files cannot be used
    static ServerTls of(TlsOptions common, ServerTlsOptions options, String host, int port, CpuWork work)
            throws TlsProblem {
        List<Path> paths = options.serverTlsMode() == ServerTlsMode.DISABLE
                ? List.of()
                : Stream.of(
                                options.serverTlsCaCert(),
                                options.serverTlsCrlFile(),
                                options.serverTlsCertificate(),
                                options.serverTlsPrivateKey())
                        .flatMap(Optional::stream)
                        .toList();
        TlsFiles files = new TlsFiles(
                "server_tls_mode", host + ":" + port, paths, () -> TlsContexts.forServers(common, options, work));
        // Without files there is nothing to be wrong, and most servers never need the context.
        if (!paths.isEmpty() || options.serverTlsMode().required()) {
            files.context();
        }
        return new ServerTls(options, host, port, files, work);
    }

    ServerTlsMode mode() {
        return options.serverTlsMode();
    }

    boolean direct() {
        return options.serverTlsNegotiation() == ServerTlsNegotiation.DIRECT;
    }

    boolean plainRefused() {
        return plainRefused;
    }

    void plainRefused(boolean refused) {
        plainRefused = refused;
    }

    SslHandler handler(ByteBufAllocator allocator) throws TlsProblem {
        while (true) {
            Optional<SslHandler> handler = files.context().handler(allocator, host, port);
            if (handler.isPresent()) {
                return handler.get();
            }
            // Superseded in this very moment: the next one is there.
        }
    }

    TlsFiles files() {
        return files;
    }

    CpuWork work() {
        return work;
    }
}
