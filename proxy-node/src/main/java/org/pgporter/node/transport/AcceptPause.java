package org.pgporter.node.transport;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import java.util.concurrent.TimeUnit;
import org.pgporter.node.logging.LogKeys;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Without file descriptors, accepting again at once would fail again at once: it pauses, and says so once until
/// accepting has worked again.
final class AcceptPause extends ChannelInboundHandlerAdapter {
    static final long PAUSE_SECONDS = 1;

    private static final Logger LOG = LoggerFactory.getLogger(AcceptPause.class);

    private boolean told;

    @Override
    public void channelRead(ChannelHandlerContext context, Object accepted) {
        told = false;
        context.fireChannelRead(accepted);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        Channel listening = context.channel();
        if (!listening.config().isAutoRead()) {
            return;
        }
        if (!told) {
            told = true;
            LOG.atWarn()
                    .addKeyValue(LogKeys.LISTENER, listening.localAddress())
                    .addKeyValue(LogKeys.REASON, cause.getMessage())
                    .log("accepting connections pauses");
        }
        listening.config().setAutoRead(false);
        context.executor().schedule(() -> listening.config().setAutoRead(true), PAUSE_SECONDS, TimeUnit.SECONDS);
    }
}
