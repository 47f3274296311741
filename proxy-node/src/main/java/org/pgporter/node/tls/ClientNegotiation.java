package org.pgporter.node.tls;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.ssl.SslHandler;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.pgporter.node.error.ProxyError;
import org.pgporter.node.logging.LogKeys;
import org.pgporter.protocol.message.CancelRequest;
import org.pgporter.protocol.message.ErrorResponse;
import org.pgporter.protocol.message.GssEncRequest;
import org.pgporter.protocol.message.SslRequest;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// What a client says before its first real packet: SSLRequest, GSSENCRequest, or the first byte of a direct TLS
/// connection. Answers, puts TLS below everything else, and goes away; what it lets through has been negotiated.
///
/// ```
///                       SSLRequest, there is TLS ──► handshake ──► encrypted ──┐
///  plain ── first bytes ── 0x16, there is TLS ─────► handshake ──► (ALPN) ─────┤
///    ▲                     SSLRequest, GSSENCRequest: `N`                      ▼
///    └──────────────────────────┘         anything else ────────────► out of the way
/// ```
///
/// As in PostgreSQL's `ProcessStartupPacket`, each request may be asked once, and nothing may have arrived behind
/// it: such bytes were not sent by whoever waits for the answer. A CancelRequest may come without TLS even where
/// TLS is required, because libpq before version 17 sends it so; its key is worth nothing to whoever reads it after
/// that.
final class ClientNegotiation extends ChannelInboundHandlerAdapter {
    private static final Logger LOG = LoggerFactory.getLogger(ClientNegotiation.class);

    /// A length and a code.
    private static final int REQUEST_LENGTH = 8;

    /// First byte of a TLS record that carries a handshake.
    private static final int TLS_HANDSHAKE = 0x16;

    /// A ClientHello, and then some.
    private static final int MOST_WAITING_BYTES = 64 * 1024;

    private final Optional<ClientTls> tls;
    private @Nullable ByteBuf bytes;
    private boolean sslDone;
    private boolean gssDone;
    private boolean encrypted;
    /// The handshake waits for its turn.
    private boolean waiting;
    /// Nobody listens to this client any more.
    private boolean over;
    private @Nullable SslHandler direct;

    /// @param tls empty: it is not offered
    ClientNegotiation(Optional<ClientTls> tls) {
        this.tls = tls;
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        ByteBuf chunk = (ByteBuf) message;
        if (over) {
            chunk.release();
            return;
        }
        ByteBuf before = bytes;
        bytes = before == null ? chunk : joined(context, before, chunk);
        if (!waiting) {
            examine(context);
            keepLittle(context);
        } else if (bytes.readableBytes() > MOST_WAITING_BYTES) {
            over = true;
            forget();
            context.close();
        }
    }

    private static ByteBuf joined(ChannelHandlerContext context, ByteBuf before, ByteBuf chunk) {
        ByteBuf both = context.alloc().buffer(before.readableBytes() + chunk.readableBytes());
        both.writeBytes(before).writeBytes(chunk);
        before.release();
        chunk.release();
        return both;
    }

    /// What is not a whole request yet does not keep the large buffer that it was read into.
    private void keepLittle(ChannelHandlerContext context) {
        ByteBuf in = bytes;
        if (in != null && !waiting && in.isDirect()) {
            bytes = context.alloc().heapBuffer(in.readableBytes()).writeBytes(in);
            in.release();
        }
    }

    private void examine(ChannelHandlerContext context) {
        ByteBuf in = bytes;
        if (in == null || !in.isReadable()) {
            forget();
            return;
        }
        SslHandler handler = direct;
        if (handler != null && !TlsContexts.ALPN.equals(handler.applicationProtocol())) {
            // Whoever leads a browser here must not be understood.
            over = true;
            forget();
            context.close();
            return;
        }
        int start = in.readerIndex();
        int first = in.getUnsignedByte(start);
        boolean untouched = !sslDone && !gssDone && !encrypted;
        if (first == TLS_HANDSHAKE && untouched && tls.isPresent()) {
            begin(context, tls.get(), true);
        } else if (first != 0) {
            stepAside(context); // noise: the decoder refuses it
        } else if (in.readableBytes() >= REQUEST_LENGTH) {
            onPacket(context, in, in.getInt(start), in.getInt(start + 4));
        }
    }

    private void onPacket(ChannelHandlerContext context, ByteBuf in, int length, int code) {
        boolean request = length == REQUEST_LENGTH;
        if (request && code == SslRequest.CODE) {
            onSslRequest(context, in);
        } else if (request && code == GssEncRequest.CODE) {
            onGssEncRequest(context, in);
        } else if (!encrypted
                && code != CancelRequest.CODE
                && tls.filter(ClientTls::required).isPresent()) {
            end(context, ProxyError.tlsRequired());
        } else {
            stepAside(context);
        }
    }

    private void onSslRequest(ChannelHandlerContext context, ByteBuf in) {
        if (sslDone || encrypted) {
            end(context, ProxyError.unsupportedProtocol(SslRequest.CODE));
        } else if (in.readableBytes() > REQUEST_LENGTH) {
            stuffed(context, tls.isEmpty(), "SSL request");
        } else if (tls.isPresent()) {
            forget();
            begin(context, tls.get(), false);
        } else {
            sslDone = true;
            refuse(context);
        }
    }

    private void onGssEncRequest(ChannelHandlerContext context, ByteBuf in) {
        if (gssDone || encrypted) {
            end(context, ProxyError.unsupportedProtocol(GssEncRequest.CODE));
        } else if (in.readableBytes() > REQUEST_LENGTH) {
            stuffed(context, true, "GSSAPI encryption request");
        } else {
            gssDone = true;
            refuse(context);
        }
    }

