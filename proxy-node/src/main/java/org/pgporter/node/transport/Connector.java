package org.pgporter.node.transport;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.ConnectTimeoutException;
import java.io.FileNotFoundException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Pattern;
import org.pgporter.node.tls.Securing;

/// Opens connections. Host names are resolved off the loop, and every address of a name is tried in turn within
/// the time given for all.
public final class Connector {
    /// What Netty puts before and after the operating system's words: the call, and the address.
    private static final Pattern NETTYS_WORDS =
            Pattern.compile("^[\\w ]+\\(\\.\\.\\) failed with error\\(-?\\d+\\): |: /.*$");

    private final EventLoops loops;
    private final int loop;
    private final RemoteAddress name;
    private final SocketOptions options;
    private final Securing security;
    private final long deadline;
    private final CompletableFuture<SocketHandle> connected = new CompletableFuture<>();

    private Connector(
            EventLoops loops,
            int loop,
            RemoteAddress name,
            SocketOptions options,
            Securing security,
            Duration timeout) {
        this.loops = loops;
        this.loop = loop;
        this.name = name;
        this.options = options;
        this.security = security;
        this.deadline = System.nanoTime() + timeout.toNanos();
    }

    /// @param loop the index of the loop that the connection will live on
    /// @param security what happens on the connection before it is handed over
    /// @param timeout for everything: the name and all its addresses, and its security
    /// @return completes with the connection, or fails with a [ConnectFailure]. Who completes or cancels it
    /// first has given up: a connection that comes later is closed.
    public static CompletionStage<SocketHandle> connect(
            EventLoops loops,
            int loop,
            RemoteAddress address,
            SocketOptions options,
            Securing security,
            Duration timeout) {
        Connector connector = new Connector(loops, loop, address, options, security, timeout);
        connector.start(timeout);
        return connector.connected;
    }

    private void start(Duration timeout) {
        // The name service keeps to no timeout of ours.
        Future<?> limit = loops.loop(loop)
                .schedule(() -> fail("timed out", new TimeoutException()), timeout.toNanos(), TimeUnit.NANOSECONDS);
        connected.whenComplete((_, _) -> limit.cancel(false));
        switch (name) {
            case RemoteAddress.Unix(var path) ->
                attempt(List.of(loops.transport().unixAddress(path)));
            case RemoteAddress.Tcp(var host, var port) ->
                Thread.ofVirtual().name("pgporter-resolver").start(() -> resolve(host, port));
        }
    }

    private void resolve(String host, int port) {
        try {
            attempt(Arrays.stream(InetAddress.getAllByName(host))
                    .<SocketAddress>map(resolved -> new InetSocketAddress(resolved, port))
                    .toList());
        } catch (UnknownHostException e) {
            connected.completeExceptionally(new ConnectFailure("host name \"" + host + "\" cannot be resolved", e));
        }
    }

    private void attempt(List<SocketAddress> addresses) {
        if (connected.isDone()) {
            return;
        }
        try {
            open(addresses);
        } catch (RuntimeException e) {
            fail(String.valueOf(e.getMessage()), e);
        }
    }

    private void open(List<SocketAddress> addresses) {
        // An address that answers nothing must leave time for those behind it.
        long share = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime()) / addresses.size();
        Transport transport = loops.transport();
        SocketReader reader = new SocketReader();
        Bootstrap bootstrap = new Bootstrap()
                .group(loops.loop(loop))
                .option(ChannelOption.AUTO_READ, false)
                .option(ChannelOption.WRITE_BUFFER_WATER_MARK, Listeners.WATER_MARKS)
                .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, Math.clamp(share, 1, Integer.MAX_VALUE))
                .handler(new ChannelInitializer<Channel>() {
                    @Override
                    protected void initChannel(Channel channel) {
                        channel.pipeline().addLast(reader);
                    }
                });
        switch (name) {
            case RemoteAddress.Tcp _ -> {
                bootstrap.channel(transport.tcp());
                transport.tcpOptions(options).forEach((option, value) -> option(bootstrap, option, value));
            }
            case RemoteAddress.Unix _ -> bootstrap.channel(transport.unix());
        }
        transport.reading().forEach((option, value) -> option(bootstrap, option, value));
        if (transport.canHalfClose(name instanceof RemoteAddress.Unix)) {
            bootstrap.option(ChannelOption.ALLOW_HALF_CLOSURE, true);
        }
        ChannelFuture connecting = bootstrap.connect(addresses.getFirst());
        connecting.addListener(_ -> {
            if (connecting.isSuccess()) {
                arrived(connecting.channel(), reader);
            } else if (addresses.size() > 1) {
                attempt(addresses.subList(1, addresses.size()));
            } else {
                fail(reason(connecting.cause()), connecting.cause());
            }
        });
    }

    private void arrived(Channel channel, SocketReader reader) {
        // Whoever gives up while it is being secured does not know of it.
        connected.whenComplete((_, failure) -> {
            if (failure != null) {
                channel.close();
            }
        });
        Duration left = Duration.ofNanos(Math.max(0, deadline - System.nanoTime()));
        security.secure(channel, left).whenComplete((_, failure) -> {
            if (failure == null) {
                handOver(channel, reader);
            } else {
                fail(String.valueOf(failure.getMessage()), failure);
            }
        });
    }

    private void handOver(Channel channel, SocketReader reader) {
        if (!connected.complete(new SocketHandle(channel, loop, reader))) {
            channel.close(); // whoever asked has given up
        }
    }

    private void fail(String why, Throwable cause) {
        connected.completeExceptionally(new ConnectFailure("connection to " + name + " failed: " + why, cause));
    }

    @SuppressWarnings("unchecked")
    private static <T> void option(Bootstrap bootstrap, ChannelOption<T> option, Object value) {
        bootstrap.option(option, (T) value);
    }

    private static String reason(Throwable failure) {
        return switch (failure) {
            case ConnectTimeoutException _ -> "timed out";
            case FileNotFoundException _ -> "No such file or directory"; // epoll says no more than this type
            default ->
                NETTYS_WORDS.matcher(String.valueOf(failure.getMessage())).replaceAll("");
        };
    }
}
