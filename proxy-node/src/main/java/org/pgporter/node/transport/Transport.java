package org.pgporter.node.transport;

import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelOption;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollChannelOption;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerDomainSocketChannel;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.kqueue.KQueue;
import io.netty.channel.kqueue.KQueueDomainSocketChannel;
import io.netty.channel.kqueue.KQueueIoHandler;
import io.netty.channel.kqueue.KQueueServerDomainSocketChannel;
import io.netty.channel.kqueue.KQueueServerSocketChannel;
import io.netty.channel.kqueue.KQueueSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioChannelOption;
import io.netty.channel.socket.nio.NioDomainSocketChannel;
import io.netty.channel.socket.nio.NioServerDomainSocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.channel.unix.DomainSocketAddress;
import io.netty.channel.unix.UnixChannelOption;
import io.netty.channel.uring.IoUring;
import io.netty.channel.uring.IoUringBufferRingConfig;
import io.netty.channel.uring.IoUringChannelOption;
import io.netty.channel.uring.IoUringDomainSocketChannel;
import io.netty.channel.uring.IoUringFixedBufferRingAllocator;
import io.netty.channel.uring.IoUringIoHandler;
import io.netty.channel.uring.IoUringIoHandlerConfig;
import io.netty.channel.uring.IoUringServerDomainSocketChannel;
import io.netty.channel.uring.IoUringServerSocketChannel;
import io.netty.channel.uring.IoUringSocketChannel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.SocketAddress;
import java.net.SocketOption;
import java.net.StandardSocketOptions;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import jdk.net.ExtendedSocketOptions;
import org.jspecify.annotations.Nullable;

