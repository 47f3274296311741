package org.pgporter.node.transport;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.WriteBufferWaterMark;
import java.io.IOException;
import java.net.SocketAddress;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;

/// Opens listening sockets. Accepted connections are dealt to all loops in turn, or, with SO_REUSEPORT, by the
/// operating system to one listening socket on each loop.
public final class Listeners {
    /// Above the high mark a socket counts as not writable and whoever writes to it waits, below the low mark
    /// it goes on.
    static final WriteBufferWaterMark WATER_MARKS = new WriteBufferWaterMark(32 * 1024, 64 * 1024);

    private Listeners() {}

    /// @return completes when the address is bound, or fails with the operating system's reason
    public static CompletionStage<Listener> bind(
            EventLoops loops, ListenAddress address, ListenOptions options, AcceptHandler handler) {
        try {
            return switch (address) {
                case ListenAddress.Tcp(var tcp) -> {
                    int sockets = options.reusePort() ? loops.count() : 1;
                    yield bindTcp(loops, tcp, options, handler, sockets);
                }
                case ListenAddress.Unix(var path, var mode) -> bindUnix(loops, path, mode, options, handler);
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
                                throw new CompletionException(failure);
                            }
                            channels.add(channel);
                            return channels;
                        });
            });
        }
        return bound.thenApply(
                channels -> new Listener(channels, channels.getFirst().localAddress(), Optional.empty()));
    }

    private static CompletionStage<Listener> bindUnix(
            EventLoops loops, Path path, int mode, ListenOptions options, AcceptHandler handler) throws IOException {
        Transport transport = loops.transport();
        Path bindPath = SocketFile.bindPath(path);
        SocketFile.removeStale(path);
        SocketFile.removeStale(bindPath);
        return one(server(loops, loops.group(), options, handler)
                        .channel(transport.unixServer())
                        .bind(transport.unixAddress(bindPath)))
                .thenApply(channel -> {
                    try {
                        SocketFile file = SocketFile.moveIntoPlace(path, mode);
                        return new Listener(List.of(channel), transport.unixAddress(path), Optional.of(file));
                    } catch (IOException e) {
                        channel.close();
                        throw new CompletionException(e);
                    }
                });
    }

    private static ServerBootstrap tcpServer(
            EventLoops loops, EventLoopGroup children, ListenOptions options, AcceptHandler handler) {
        Transport transport = loops.transport();
        ServerBootstrap bootstrap = server(loops, children, options, handler)
                .channel(transport.tcpServer())
                .option(ChannelOption.SO_REUSEADDR, true);
        if (options.reusePort()) {
            bootstrap.option(transport.reusePort(), true);
        }
        bootstrap.childOption(ChannelOption.ALLOW_HALF_CLOSURE, true);
        transport.tcpOptions(options.sockets()).forEach((option, value) -> childOption(bootstrap, option, value));
        return bootstrap;
    }

    @SuppressWarnings("unchecked")
    private static <T> void childOption(ServerBootstrap bootstrap, ChannelOption<T> option, Object value) {
        bootstrap.childOption(option, (T) value);
    }

    private static ServerBootstrap server(
            EventLoops loops, EventLoopGroup children, ListenOptions options, AcceptHandler handler) {
        ServerBootstrap bootstrap = new ServerBootstrap()
                .group(children, children)
                .option(ChannelOption.SO_BACKLOG, options.backlog())
                .childOption(ChannelOption.AUTO_READ, false)
                .childOption(ChannelOption.WRITE_BUFFER_WATER_MARK, WATER_MARKS)
                .handler(new AcceptPause())
                .childHandler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        SocketReader reader = new SocketReader();
                        options.negotiation()
                                .handler(!(channel instanceof io.netty.channel.socket.SocketChannel))
                                .ifPresent(channel.pipeline()::addLast);
                        channel.pipeline().addLast(reader);
                        int loop = loops.indexOf(channel.eventLoop());
                        handler.accepted(loop, new SocketHandle(channel, loop, reader));
                    }
                });
        loops.transport().reading().forEach((option, value) -> childOption(bootstrap, option, value));
        return bootstrap;
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
}
