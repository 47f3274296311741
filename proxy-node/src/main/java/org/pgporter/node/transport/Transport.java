package org.pgporter.node.transport;

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
import io.netty.channel.uring.IoUringChannelOption;
import io.netty.channel.uring.IoUringDomainSocketChannel;
import io.netty.channel.uring.IoUringIoHandler;
import io.netty.channel.uring.IoUringServerDomainSocketChannel;
import io.netty.channel.uring.IoUringServerSocketChannel;
import io.netty.channel.uring.IoUringSocketChannel;
import java.net.SocketAddress;
import java.net.StandardSocketOptions;
import java.net.UnixDomainSocketAddress;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
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
        ChannelOption<Integer> keepIdle,
        ChannelOption<Integer> keepInterval,
        ChannelOption<Integer> keepCount,
        Optional<ChannelOption<Integer>> userTimeout) {

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

    private static Transport ioUring() {
        return new Transport(
                IoKind.IO_URING,
                IoUringIoHandler.newFactory(),
                IoUringSocketChannel.class,
                IoUringDomainSocketChannel.class,
                IoUringServerSocketChannel.class,
                IoUringServerDomainSocketChannel.class,
                UnixChannelOption.SO_REUSEPORT,
                IoUringChannelOption.TCP_KEEPIDLE,
                IoUringChannelOption.TCP_KEEPINTVL,
                IoUringChannelOption.TCP_KEEPCNT,
                Optional.of(IoUringChannelOption.TCP_USER_TIMEOUT));
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
                EpollChannelOption.TCP_KEEPIDLE,
                EpollChannelOption.TCP_KEEPINTVL,
                EpollChannelOption.TCP_KEEPCNT,
                Optional.of(EpollChannelOption.TCP_USER_TIMEOUT));
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
                NioChannelOption.of(ExtendedSocketOptions.TCP_KEEPIDLE),
                NioChannelOption.of(ExtendedSocketOptions.TCP_KEEPINTERVAL),
                NioChannelOption.of(ExtendedSocketOptions.TCP_KEEPCOUNT),
                Optional.empty());
    }

    private static Transport nio() {
        return new Transport(
                IoKind.NIO,
                NioIoHandler.newFactory(),
                NioSocketChannel.class,
                NioDomainSocketChannel.class,
                NioServerSocketChannel.class,
                NioServerDomainSocketChannel.class,
                NioChannelOption.of(StandardSocketOptions.SO_REUSEPORT),
                NioChannelOption.of(ExtendedSocketOptions.TCP_KEEPIDLE),
                NioChannelOption.of(ExtendedSocketOptions.TCP_KEEPINTERVAL),
                NioChannelOption.of(ExtendedSocketOptions.TCP_KEEPCOUNT),
                Optional.empty());
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
        putIfPositive(result, keepIdle, options.keepAliveIdle());
        putIfPositive(result, keepInterval, options.keepAliveInterval());
        putIfPositive(result, keepCount, options.keepAliveCount());
        userTimeout.ifPresent(option -> putIfPositive(
                result, option, Math.toIntExact(options.userTimeout().toMillis())));
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