/// What differs between the kinds of I/O: channel classes, and the names of socket options.
record Transport(
        IoKind kind,
        IoHandlerFactory loops,
        Class<? extends io.netty.channel.socket.SocketChannel> tcp,
        Class<? extends Channel> unix,
        Class<? extends io.netty.channel.socket.ServerSocketChannel> tcpServer,
        Class<? extends io.netty.channel.ServerChannel> unixServer,
        ChannelOption<Boolean> reusePort,
        Optional<ChannelOption<Integer>> keepIdle,
        Optional<ChannelOption<Integer>> keepInterval,
        Optional<ChannelOption<Integer>> keepCount,
        Optional<ChannelOption<Integer>> userTimeout,
        Map<ChannelOption<?>, Object> reading) {

    /// The asked for kind, or the best that works here.
    ///
    /// @throws TransportUnavailable when a named kind does not work here
    static Transport of(IoKind wanted) {
        return switch (wanted) {
            case IO_URING -> available(wanted, IoUring.unavailabilityCause(), Transport::ioUring);
            case EPOLL -> available(wanted, Epoll.unavailabilityCause(), Transport::epoll);
            case KQUEUE -> available(wanted, KQueue.unavailabilityCause(), Transport::kqueue);
            case NIO -> nio();
            case AUTO ->
                IoUring.isAvailable()
                        ? ioUring()
                        : Epoll.isAvailable() ? epoll() : KQueue.isAvailable() ? kqueue() : nio();
        };
    }

    private static Transport available(
            IoKind kind, @Nullable Throwable cause, java.util.function.Supplier<Transport> transport) {
        if (cause != null) {
            throw new TransportUnavailable(kind, cause);
        }
        return transport.get();
    }

    /// A multishot poll tells of a change once. When a reset arrives while the bytes before it are being read,
    /// Netty 4.2.15 overlooks that one notice and the socket stays open for good; a single poll looks at the
    /// socket's state each time.
    private static final String MULTISHOT_POLL = "io.netty.iouring.pollAddMultishotEnabled";

    static {
        if (System.getProperty(MULTISHOT_POLL) == null) {
            System.setProperty(MULTISHOT_POLL, "false"); // read when Netty's IoUring class is initialized
        }
    }

    private static final short BUFFER_GROUP = 0;

    /// What one read may bring.
    private static final int RING_BUFFER_BYTES = 16 * 1024;

    /// Buffers that may be filled between two turns of a loop. The ring grows to this size when they are too few.
    private static final short RING_BUFFERS = 1024;

    private static final int RING_BUFFERS_AT_FIRST = 64;

    /// With a buffer ring the kernel takes a buffer when bytes are there, and one request to receive serves a
    /// connection for good (multishot); without, each read is two requests: wait, then receive. An idle
    /// connection holds no buffer either way.
    private static Transport ioUring() {
        boolean ring = IoUring.isRegisterBufferRingSupported();
        IoUringIoHandlerConfig config = new IoUringIoHandlerConfig();
        if (ring) {
            config.setBufferRingConfig(IoUringBufferRingConfig.builder()
                    .bufferGroupId(BUFFER_GROUP)
                    .bufferRingSize(RING_BUFFERS)
                    .batchSize(RING_BUFFERS_AT_FIRST)
                    .incremental(false) // failed in prototypes with Netty 4.2.15
                    // The default allocator makes and zeroes new memory for this size again and again.
                    .allocator(new IoUringFixedBufferRingAllocator(PooledByteBufAllocator.DEFAULT, RING_BUFFER_BYTES))
                    .build());
        }
        return new Transport(
                IoKind.IO_URING,
                IoUringIoHandler.newFactory(config),
                IoUringSocketChannel.class,
                IoUringDomainSocketChannel.class,
                IoUringServerSocketChannel.class,
                IoUringServerDomainSocketChannel.class,
                UnixChannelOption.SO_REUSEPORT,
                Optional.of(IoUringChannelOption.TCP_KEEPIDLE),
                Optional.of(IoUringChannelOption.TCP_KEEPINTVL),
                Optional.of(IoUringChannelOption.TCP_KEEPCNT),
                Optional.of(IoUringChannelOption.TCP_USER_TIMEOUT),
                ring ? Map.of(IoUringChannelOption.IO_URING_BUFFER_GROUP_ID, BUFFER_GROUP) : Map.of());
    }

    private static Transport epoll() {
        return new Transport(
                IoKind.EPOLL,
                EpollIoHandler.newFactory(),
                EpollSocketChannel.class,
                EpollDomainSocketChannel.class,
                EpollServerSocketChannel.class,
                EpollServerDomainSocketChannel.class,
                UnixChannelOption.SO_REUSEPORT,
                Optional.of(EpollChannelOption.TCP_KEEPIDLE),
                Optional.of(EpollChannelOption.TCP_KEEPINTVL),
                Optional.of(EpollChannelOption.TCP_KEEPCNT),
                Optional.of(EpollChannelOption.TCP_USER_TIMEOUT),
                Map.of());
    }

    private static Transport kqueue() {
        return new Transport(
                IoKind.KQUEUE,
                KQueueIoHandler.newFactory(),
                KQueueSocketChannel.class,
                KQueueDomainSocketChannel.class,
                KQueueServerSocketChannel.class,
                KQueueServerDomainSocketChannel.class,
                UnixChannelOption.SO_REUSEPORT,
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Map.of());
    }

    private static Transport nio() {
        Set<SocketOption<?>> supported = supportedByTheJdk();
        return new Transport(
                IoKind.NIO,
                NioIoHandler.newFactory(),
                NioSocketChannel.class,
                NioDomainSocketChannel.class,
                NioServerSocketChannel.class,
                NioServerDomainSocketChannel.class,
                NioChannelOption.of(StandardSocketOptions.SO_REUSEPORT),
                jdkOption(supported, ExtendedSocketOptions.TCP_KEEPIDLE),
                jdkOption(supported, ExtendedSocketOptions.TCP_KEEPINTERVAL),
                jdkOption(supported, ExtendedSocketOptions.TCP_KEEPCOUNT),
                Optional.empty(),
                Map.of());
    }

    /// Which options exist depends on the operating system, and only a socket knows.
    private static Set<SocketOption<?>> supportedByTheJdk() {
        try (SocketChannel probe = SocketChannel.open()) {
            return probe.supportedOptions();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Optional<ChannelOption<Integer>> jdkOption(
            Set<SocketOption<?>> supported, SocketOption<Integer> option) {
        return supported.contains(option) ? Optional.of(NioChannelOption.of(option)) : Optional.empty();
    }

    /// Names of the settings of [SocketOptions] that have no effect with this kind of I/O.
    List<String> withoutEffect() {
        List<String> names = new ArrayList<>();
        if (keepIdle.isEmpty()) {
            names.add("keepAliveIdle");
        }
        if (keepInterval.isEmpty()) {
            names.add("keepAliveInterval");
        }
        if (keepCount.isEmpty()) {
            names.add("keepAliveCount");
        }
        if (userTimeout.isEmpty()) {
            names.add("userTimeout");
        }
        return names;
    }

    SocketAddress unixAddress(Path path) {
        return kind == IoKind.NIO ? UnixDomainSocketAddress.of(path) : new DomainSocketAddress(path.toFile());
    }

    /// Whether a connection can be written to after its peer has said its last. The JDK's Unix sockets have no option
    /// for that and are closed at once.
    boolean canHalfClose(boolean unixSocket) {
        return !(unixSocket && kind == IoKind.NIO);
    }

    /// The options of a TCP connection in this transport's terms. What the platform lacks is left out.
    Map<ChannelOption<?>, Object> tcpOptions(SocketOptions options) {
        Map<ChannelOption<?>, Object> result = new java.util.LinkedHashMap<>();
        result.put(ChannelOption.TCP_NODELAY, options.tcpNoDelay());
        boolean keepAlive =
                options.keepAliveIdle() > 0 || options.keepAliveInterval() > 0 || options.keepAliveCount() > 0;
        result.put(ChannelOption.SO_KEEPALIVE, keepAlive);
        keepIdle.ifPresent(option -> putIfPositive(result, option, options.keepAliveIdle()));
        keepInterval.ifPresent(option -> putIfPositive(result, option, options.keepAliveInterval()));
        keepCount.ifPresent(option -> putIfPositive(result, option, options.keepAliveCount()));
        int userTimeoutMillis =
                (int) Math.min(options.userTimeout().toMillis(), Integer.MAX_VALUE); // as much as the kernel takes
        userTimeout.ifPresent(option -> putIfPositive(result, option, userTimeoutMillis));
        options.linger().ifPresent(seconds -> result.put(ChannelOption.SO_LINGER, seconds));
        putIfPositive(result, ChannelOption.SO_SNDBUF, options.bufferSize());
        putIfPositive(result, ChannelOption.SO_RCVBUF, options.bufferSize());
        return result;
    }

    private static void putIfPositive(Map<ChannelOption<?>, Object> options, ChannelOption<Integer> option, int value) {
        if (value > 0) {
            options.put(option, value);
        }
    }
}