    /// Whoever waits for an answer gets the one that there is, and then hears what was wrong.
    private void stuffed(ChannelHandlerContext context, boolean refused, String what) {
        if (refused) {
            refuse(context);
        }
        end(context, ProxyError.protocolViolation("received unencrypted data after " + what));
    }

    private void refuse(ChannelHandlerContext context) {
        forget();
        context.writeAndFlush(one(context, 'N'), context.voidPromise());
    }

    private static ByteBuf one(ChannelHandlerContext context, char answer) {
        return context.alloc().buffer(1).writeByte(answer);
    }

    // ---- TLS

    /// @param startsDirectly the client begins without asking; what it has sent stands in `bytes`
    private void begin(ChannelHandlerContext context, ClientTls offered, boolean startsDirectly) {
        OptionalLong turn = offered.rate().take();
        if (turn.isEmpty()) {
            offered.counters().failed();
            context.close();
        } else if (turn.getAsLong() == 0) {
            shakeHands(context, offered, startsDirectly);
        } else {
            waiting = true;
            context.channel()
                    .eventLoop()
                    .schedule(
                            () -> afterWaiting(context, offered, startsDirectly),
                            turn.getAsLong(),
                            TimeUnit.NANOSECONDS);
        }
    }

    private void afterWaiting(ChannelHandlerContext context, ClientTls offered, boolean startsDirectly) {
        waiting = false;
        if (context.isRemoved() || !context.channel().isActive()) {
            return;
        }
        if (!startsDirectly && bytes != null) {
            end(context, ProxyError.protocolViolation("received unencrypted data after SSL request"));
        } else {
            shakeHands(context, offered, startsDirectly);
        }
    }

    private void shakeHands(ChannelHandlerContext context, ClientTls offered, boolean startsDirectly) {
        ClientTls.Offer offer;
        try {
            offer = offered.offer(context.alloc());
        } catch (TlsProblem problem) {
            offered.counters().failed();
            log(context, problem.reason());
            context.close();
            return;
        }
        if (!startsDirectly) {
            // Before TLS is below us: this byte goes as it is.
            context.writeAndFlush(one(context, 'S'), context.voidPromise());
        }
        long startedAt = System.nanoTime();
        SslHandler handler = offer.handler();
        direct = startsDirectly ? handler : null;
        handler.setHandshakeTimeoutMillis(offered.limit().toMillis());
        ByteBuf hello = bytes;
        bytes = null;
        encrypted = true;
        HandshakeGuard guard = new HandshakeGuard();
        context.pipeline()
                .addBefore(context.name(), null, handler)
                .addBefore(context.name(), null, new TlsEvents())
                .addAfter(context.name(), null, guard);
        handler.handshakeFuture().addListener(future -> {
            if (future.isSuccess()) {
                established(context, offered, offer, startsDirectly, Duration.ofNanos(System.nanoTime() - startedAt));
                context.pipeline().remove(guard);
            } else {
                failed(context, offered, future.cause());
            }
        });
        if (hello != null) {
            feed(context, handler, hello);
        }
    }

    /// Gives the handler what had arrived before it was there.
    private static void feed(ChannelHandlerContext context, SslHandler handler, ByteBuf hello) {
        ChannelHandlerContext its = context.pipeline().context(handler);
        try {
            handler.channelRead(its, hello);
            handler.channelReadComplete(its);
        } catch (Exception e) {
            context.pipeline().fireExceptionCaught(e);
        }
    }

    private static void established(
            ChannelHandlerContext context,
            ClientTls offered,
            ClientTls.Offer offer,
            boolean startedDirectly,
            Duration took) {
        Channel channel = context.channel();
        TlsSession session = TlsSession.remember(channel, offer.handler(), offer.own());
        if (startedDirectly
                && session.applicationProtocol()
                        .filter(TlsContexts.ALPN::equals)
                        .isEmpty()) {
            offered.counters().failed();
            log(context, "direct TLS without the application protocol \"" + TlsContexts.ALPN + "\"");
            channel.close();
            return;
        }
        offered.counters().opened(took);
        channel.closeFuture().addListener(_ -> offered.counters().closed());
    }

    private static void failed(ChannelHandlerContext context, ClientTls offered, Throwable cause) {
        offered.counters().failed();
        if (!(cause instanceof ClosedChannelException)) {
            log(context, Reasons.of(cause));
        }
        context.close();
    }

    private static void log(ChannelHandlerContext context, String reason) {
        LOG.atWarn()
                .addKeyValue(LogKeys.REMOTE, context.channel().remoteAddress())
                .addKeyValue(LogKeys.REASON, reason)
                .log("TLS handshake with a client failed");
    }

    // ---- the end of it

    private void end(ChannelHandlerContext context, ErrorResponse error) {
        forget();
        over = true;
        ByteBuf out = context.alloc().buffer();
        error.encodeTo(out);
        context.writeAndFlush(out).addListener(ChannelFutureListener.CLOSE);
    }

    private void stepAside(ChannelHandlerContext context) {
        ByteBuf in = bytes;
        bytes = null;
        if (in != null) {
            context.fireChannelRead(in);
        }
        context.pipeline().remove(this);
    }

    private void forget() {
        ByteBuf in = bytes;
        bytes = null;
        if (in != null) {
            in.release();
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        forget();
        context.fireChannelInactive();
    }

    @Override
    public void handlerRemoved(ChannelHandlerContext context) {
        forget();
    }

    /// A reset, or a handshake that failed: who listens to its future has said why.
    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        context.close();
    }
}
