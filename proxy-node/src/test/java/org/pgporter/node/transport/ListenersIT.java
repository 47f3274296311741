package org.pgporter.node.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletionException;
import org.apache.pekko.stream.javadsl.Sink;
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
class ListenersIT {
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
    void shouldDealConnectionsToAllLoops() throws Exception {
        // Given
        var listener = loops.listen();

        // When
        List<Integer> indexes = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            Loops.connect(listener);
            indexes.add(loops.accept().loopIndex());
        }

        // Then
        assertThat(Collections.frequency(indexes, 0)).isEqualTo(2);
        assertThat(Collections.frequency(indexes, 1)).isEqualTo(2);
    }

    @Test
    void shouldOpenOneListeningSocketForEachLoopWithReusePort() throws Exception {
        // Given
        var listener = loops.listen(tcp(0), Loops.options(true));

        // When
        Set<Integer> indexes = new HashSet<>();
        for (int i = 0; i < 64; i++) {
            Loops.connect(listener);
            indexes.add(loops.accept().loopIndex());
        }

        // Then
        assertThat(indexes).containsExactlyInAnyOrder(0, 1);
        assumeTrue(Files.exists(Path.of("/proc/net/tcp")));
        assertThat(listening(port(listener))).isEqualTo(2);
    }

    @Test
    void shouldShareAPortWithAnotherProcessWithReusePortOnly() {
        try (var other = Loops.start(kind, 1)) {
            // Given
            var shared = loops.listen(tcp(0), Loops.options(true));
            var alone = loops.listen(tcp(0), Loops.options(false));

            // When, Then
            var second = other.listen(tcp(port(shared)), Loops.options(true));
            assertThat(port(second)).isEqualTo(port(shared));
            assertThatThrownBy(() -> other.listen(tcp(port(alone)), Loops.options(false)))
                    .isInstanceOf(CompletionException.class)
                    .hasStackTraceContaining("Address already in use");
            assertThatThrownBy(() -> other.listen(tcp(port(alone)), Loops.options(true)))
                    .isInstanceOf(CompletionException.class)
                    .hasStackTraceContaining("Address already in use");
        }
    }

    @Test
    void shouldAcceptNoMoreWhenClosed() {
        // Given
        var listener = loops.listen(tcp(0), Loops.options(true));

        // When
        Loops.done(listener.close());

        // Then, with NIO only after the loop's next turn
        await().until(() -> isRefused(listener));
        var again = loops.listen(tcp(port(listener)), Loops.options(false));
        assertThat(port(again)).isEqualTo(port(listener));
    }

    @Test
    void shouldServeAUnixSocketAndRemoveItsFile() throws Exception {
        // Given
        Path file = directory.resolve(".s.PGSQL.6432");
        var listener = loops.listen(new ListenAddress.Unix(file, 0660), Loops.options(false));

        // When
        try (var client = SocketChannel.open(UnixDomainSocketAddress.of(file))) {
            var server = loops.accept();
            loops.read(server, Sink.foreach(server::writeAndFlush));
            client.write(ByteBuffer.wrap(new byte[] {1, 2, 3}));
            var echo = ByteBuffer.allocate(3);
            while (echo.hasRemaining() && client.read(echo) >= 0) {}

            // Then
            assertThat(echo.array()).containsExactly(1, 2, 3);
        }
        Loops.done(listener.close());
        assertThat(file).doesNotExist();
    }

    @Test
    void shouldSetTheModeOfASocketFile() throws Exception {
        for (String mode : List.of("rwxrwxrwx", "rw-rw----", "rwx------", "rwx-w---x")) {
            // Given
            int bits = 0;
            for (char each : mode.toCharArray()) {
                bits = bits << 1 | (each == '-' ? 0 : 1);
            }
            Path file = directory.resolve("mode-" + bits);

            // When
            loops.listen(new ListenAddress.Unix(file, bits), Loops.options(false));

            // Then
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                    .isEqualTo(mode);
        }
    }

    @Test
    void shouldReplaceASocketFileThatNobodyListensOn() throws Exception { // checklist 131
        // Given
        Path file = directory.resolve("stale");
        try (var stale = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            stale.bind(UnixDomainSocketAddress.of(file));
        }
        assertThat(file).exists();

        // When
        loops.listen(new ListenAddress.Unix(file, 0600), Loops.options(false));

        // Then
        try (var client = SocketChannel.open(UnixDomainSocketAddress.of(file))) {
            assertThat(client.isConnected()).isTrue();
            loops.accept();
        }
    }

    @Test
    void shouldLeaveASocketFileAloneThatSomebodyListensOn() throws Exception {
        // Given
        Path file = directory.resolve("living");
        try (var living = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            living.bind(UnixDomainSocketAddress.of(file));

            // When, Then
            assertThatThrownBy(() -> loops.listen(new ListenAddress.Unix(file, 0600), Loops.options(false)))
                    .isInstanceOf(CompletionException.class)
                    .hasRootCauseMessage("another process listens on " + file);
            assertThat(file).exists();
        }
    }

    @Test
    void shouldNotRemoveAFileThatIsNoSocket() throws Exception {
        // Given
        Path file = Files.writeString(directory.resolve("precious"), "data");

        // When, Then
        assertThatThrownBy(() -> loops.listen(new ListenAddress.Unix(file, 0600), Loops.options(false)))
                .isInstanceOf(CompletionException.class)
                .hasRootCauseMessage(file + " is there and is not a socket");
        assertThat(file).hasContent("data");
    }

    private static boolean isRefused(Listener listener) {
        try {
            Loops.connect(listener).close();
            return false;
        } catch (IOException e) {
            return true;
        }
    }

    private static ListenAddress tcp(int port) {
        return new ListenAddress.Tcp(new InetSocketAddress("127.0.0.1", port));
    }

    private static int port(Listener listener) {
        return ((InetSocketAddress) listener.address()).getPort();
    }

    /// Listening sockets of a port, as Linux counts them.
    private static long listening(int port) throws IOException {
        long sum = 0;
        for (String family : List.of("tcp", "tcp6")) {
            try (var lines = Files.lines(Path.of("/proc/net", family))) {
                sum += lines.map(line -> line.strip().split("\\s+"))
                        .filter(columns -> columns.length > 3
                                && columns[1].endsWith(":%04X".formatted(port))
                                && columns[3].equals("0A"))
                        .count();
            }
        }
        return sum;
    }
}
