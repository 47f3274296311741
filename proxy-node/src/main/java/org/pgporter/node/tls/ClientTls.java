package org.pgporter.node.tls;

import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.SslHandler;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.pgporter.config.ClientTlsMode;
import org.pgporter.config.ClientTlsOptions;
import org.pgporter.config.TlsOptions;
import org.pgporter.node.work.CpuWork;

/// TLS towards clients: what is offered, with which certificate, and how often.
final class ClientTls {
    private final ClientTlsMode mode;
    private final TlsFiles files;
    private final HandshakeRate rate;
    private final TlsCounters counters;
    private final Duration limit;

    /// A handler, and the certificate that it shows.
    record Offer(SslHandler handler, Optional<X509Certificate> own) {}

    private ClientTls(ClientTlsMode mode, TlsFiles files, HandshakeRate rate, TlsCounters counters, Duration limit) {
        this.mode = mode;
        this.files = files;
        this.rate = rate;
        this.counters = counters;
        this.limit = limit;
    }

    /// @param limit how long a handshake may take, and how long it may wait for its turn
    /// @throws TlsProblem when the files cannot be used
    static ClientTls of(TlsOptions common, ClientTlsOptions options, Duration limit, CpuWork work, TlsCounters counters)
            throws TlsProblem {
        List<Path> paths = Stream.of(
                        options.tlsCertificate(), options.tlsPrivateKey(), options.tlsCaCert(), options.tlsCrlFile())
                .flatMap(Optional::stream)
                .toList();
        TlsFiles files =
                new TlsFiles("tls_certificate", "client", paths, () -> TlsContexts.forClients(common, options, work));
        files.context();
        return new ClientTls(
                options.tlsMode(), files, new HandshakeRate(options.tlsRateLimitPerSecond(), limit), counters, limit);
    }

    /// Clients without TLS are refused.
    boolean required() {
        return mode.required();
    }

    Offer offer(ByteBufAllocator allocator) throws TlsProblem {
        while (true) {
            TlsContext context = files.context();
            Optional<SslHandler> handler = context.handler(allocator);
            if (handler.isPresent()) {
                return new Offer(handler.get(), context.own());
            }
            // Superseded in this very moment: the next one is there.
        }
    }

    TlsFiles files() {
        return files;
    }

    HandshakeRate rate() {
        return rate;
    }

    TlsCounters counters() {
        return counters;
    }

    Duration limit() {
        return limit;
    }
}
