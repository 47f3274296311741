package org.pgporter.node.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.pgporter.node.transport.Loopback.await;
import static org.pgporter.node.transport.Loopback.pattern;
import static org.pgporter.node.transport.Loopback.receive;
import static org.pgporter.node.transport.Loopback.run;
import static org.pgporter.node.transport.Loopback.send;

import io.netty.buffer.ByteBuf;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;
import org.pgporter.node.tls.Securing;

@Timeout(value = 40, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
@ParameterizedClass
@MethodSource("org.pgporter.node.transport.Loopback#kinds")
final class ConnectorIT {
    private static final Duration LONG = Duration.ofSeconds(20);

    @SuppressWarnings("NullAway.Init") // set before each round of the class
    private static Loopback loopback;

    @BeforeParameterizedClassInvocation
    static void open(IoKind kind) {
        loopback = new Loopback(kind, 2);
    }

    @AfterParameterizedClassInvocation
    static void close() {
        loopback.close();
    }

    ConnectorIT(IoKind kind) {
        assertThat(loopback.loops.kind()).isEqualTo(kind);
    }

    @Test
    void shouldConnectOnTheLoopThatWasAskedFor() throws Exception {
        SocketOptions every = new SocketOptions(true, 30, 5, 3, Duration.ofSeconds(40), Optional.of(1), 64 * 1024);
        try (ServerSocketChannel server = server()) {
            for (int loop = 0; loop < 2; loop++) {
                SocketHandle socket =
                        await(Connector.connect(loopback.loops, loop, address(server), every, Securing.NONE, LONG));
                SocketChannel peer = server.accept();
                loopback.echo(socket);
                send(peer, pattern(0, 3000));
                assertThat(receive(peer, 3000)).isEqualTo(pattern(0, 3000));
                assertThat(socket.loopIndex()).isEqualTo(loop);
                assertThat(socket.loop()).isSameAs(loopback.loops.loop(loop));
                run(socket, socket::close);
                peer.close();
            }
        }
    }

    @Test
    void shouldTryTheNextAddressOfAName() throws Exception {
        // Given a name with two addresses, if the machine has IPv6, of which only one answers
        try (ServerSocketChannel server = server()) {
            RemoteAddress byName = new RemoteAddress.Tcp("localhost", port(server));
            SocketHandle socket = await(connect(byName, LONG));
            assertThat(((InetSocketAddress) socket.remoteAddress()).getPort()).isEqualTo(port(server));
            run(socket, socket::close);
        }
    }

    @Test
    void shouldConnectToUnixSockets(@TempDir Path folder) throws Exception {
        Path path = folder.resolve("s");
        try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            server.bind(UnixDomainSocketAddress.of(path));
            SocketHandle socket = await(connect(new RemoteAddress.Unix(path), LONG));
            SocketChannel peer = server.accept();
            run(socket, () -> {
                ByteBuf bytes = socket.allocator().buffer();
                socket.writeAndFlush(bytes.writeBytes(pattern(0, 100)));
                socket.closeAfterFlush();
            });
            assertThat(receive(peer, 101)).isEqualTo(pattern(0, 100));
            peer.close();
        }
        assertThatThrownBy(() -> await(connect(new RemoteAddress.Unix(path), LONG)))
                .cause()
                .isInstanceOf(ConnectFailure.class)
                .hasMessage("connection to " + path + " failed: Connection refused");
        Path missing = folder.resolve("missing");
        assertThatThrownBy(() -> await(connect(new RemoteAddress.Unix(missing), LONG)))
                .cause()
                .isInstanceOf(ConnectFailure.class)
                .hasMessage("connection to " + missing + " failed: No such file or directory");
    }

    @Test
    void shouldSayThatNobodyListens() throws Exception {
        RemoteAddress free;
        try (ServerSocketChannel server = server()) {
            free = address(server);
        }
        assertThatThrownBy(() -> await(connect(free, LONG)))
                .cause()
                .isInstanceOf(ConnectFailure.class)
                .hasMessage("connection to " + free + " failed: Connection refused");
    }

    @Test
    void shouldSayThatANameIsUnknown() {
        assertThatThrownBy(() -> await(connect(new RemoteAddress.Tcp("no-such-host.invalid", 5432), LONG)))
                .cause()
                .isInstanceOf(ConnectFailure.class)
                .hasMessage("host name \"no-such-host.invalid\" cannot be resolved");
    }

    @Test
    void shouldGiveUpAfterTheTimeout() throws Exception { // checklist 122
        // Given a server whose queue is full: the kernel drops what comes then
        List<SocketChannel> queue = new ArrayList<>();
        try (ServerSocketChannel server = ServerSocketChannel.open()) {
            server.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 1);
            for (int i = 0; i < 8; i++) {
                SocketChannel waiting = SocketChannel.open();
                waiting.configureBlocking(false);
                waiting.connect(server.getLocalAddress());
                queue.add(waiting);
            }
            assertThatThrownBy(() -> await(connect(address(server), Duration.ofMillis(300))))
                    .cause()
                    .isInstanceOf(ConnectFailure.class)
                    .hasMessage("connection to " + address(server) + " failed: timed out");
        }
        for (SocketChannel waiting : queue) {
            waiting.close();
        }
    }

    @Test
    void shouldCloseAConnectionThatComesTooLate(@TempDir Path folder) throws Exception {
        Path path = folder.resolve("s");
        try (ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            server.bind(UnixDomainSocketAddress.of(path));
            // Given a loop that is held up, so that connecting begins and does not end
            CountDownLatch goOn = new CountDownLatch(1);
            loopback.loops.loop(0).execute(() -> awaitQuietly(goOn));
            CompletableFuture<SocketHandle> connecting =
                    connect(new RemoteAddress.Unix(path), LONG).toCompletableFuture();
            // When
            connecting.cancel(true);
            goOn.countDown();
            // Then
            SocketChannel peer = server.accept();
            assertThat(receive(peer, 1)).isEmpty();
            peer.close();
        }
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static java.util.concurrent.CompletionStage<SocketHandle> connect(RemoteAddress address, Duration timeout) {
        return Connector.connect(loopback.loops, 0, address, SocketOptions.plain(), Securing.NONE, timeout);
    }

    private static ServerSocketChannel server() throws Exception {
        ServerSocketChannel server = ServerSocketChannel.open();
        return server.bind(new InetSocketAddress(InetAddress.getByName("127.0.0.1"), 0));
    }

    private static int port(ServerSocketChannel server) throws Exception {
        return ((InetSocketAddress) server.getLocalAddress()).getPort();
    }

    private static RemoteAddress address(ServerSocketChannel server) throws Exception {
        return new RemoteAddress.Tcp("127.0.0.1", port(server));
    }
}
