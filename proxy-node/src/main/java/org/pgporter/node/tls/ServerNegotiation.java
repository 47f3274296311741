package org.pgporter.node.tls;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.ssl.SslHandler;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.pgporter.protocol.message.SslRequest;

/// Asks a PostgreSQL server for TLS, or begins with it at once, before anything else is said. Takes itself out of
/// the way when that is settled.
///
/// ```
///  asks ── S ──► handshake ──► secured
///   │ N                │
///   ▼                  ▼
///  plain, or failed   failed
/// ```
///
/// The answer must be alone: what came behind it in the same segment was not sent by the server that we are about
/// to verify, as in libpq since CVE-2021-23222. The words of an answer that is an error are not repeated, because
/// nobody knows who wrote them (CVE-2024-10977).
final class ServerNegotiation extends ChannelInboundHandlerAdapter {
    private static final String KEY = "server_tls_mode";

    private final ServerTls tls;
    private final TlsCounters counters;
    private final boolean required;
    private final Duration limit;
    private final CompletableFuture<Channel> secured;

    /// @param required without TLS the connection is of no use
    ServerNegotiation(
            ServerTls tls, TlsCounters counters, boolean required, Duration limit, CompletableFuture<Channel> secured) {
        this.tls = tls;
        this.counters = counters;
        this.required = required;
        this.limit = limit;
        this.secured = secured;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext context) {
        // Nobody else reads yet. It stays on: a backend connection is read from now on.
        context.channel().config().setAutoRead(true);
        if (tls.direct()) {
            shakeHands(context);
        } else {
            ByteBuf request = context.alloc().buffer(8);
            new SslRequest().encodeTo(request);
            context.writeAndFlush(request, context.voidPromise());
        }
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        ByteBuf answer = (ByteBuf) message;
        int length = answer.readableBytes();
        byte first = length > 0 ? answer.getByte(answer.readerIndex()) : 0;
        answer.release();
        if (secured.isDone() || length == 0) {
            return;
        }
        switch (first) {
            case 'S' -> {
                if (length > 1) {
                    fail("received unencrypted data after SSL response");
                } else {
                    shakeHands(context);
                }
            }
            case 'N' -> {
                if (length > 1) {
                    fail("received unencrypted data after SSL response");
                } else if (required) {
                    fail("server does not support SSL, but SSL was required");
                } else {
                    tls.plainRefused(false);
                    context.pipeline().remove(this);
                    secured.complete(context.channel());
                }
            }
            case 'E' -> fail("server answered the request for SSL with an error");
            default -> fail("received invalid response to SSL negotiation: byte " + (first & 0xff));
        }
    }

    private void shakeHands(ChannelHandlerContext context) {
        SslHandler handler;
        try {
            handler = tls.handler(context.alloc());
        } catch (TlsProblem problem) {
            counters.failed();
            secured.completeExceptionally(problem);
            return;
        }
        handler.setHandshakeTimeoutMillis(Math.max(1, limit.toMillis()));
        long handshakeAt = System.nanoTime();
        Channel channel = context.channel();
        TlsEvents events = new TlsEvents();
        context.pipeline().addAfter(context.name(), null, events);
        context.pipeline().addAfter(context.name(), null, handler);
        handler.handshakeFuture().addListener(future -> {
            if (future.isSuccess()) {
                established(channel, handler, Duration.ofNanos(System.nanoTime() - handshakeAt));
            } else {
                handshakeFailed(future.cause());
            }
        });
        context.pipeline().remove(this);
    }

    private void established(Channel channel, SslHandler handler, Duration took) {
        TlsSession session = TlsSession.remember(channel, handler, Optional.empty());
        if (tls.direct()
                && session.applicationProtocol()
                        .filter(TlsContexts.ALPN::equals)
                        .isEmpty()) {
            fail("direct SSL connection was established without ALPN protocol negotiation extension");
            return;
        }
        counters.opened(took);
        channel.closeFuture().addListener(_ -> counters.closed());
        secured.complete(channel);
    }

    private void handshakeFailed(Throwable cause) {
        fail(
                cause instanceof ClosedChannelException
                        ? "server closed the connection during the SSL handshake"
                        : "SSL error: " + Reasons.of(cause));
    }

    private void fail(String why) {
        if (secured.completeExceptionally(new TlsProblem(KEY, why))) {
            counters.failed();
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        fail("server closed the connection during SSL negotiation");
        context.fireChannelInactive();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        fail("SSL negotiation: " + Reasons.of(cause));
        context.close();
    }
}
