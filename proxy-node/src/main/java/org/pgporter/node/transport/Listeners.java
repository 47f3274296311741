package org.pgporter.node.transport;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.WriteBufferWaterMark;
import java.io.IOException;
import java.net.ConnectException;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Opens listening sockets. Accepted connections are dealt to all loops in turn, or, with SO_REUSEPORT, by the
/// operating system to one listening socket on each loop.
public final class Listeners {
    /// Above the high mark a socket counts as not writable and whoever writes to it waits, below the low mark
    /// it goes on.
    static final WriteBufferWaterMark WATER_MARKS = new WriteBufferWaterMark(32 * 1024, 64 * 1024);

    /// How long accepting pauses when the process has no file descriptor left.
    private static final long PAUSE_SECONDS = 1;

    private static final Logger LOG = LoggerFactory.getLogger(Listeners.class);

    private Listeners() {}

    /// @return completes when the address is bound, or fails with the operating system's reason
    public static CompletionStage<Listener> bind(
            EventLoops loops, ListenAddress address, ListenOptions options, AcceptHandler handler) {
        Transport transport = loops.transport();
        try {
            return switch (address) {
                case ListenAddress.Tcp(var tcp) -> {
                    int sockets = options.reusePort() ? loops.count() : 1;
                    yield bindTcp(loops, tcp, options, handler, sockets);
                }
                case ListenAddress.Unix(var path, var mode) -> {
                    removeStale(path);
                    ServerBootstrap bootstrap =
                            server(loops, loops.group(), options, handler).channel(transport.unixServer());
                    if (transport.canHalfClose(true)) {
                        bootstrap.childOption(ChannelOption.ALLOW_HALF_CLOSURE, true);
                    }
                    yield one(bootstrap.bind(transport.unixAddress(path))).thenApply(channel -> {
                        permit(path, mode);
                        return new Listener(List.of(channel), Optional.of(path));
                    });
                }
            };
        } catch (IOException e) {
            return CompletableFuture.failedStage(e);
        }
    }

    private static CompletionStage<Listener> bindTcp(
            EventLoops loops,
            java.net.InetSocketAddress address,
            ListenOptions options,
            AcceptHandler handler,
            int sockets) {
        CompletionStage<List<Channel>> bound = CompletableFuture.completedStage(new ArrayList<>());
        for (int i = 0; i < sockets; i++) {
            int index = i;
            bound = bound.thenCompose(channels -> {
                // With several sockets all follow the first one's port.
                SocketAddress where =
                        channels.isEmpty() ? address : channels.getFirst().localAddress();
                EventLoopGroup children = sockets == 1 ? loops.group() : loops.loop(index);
                return one(tcpServer(loops, children, options, handler).bind(where))
                        .<List<Channel>>handle((channel, failure) -> {
                            if (failure != null) {
                                channels.forEach(Channel::close);
                                throw new java.util.concurrent.CompletionException(failure);
                            }
                            channels.add(channel);
                            return channels;
                        });
            });
        }
        return bound.thenApply(channels -> new Listener(channels, Optional.empty()));
    }

    private static ServerBootstrap tcpServer(
            EventLoops loops, EventLoopGroup children, ListenOptions options, AcceptHandler handler) {
        Transport transport = loops.transport();
        ServerBootstrap bootstrap = server(loops, children, options, handler)
                .channel(transport.tcpServer())
                .option(ChannelOption.SO_REUSEADDR, true)
                .childOption(ChannelOption.ALLOW_HALF_CLOSURE, true);
        if (options.reusePort()) {
            bootstrap.option(transport.reusePort(), true);
        }
        transport.tcpOptions(options.sockets()).forEach((option, value) -> childOption(bootstrap, option, value));
        return bootstrap;
    }

    @SuppressWarnings("unchecked")
    private static <T> void childOption(ServerBootstrap bootstrap, ChannelOption<T> option, Object value) {
        bootstrap.childOption(option, (T) value);
    }

    private static ServerBootstrap server(
            EventLoops loops, EventLoopGroup children, ListenOptions options, AcceptHandler handler) {
        return new ServerBootstrap()
                .group(children, children)
                .option(ChannelOption.SO_BACKLOG, options.backlog())
                .childOption(ChannelOption.AUTO_READ, false)
                .childOption(ChannelOption.WRITE_BUFFER_WATER_MARK, WATER_MARKS)
                .handler(new AcceptPause())
                .childHandler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        SocketReader reader = new SocketReader();
                        channel.pipeline().addLast(reader);
                        int loop = loops.indexOf(channel.eventLoop());
                        handler.accepted(loop, new SocketHandle(channel, loop, reader));
                    }
                });
    }

    private static CompletableFuture<Channel> one(ChannelFuture bind) {
        CompletableFuture<Channel> bound = new CompletableFuture<>();
        bind.addListener(_ -> {
            if (bind.isSuccess()) {
                bound.complete(bind.channel());
            } else {
                bound.completeExceptionally(bind.cause());
            }
        });
        return bound;
    }

    /// Without file descriptors, accepting again at once would fail again at once: it pauses, and says so once.
    private static final class AcceptPause extends ChannelInboundHandlerAdapter {
        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            Channel listening = context.channel();
            if (!listening.config().isAutoRead()) {
                return;
            }
            LOG.atWarn()
                    .addKeyValue("listener", listening.localAddress())
                    .addKeyValue("reason", cause.getMessage())
                    .log("accepting connections pauses");
            listening.config().setAutoRead(false);
            context.executor().schedule(() -> listening.config().setAutoRead(true), PAUSE_SECONDS, TimeUnit.SECONDS);
        }
    }

    /// A socket file that nobody listens on any more is in the way; one that somebody listens on is an error.
    private static void removeStale(Path path) throws IOException {
        if (!Files.exists(path)) {
            return;
        }
        if (!Files.readAttributes(path, BasicFileAttributes.class).isOther()) {
            throw new IOException(path + " is there and is not a socket");
        }
        try (SocketChannel probe = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            probe.connect(UnixDomainSocketAddress.of(path));
        } catch (ConnectException nobodyListens) {
            Files.delete(path);
            return;
        }
        throw new IOException("another process listens on " + path);
    }

    private static void permit(Path path, int mode) {
        Set<PosixFilePermission> permissions = EnumSet.noneOf(PosixFilePermission.class);
        PosixFilePermission[] fromHighest = PosixFilePermission.values();
        for (int bit = 0; bit < fromHighest.length; bit++) {
            if ((mode & 0400 >> bit) != 0) {
                permissions.add(fromHighest[bit]);
            }
        }
        try {
            Files.setPosixFilePermissions(path, permissions);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
