package org.pgporter.node.tls;

import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.OpenSslSessionContext;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslHandler;
import io.netty.util.IllegalReferenceCountException;
import io.netty.util.ReferenceCountUtil;
import java.security.cert.X509Certificate;
import java.util.Optional;
import java.util.concurrent.Executor;

/// A context of the TLS library, with what belongs to it. Connections that it made keep its native part alive.
final class TlsContext {
    private final SslContext context;
    private final Optional<X509Certificate> own;
    private final Executor tasks;
    private final Optional<SessionTickets> tickets;

    /// @param own our certificate, where we are the server
    /// @param tasks runs what the engine does not do on the event loop
    TlsContext(SslContext context, Optional<X509Certificate> own, Executor tasks, Optional<SessionTickets> tickets) {
        this.context = context;
        this.own = own;
        this.tasks = tasks;
        this.tickets = tickets;
        if (context.sessionContext() instanceof OpenSslSessionContext sessions) {
            tickets.ifPresent(keys -> keys.startIn(sessions));
        }
    }

    Optional<X509Certificate> own() {
        return own;
    }

    /// A handler for a client's connection; empty when this context has been superseded and is gone.
    Optional<SslHandler> handler(ByteBufAllocator allocator) {
        return whileAlive(() -> context.newHandler(allocator, tasks));
    }

    /// A handler for a connection to `host`; empty when this context has been superseded and is gone.
    Optional<SslHandler> handler(ByteBufAllocator allocator, String host, int port) {
        return whileAlive(() -> context.newHandler(allocator, host, port, tasks));
    }

    private Optional<SslHandler> whileAlive(java.util.function.Supplier<SslHandler> make) {
        try {
            ReferenceCountUtil.retain(context);
        } catch (IllegalReferenceCountException _) {
            return Optional.empty();
        }
        try {
            return Optional.of(make.get());
        } finally {
            ReferenceCountUtil.release(context);
        }
    }

    void renewTickets() {
        if (context.sessionContext() instanceof OpenSslSessionContext sessions) {
            tickets.ifPresent(keys -> keys.renewIn(sessions));
        }
    }

    /// No new connections are made with it.
    void release() {
        ReferenceCountUtil.release(context);
    }
}
