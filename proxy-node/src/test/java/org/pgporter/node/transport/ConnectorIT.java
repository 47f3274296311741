package org.pgporter.node.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.apache.pekko.stream.javadsl.Sink;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

@ParameterizedClass
@MethodSource("org.pgporter.node.transport.Loops#kinds")
@Timeout(30)
class ConnectorIT {
    @Parameter
    @SuppressWarnings("NullAway.Init")
    IoKind kind;

    @TempDir
    @SuppressWarnings("NullAway.Init")
    Path directory;

    @SuppressWarnings("NullAway.Init")
    private Loops loops;

    @BeforeEach
    void start() {
        loops = Loops.start(kind, 2);
    }

    @AfterEach
    void stop() {
        loops.close();
    }

    @Test
    void shouldConnectOnTheLoopThatWasAskedFor() throws Exception {
        // Given
        var listener = loops.listen();
        int port = ((InetSocketAddress) listener.address()).getPort();

        for (int loop = 0; loop < 2; loop++) {
            // When
            var client = connect(loop, new RemoteAddress.Tcp("localhost", port), Loops.PATIENCE);
            var server = loops.accept();
            loops.read(server, Sink.foreach(server::writeAndFlush));
            var first = loops.read(client, Sink.head());
            Loops.run(
                    client,
                    () -> client.writeAndFlush(client.allocator().buffer().writeByte(42)));

            // Then
            var echo = Loops.done(first);
            assertThat(echo.readByte()).isEqualTo((byte) 42);
            echo.release();
            assertThat(client.loopIndex()).isEqualTo(loop);
            assertThat(client.loop()).isSameAs(loops.loops.loop(loop));
        }
    }

    @Test
    void shouldConnectToAUnixSocket() throws Exception {
        // Given
        Path file = directory.resolve("socket");
        loops.listen(new ListenAddress.Unix(file, 0600), Loops.options(false));

        // When
        var client = connect(0, new RemoteAddress.Unix(file), Loops.PATIENCE);

        // Then
        assertThat(client.open()).isTrue();
        loops.accept();
    }

    @Test
    void shouldSayThatAConnectionWasRefused() throws Exception {
        // Given a port that nobody listens on any more
        int port;
        try (var server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            port = server.getLocalPort();
        }

        // When, Then
        assertThatConnecting(new RemoteAddress.Tcp("127.0.0.1", port), Loops.PATIENCE)
                .hasMessage("connection to 127.0.0.1:" + port + " failed: Connection refused");
    }

    @Test
    void shouldSayThatASocketFileIsMissing() {
        Path file = directory.resolve("missing");
        assertThatConnecting(new RemoteAddress.Unix(file), Loops.PATIENCE)
                .hasMessage("connection to " + file + " failed: No such file or directory");
    }

    @Test
    void shouldSayThatAHostIsUnknown() {
        assertThatConnecting(new RemoteAddress.Tcp("no-such-host.invalid", 5432), Loops.PATIENCE)
                .hasMessage("host name \"no-such-host.invalid\" cannot be resolved");
    }

    @Test
    void shouldGiveUpWhenNobodyAnswersInTime() throws Exception { // checklist 122
        // Given a server whose queue is full, so that it drops what asks to connect
        List<Socket> inQueue = new ArrayList<>();
        try (var server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            for (int i = 0; i < 2; i++) {
                inQueue.add(new Socket(server.getInetAddress(), server.getLocalPort()));
            }

            // When, Then
            assertThatConnecting(new RemoteAddress.Tcp("127.0.0.1", server.getLocalPort()), Duration.ofMillis(300))
                    .hasMessage("connection to 127.0.0.1:" + server.getLocalPort() + " failed: timed out");
        } finally {
            for (Socket each : inQueue) {
                each.close();
            }
        }
    }

    private AbstractThrowableAssert<?, ? extends Throwable> assertThatConnecting(
            RemoteAddress address, Duration timeout) {
        return assertThatThrownBy(() -> connect(0, address, timeout)).cause().isInstanceOf(ConnectFailure.class);
    }

    private SocketHandle connect(int loop, RemoteAddress address, Duration timeout) {
        return Loops.done(Connector.connect(loops.loops, loop, address, SocketOptions.plain(), timeout));
    }
}
