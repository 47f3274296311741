package org.pgporter.node.transport;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.EventLoop;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.kqueue.KQueueDomainSocketChannel;
import io.netty.channel.uring.IoUringDomainSocketChannel;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.ArrayDeque;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.NotUsed;
import org.apache.pekko.stream.javadsl.Source;
import org.jspecify.annotations.Nullable;
import org.pgporter.node.tls.TlsSession;

/// One connected socket. Belongs to one event loop; everything but the addresses, [#loop] and [#allocator]
/// is to be called there.
///
/// The peer's end of stream does not close the socket: what it asked for can still be answered. Whoever owns the
/// socket closes it in every case, or its file descriptor stays taken.
public final class SocketHandle {
    /// How long [#closeAfterFlush] waits for a peer that does not read.
    private static final long LINGER_SECONDS = 5;

    private final Channel channel;
    private final int loopIndex;
    private final SocketReader reader;
    private final SocketAddress remote;
    private final SocketAddress local;
    private final ArrayDeque<Runnable> whenWritable = new ArrayDeque<>(1);
    private long bytesOut;
    private boolean closing;

    SocketHandle(Channel channel, int loopIndex, SocketReader reader) {
        this.channel = channel;
        this.loopIndex = loopIndex;
        this.reader = reader;
        this.remote = known(channel.remoteAddress());
        this.local = known(channel.localAddress());
        reader.bind(this);
    }

    /// A peer may be gone before its address has been read.
    private static SocketAddress known(@Nullable SocketAddress address) {
        return address == null ? new InetSocketAddress(0) : address;
    }

    /// What the peer sends, in chunks that the receiver releases. To be run once, on the dispatcher of this
    /// loop; the socket is read from then on. Completes when the peer has closed, after everything that it had
    /// sent; a reset looks the same. Cancelling it ends the reading only: closing is up to the owner.
    public Source<ByteBuf, NotUsed> bytes() {
        return Source.fromGraph(new SocketSource(channel, reader));
    }

    /// Takes over the bytes. On a closed socket they are released and nothing happens.
    public void write(ByteBuf bytes) {
        bytesOut += bytes.readableBytes();
        channel.write(bytes, channel.voidPromise());
    }

    public void flush() {
        channel.flush();
    }

    /// Takes over the bytes.
    public void writeAndFlush(ByteBuf bytes) {
        bytesOut += bytes.readableBytes();
        channel.writeAndFlush(bytes, channel.voidPromise());
    }

    /// Whether what waits to be sent is below the high-water mark.
    public boolean writable() {
        return channel.isWritable();
    }

    /// Runs this once, when the socket is writable again or closed; at once if it is so now. Several wait in the
    /// order in which they came.
    public void whenWritable(Runnable action) {
        if (whenWritable.isEmpty() && (channel.isWritable() || !channel.isActive())) {
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
    /// our own close. What the peer sent before may still be on its way through [#bytes]. Before the stream of
    /// [#bytes] runs, and while more than its limit is waiting there, the socket is not read and a peer that
    /// leaves is not noticed.
    public void onClosed(Runnable action) {
        reader.onClosed(action);
    }

    public boolean open() {
        return channel.isActive();
    }

    /// Closes at once; what has not been sent is lost. May be called from every thread.
    public void close() {
        channel.close();
    }

    /// Closes when everything written has been sent, or the peer has not taken it for a while.
    public void closeAfterFlush() {
        if (closing || !channel.isOpen()) {
            return;
        }
        closing = true;
        channel.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(ChannelFutureListener.CLOSE);
        if (channel.isOpen()) {
            Future<?> deadline = channel.eventLoop().schedule(() -> channel.close(), LINGER_SECONDS, TimeUnit.SECONDS);
            // The timer would keep the closed channel in memory until it fires.
            channel.closeFuture().addListener(_ -> deadline.cancel(false));
        }
    }

    public SocketAddress remoteAddress() {
        return remote;
    }

    /// Our end; an unnamed address when the socket has none.
    public SocketAddress localAddress() {
        return local;
    }

    /// What TLS has settled; empty on a connection without, and before its handshake is over.
    public Optional<TlsSession> tls() {
        return TlsSession.of(channel);
    }

    /// The number of the operating system's user at the other end of a Unix socket, as the kernel knows it; empty on
    /// other sockets, and where it cannot be told.
    public OptionalInt peerUser() {
        try {
            return switch (channel) {
                case EpollDomainSocketChannel epoll ->
                    OptionalInt.of(epoll.peerCredentials().uid());
                case IoUringDomainSocketChannel uring ->
                    OptionalInt.of(uring.peerCredentials().uid());
                case KQueueDomainSocketChannel kqueue ->
                    OptionalInt.of(kqueue.peerCredentials().uid());
                default -> OptionalInt.empty(); // the JDK tells a name, after a lookup that may block
            };
        } catch (IOException _) {
            return OptionalInt.empty();
        }
    }

    /// Bytes read from the socket, delivered or not.
    public long bytesIn() {
        return reader.bytesIn();
    }

    /// Bytes handed to the socket, sent or not.
    public long bytesOut() {
        return bytesOut;
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
