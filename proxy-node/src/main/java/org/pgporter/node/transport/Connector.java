package org.pgporter.node.transport;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Opens connections. Host names are resolved off the loop, and every address of a name is tried in turn within
/// the time given for all.
public final class Connector {
    /// `finishConnect(..) failed with error(-111): Connection refused: localhost/127.0.0.1:5432`
    private static final Pattern SYSTEM_CALL =
            Pattern.compile("[\\w ]+\\(\\.\\.\\) failed(?: with error\\(-?\\d+\\))?: ");

    private Connector() {}

    /// @param loop the index of the loop that the connection will live on
    /// @return completes with the connection, or fails with a [ConnectFailure]
    public static CompletionStage<SocketHandle> connect(
            EventLoops loops, int loop, RemoteAddress address, SocketOptions options, Duration timeout) {
        long deadline = System.nanoTime() + timeout.toNanos();
        CompletableFuture<SocketHandle> connected = new CompletableFuture<>();
        switch (address) {
            case RemoteAddress.Unix(var path) ->
                attempt(
                        loops,
                        loop,
                        address,
                        List.of(loops.transport().unixAddress(path)),
                        options,
                        deadline,
                        connected,
                        null);
            case RemoteAddress.Tcp(var host, var port) ->
                Thread.ofVirtual().name("pgporter-resolver").start(() -> {
                    try {
                        List<SocketAddress> all = Arrays.stream(InetAddress.getAllByName(host))
                                .<SocketAddress>map(resolved -> new InetSocketAddress(resolved, port))
                                .toList();
                        attempt(loops, loop, address, all, options, deadline, connected, null);
                    } catch (UnknownHostException e) {
                        connected.completeExceptionally(
                                new ConnectFailure("host name \"" + host + "\" cannot be resolved", e));
                    }
                });
        }
        return connected;
    }

    private static void attempt(
            EventLoops loops,
            int loop,
            RemoteAddress name,
            List<SocketAddress> addresses,
            SocketOptions options,
            long deadline,
            CompletableFuture<SocketHandle> connected,
            @Nullable Throwable lastFailure) {
        long left = (deadline - System.nanoTime()) / 1_000_000;
        if (addresses.isEmpty() || left <= 0) {
            String why = lastFailure == null ? "timed out" : reason(lastFailure);
            connected.completeExceptionally(new ConnectFailure(
                    "connection to " + name + " failed: " + why,
                    lastFailure == null ? new java.util.concurrent.TimeoutException() : lastFailure));
            return;
        }
        EventLoop eventLoop = loops.loop(loop);
        Transport transport = loops.transport();
        SocketReader reader = new SocketReader();
        Bootstrap bootstrap = new Bootstrap()
                .group(eventLoop)
                .option(ChannelOption.AUTO_READ, false)
                .option(ChannelOption.WRITE_BUFFER_WATER_MARK, Listeners.WATER_MARKS)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, (int) Math.min(left, Integer.MAX_VALUE))
                .handler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        channel.pipeline().addLast(reader);
                    }
                });
        if (transport.canHalfClose(name instanceof RemoteAddress.Unix)) {
            bootstrap.option(ChannelOption.ALLOW_HALF_CLOSURE, true);
        }
        if (name instanceof RemoteAddress.Tcp) {
            bootstrap.channel(transport.tcp());
            transport.tcpOptions(options).forEach((option, value) -> option(bootstrap, option, value));
        } else {
            bootstrap.channel(transport.unix());
        }
        ChannelFuture connecting = bootstrap.connect(addresses.getFirst());
        connecting.addListener(_ -> {
            if (!connecting.isSuccess()) {
                List<SocketAddress> rest = addresses.subList(1, addresses.size());
                attempt(loops, loop, name, rest, options, deadline, connected, connecting.cause());
            } else if (!connected.complete(new SocketHandle(connecting.channel(), loop, reader))) {
                connecting.channel().close(); // whoever asked has given up
            }
        });
    }

    @SuppressWarnings("unchecked")
    private static <T> void option(Bootstrap bootstrap, ChannelOption<T> option, Object value) {
        bootstrap.option(option, (T) value);
    }

    /// The operating system's words. Netty puts the name of the system call before them, the address behind them,
    /// or leaves them out.
    private static String reason(Throwable failure) {
        String message = String.valueOf(failure.getMessage());
        Matcher call = SYSTEM_CALL.matcher(message);
        String words = call.lookingAt() ? message.substring(call.end()) : message;
        int address = words.indexOf(": ");
        return switch (failure) {
            case io.netty.channel.ConnectTimeoutException _ -> "timed out";
            case java.io.FileNotFoundException _ -> "No such file or directory";
            default -> address > 0 ? words.substring(0, address) : words;
        };
    }
}
