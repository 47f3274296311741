package org.pgporter.node.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.pgporter.node.transport.Loopback.await;
import static org.pgporter.node.transport.Loopback.connect;
import static org.pgporter.node.transport.Loopback.options;
import static org.pgporter.node.transport.Loopback.pattern;
import static org.pgporter.node.transport.Loopback.receive;
import static org.pgporter.node.transport.Loopback.run;
import static org.pgporter.node.transport.Loopback.send;

import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;
import org.pgporter.node.transport.Loopback.Pair;

@Timeout(value = 40, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
@ParameterizedClass
@MethodSource("org.pgporter.node.transport.Loopback#kinds")
final class ListenersIT {
    @SuppressWarnings("NullAway.Init") // set before each round of the class
    private static Loopback loopback;

    private final BlockingQueue<SocketHandle> accepted = new LinkedBlockingQueue<>();
    private final Set<String> accepts = ConcurrentHashMap.newKeySet();

    @TempDir
    private Path folder;

    @BeforeParameterizedClassInvocation
    static void open(IoKind kind) {
        loopback = new Loopback(kind, 2);
    }

    @AfterParameterizedClassInvocation
    static void close() {
        loopback.close();
    }

    ListenersIT(IoKind kind) {
        assertThat(loopback.loops.kind()).isEqualTo(kind);
    }

    @Test
    void shouldDealConnectionsToAllLoopsInTurn() throws Exception { // checklist 26
        Listener listener = loopback.listen(Loopback.anyPort(), options(false), this::accepted);
        List<SocketChannel> peers = connectMany(listener.address(), 6);
        List<Integer> loops = new ArrayList<>();
        for (SocketHandle socket : takeAccepted(6)) {
            loops.add(socket.loopIndex());
        }
        assertThat(loops).containsExactlyInAnyOrder(0, 0, 0, 1, 1, 1);
        assertThat(accepts).containsExactlyInAnyOrder("0 on pgporter-loop-0", "1 on pgporter-loop-1");
        await(listener.close());
        closeAll(peers);
    }

    @Test
    void shouldShareAPortWithAnotherListener() throws Exception {
        // Given
        BlockingQueue<SocketHandle> byEither = new LinkedBlockingQueue<>();
        Listener first = loopback.listen(Loopback.anyPort(), options(true), (loop, socket) -> {
            accepted(loop, socket);
            byEither.add(socket);
        });
        ListenAddress samePort = new ListenAddress.Tcp((InetSocketAddress) first.address());
        BlockingQueue<SocketHandle> bySecond = new LinkedBlockingQueue<>();
        Listener second = loopback.listen(samePort, options(true), (_, socket) -> {
            bySecond.add(socket);
            byEither.add(socket);
        });
        // When so many that chance leaves no socket out
        List<SocketChannel> peers = connectMany(first.address(), 100);
        for (int i = 0; i < 100; i++) {
            assertThat(byEither.poll(20, TimeUnit.SECONDS)).isNotNull();
        }
        // Then
        assertThat(byEither).isEmpty();
        assertThat(accepted).isNotEmpty();
        assertThat(bySecond).isNotEmpty();
        assertThat(accepts).containsExactlyInAnyOrder("0 on pgporter-loop-0", "1 on pgporter-loop-1");
        // When the first leaves
        await(first.close());
        int before = accepted.size();
        peers.addAll(connectMany(second.address(), 10));
        // Then the second goes on
        for (int i = 0; i < 10; i++) {
            assertThat(byEither.poll(20, TimeUnit.SECONDS)).isNotNull();
        }
        assertThat(accepted).hasSize(before);
        await(second.close());
        closeAll(peers);
    }

    @Test
    void shouldRefuseAPortThatIsTaken() throws Exception {
        Listener listener = loopback.listen(Loopback.anyPort(), options(false), this::accepted);
        ListenAddress samePort = new ListenAddress.Tcp((InetSocketAddress) listener.address());
        assertThatThrownBy(() -> loopback.listen(samePort, options(false), this::accepted))
                .hasMessageContaining("Address already in use");
        await(listener.close());
    }

    @Test
    void shouldSpeakOverUnixSockets() throws Exception {
        Path path = folder.resolve("s");
        Pair pair = loopback.pair(new ListenAddress.Unix(path, 0600));
        loopback.echo(pair.socket());
        send(pair.peer(), pattern(0, 5000));
        assertThat(receive(pair.peer(), 5000)).isEqualTo(pattern(0, 5000));
        pair.peer().shutdownOutput();
        run(pair.socket(), pair.socket()::closeAfterFlush);
        assertThat(receive(pair.peer(), 1)).isEmpty();
        pair.peer().close();
    }

    @Test
    void shouldGiveTheSocketFileItsPermissionsAndRemoveItAtTheEnd() throws Exception {
        Path path = folder.resolve("s");
        Listener listener = listenUnix(path);
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(path)))
                .isEqualTo("rw-rw----");
        assertThat(Loopback.jdkAddress(listener.address())).isEqualTo(UnixDomainSocketAddress.of(path));
        await(listener.close());
        try (var files = Files.list(folder)) {
            assertThat(files).isEmpty();
        }
    }

    @Test
    void shouldReplaceASocketFileThatNobodyAnswers() throws Exception {
        Path path = folder.resolve("s");
        try (ServerSocketChannel crashed = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            crashed.bind(UnixDomainSocketAddress.of(path));
        }
        assertThat(path).exists();
        Listener listener = listenUnix(path);
        connect(UnixDomainSocketAddress.of(path)).close();
        takeAccepted(1);
        await(listener.close());
    }

    @Test
    void shouldLeaveASocketAloneThatSomebodyListensOn() throws Exception {
        Path path = folder.resolve("s");
        try (ServerSocketChannel living = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            living.bind(UnixDomainSocketAddress.of(path));
            assertThatThrownBy(() -> listenUnix(path)).hasMessageContaining("another process listens on " + path);
            connect(UnixDomainSocketAddress.of(path)).close();
        }
    }

    @Test
    void shouldLeaveAFileAloneThatIsNoSocket() throws Exception {
        Path path = Files.writeString(folder.resolve("precious"), "data");
        assertThatThrownBy(() -> listenUnix(path)).hasMessageContaining(path + " exists and is no socket");
        assertThat(path).hasContent("data");
    }

    @Test
    void shouldNotRemoveASocketFileOfAnother() throws Exception {
        Path path = folder.resolve("s");
        Listener listener = listenUnix(path);
        Files.delete(path);
        try (ServerSocketChannel other = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            other.bind(UnixDomainSocketAddress.of(path));
            await(listener.close());
            connect(UnixDomainSocketAddress.of(path)).close();
        }
    }

    private Listener listenUnix(Path path) throws Exception {
        return loopback.listen(new ListenAddress.Unix(path, 0660), options(false), this::accepted);
    }

    private void accepted(int loop, SocketHandle socket) {
        accepts.add(loop + " on " + Thread.currentThread().getName());
        accepted.add(socket);
    }

    private List<SocketHandle> takeAccepted(int count) throws InterruptedException {
        List<SocketHandle> sockets = new ArrayList<>();
        while (sockets.size() < count) {
            SocketHandle socket = accepted.poll(20, TimeUnit.SECONDS);
            assertThat(socket).as("accepted socket " + sockets.size()).isNotNull();
            sockets.add(socket);
        }
        return sockets;
    }

    private static List<SocketChannel> connectMany(SocketAddress address, int count) throws Exception {
        List<SocketChannel> peers = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            peers.add(connect(address));
        }
        return peers;
    }

    private static void closeAll(List<SocketChannel> peers) throws Exception {
        for (SocketChannel peer : peers) {
            peer.close();
        }
    }
}
