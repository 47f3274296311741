package org.pgporter.node.transport;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.EventLoop;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.ArrayDeque;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.NotUsed;
import org.apache.pekko.stream.javadsl.Source;

/// One connected socket. Belongs to one event loop; everything but [#loop], [#remoteAddress] and [#allocator]
/// is to be called there.
public final class SocketHandle {
    /// How long [#closeAfterFlush] waits for a peer that does not read.
    private static final long LINGER_SECONDS = 5;

    private final Channel channel;
    private final int loopIndex;
    private final SocketReader reader;
    private final SocketAddress remote;
    private final ArrayDeque<Runnable> whenWritable = new ArrayDeque<>();

    SocketHandle(Channel channel, int loopIndex, SocketReader reader) {
        this.channel = channel;
        this.loopIndex = loopIndex;
        this.reader = reader;
        this.remote = channel.remoteAddress() == null ? new InetSocketAddress(0) : channel.remoteAddress();
        reader.bind(this);
    }

    /// What the peer sends, in chunks that the receiver releases. To be run once, on the dispatcher of this
    /// loop; the socket is read from then on. Completes when the peer has closed, after everything that it had
    /// sent; a reset looks the same. Cancelling it closes the socket.
    public Source<ByteBuf, NotUsed> bytes() {
        return Source.fromGraph(new SocketSource(channel, reader));
    }

    /// Takes over the bytes. On a closed socket they are released and nothing happens.
    public void write(ByteBuf bytes) {
        channel.write(bytes, channel.voidPromise());
    }

    public void flush() {
        channel.flush();
    }

    /// Takes over the bytes.
    public void writeAndFlush(ByteBuf bytes) {
        channel.writeAndFlush(bytes, channel.voidPromise());
    }

    /// Whether what waits to be sent is below the high-water mark.
    public boolean writable() {
        return channel.isWritable();
    }

    /// Runs this once, when the socket is writable again or closed.
    public void whenWritable(Runnable action) {
        if (channel.isWritable() || !channel.isActive()) {
            action.run();
        } else {
            whenWritable.add(action);
        }
    }

    void writabilityChanged() {
        while (!whenWritable.isEmpty() && (channel.isWritable() || !channel.isActive())) {
            whenWritable.remove().run();
        }
    }

    /// Runs this once, as soon as the peer is gone or we have closed: at the end of its stream, at a reset, at
    /// our own close. What the peer sent before may still be on its way through [#bytes].
    public void onClosed(Runnable action) {
        reader.onClosed(action);
    }

    public boolean open() {
        return channel.isActive();
    }

    /// Closes at once; what has not been sent is lost.
    public void close() {
        channel.close();
    }

    /// Closes when everything written has been sent, or the peer has not taken it for a while.
    public void closeAfterFlush() {
        if (!channel.isOpen()) {
            return;
        }
        channel.writeAndFlush(io.netty.buffer.Unpooled.EMPTY_BUFFER).addListener(ChannelFutureListener.CLOSE);
        if (channel.isOpen()) {
            channel.eventLoop().schedule(() -> channel.close(), LINGER_SECONDS, TimeUnit.SECONDS);
        }
    }

    /// How many bytes have been read and not been asked for yet.
    long waitingBytes() {
        return reader.waiting();
    }

    public SocketAddress remoteAddress() {
        return remote;
    }

    public ByteBufAllocator allocator() {
        return channel.alloc();
    }

    public EventLoop loop() {
        return channel.eventLoop();
    }

    public int loopIndex() {
        return loopIndex;
    }
}
