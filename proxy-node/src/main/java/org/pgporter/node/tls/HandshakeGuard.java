package org.pgporter.node.tls;

import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelPromise;
import io.netty.util.ReferenceCountUtil;

/// Stands above a handler of TLS while it shakes hands. Whoever writes then cannot be heard and only wants to end
/// the connection: it ends at once, not when the handshake is over.
final class HandshakeGuard extends ChannelDuplexHandler {
    @Override
    public void write(ChannelHandlerContext context, Object message, ChannelPromise promise) {
        ReferenceCountUtil.release(message);
        if (!promise.isVoid()) {
            promise.trySuccess();
        }
        context.close();
    }
}
