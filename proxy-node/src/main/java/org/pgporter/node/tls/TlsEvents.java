package org.pgporter.node.tls;

import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.handler.ssl.SslCloseCompletionEvent;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;

/// Tells of a connection with TLS in the words of one without: the peer's `close_notify` is the end of what it
/// sends. Has no part in reading and writing.
final class TlsEvents extends ChannelInboundHandlerAdapter {
    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
        switch (event) {
            case SslHandshakeCompletionEvent _ -> {} // whoever began the handshake listens to its future
            case SslCloseCompletionEvent _ -> context.fireUserEventTriggered(ChannelInputShutdownEvent.INSTANCE);
            default -> context.fireUserEventTriggered(event);
        }
    }
}
