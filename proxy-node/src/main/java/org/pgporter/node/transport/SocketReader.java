package org.pgporter.node.transport;

import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.ChannelInputShutdownReadComplete;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The channel's side of [SocketSource]: keeps what has been read until it is asked for. Reading goes on by
/// itself (each switch of auto-read costs system calls) and pauses only when more than [#HIGH_WATER] is
/// waiting.
final class SocketReader extends ChannelInboundHandlerAdapter {
    /// So many bytes may wait for somebody to want them: a few reads of the largest size.
    static final int HIGH_WATER = 256 * 1024;

    /// What a waiting chunk costs beyond its bytes, roughly: its buffer is larger than what was read into it. A
    /// peer that sends single bytes would otherwise fill the memory long before the limit.
    static final int CHUNK_COST = 512;

    /// Up to here bytes are copied when most of their buffer is empty: less than they cost to keep.
    static final int SMALL_CHUNK = 1024;

    /// A buffer of at least this size may not be kept for the sake of a [#SMALL_CHUNK]: io_uring reads into buffers
    /// of 16 KiB each, and a query that waits for a connection among thousands holds what it was read into.
    static final int LARGE_BUFFER = 8 * 1024;

    /// Whoever takes the chunks.
    interface Consumer {
        void arrived();
    }

    private final ArrayDeque<ByteBuf> chunks = new ArrayDeque<>(1);
    private final List<Runnable> closeActions = new ArrayList<>(1);
    private long bytesIn;
    private long waiting;
    private boolean paused;
    private boolean ended;
    private boolean stopped;
    private @Nullable Consumer consumer;
    private @Nullable SocketHandle handle;

    void bind(SocketHandle socket) {
        handle = socket;
    }

    void consumer(Consumer to) {
        consumer = to;
    }

    /// The oldest chunk, now the caller's, or null when none is there.
    @Nullable
    ByteBuf poll(io.netty.channel.Channel channel) {
        ByteBuf chunk = chunks.poll();
        if (chunk != null) {
            waiting -= chunk.readableBytes() + CHUNK_COST;
            if (paused && chunks.isEmpty()) {
                paused = false;
                channel.config().setAutoRead(true);
            }
        }
        return chunk;
    }

    long bytesIn() {
        return bytesIn;
    }

    /// Everything has been taken and nothing more will come.
    boolean ended() {
        return ended && chunks.isEmpty();
    }

    /// Nobody will take anything any more.
    void stop() {
        stopped = true;
        for (ByteBuf chunk = chunks.poll(); chunk != null; chunk = chunks.poll()) {
            chunk.release();
        }
    }

    void onClosed(Runnable action) {
        if (ended) {
            action.run();
        } else {
            closeActions.add(action);
        }
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
        ByteBuf chunk = rightSized(context, (ByteBuf) message);
        bytesIn += chunk.readableBytes();
        if (stopped || !chunk.isReadable()) {
            chunk.release();
            return;
        }
        chunks.add(chunk);
        waiting += chunk.readableBytes() + CHUNK_COST;
        if (waiting > HIGH_WATER && !paused) {
            paused = true;
            context.channel().config().setAutoRead(false);
        }
        tell();
    }

    private static ByteBuf rightSized(ChannelHandlerContext context, ByteBuf read) {
        if (read.readableBytes() > SMALL_CHUNK || read.capacity() < LARGE_BUFFER) {
            return read;
        }
        ByteBuf copy = context.alloc().directBuffer(read.readableBytes()).writeBytes(read);
        read.release();
        return copy;
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext context, Object event) {
        if (event instanceof ChannelInputShutdownEvent || event instanceof ChannelInputShutdownReadComplete) {
            end();
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
        end();
        if (handle != null) {
            handle.writabilityChanged();
        }
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext context) {
        if (handle != null) {
            handle.writabilityChanged();
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
        context.close(); // a reset is the peer's way to leave
    }

    private void end() {
        if (ended) {
            return;
        }
        ended = true;
        tell();
        closeActions.forEach(Runnable::run);
        closeActions.clear();
    }

    private void tell() {
        if (consumer != null) {
            consumer.arrived();
        }
    }
}
