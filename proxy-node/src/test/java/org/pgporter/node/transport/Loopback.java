package org.pgporter.node.transport;

import com.typesafe.config.ConfigFactory;
import io.netty.buffer.ByteBuf;
import io.netty.channel.unix.DomainSocketAddress;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import org.apache.pekko.actor.BootstrapSetup;
import org.apache.pekko.actor.setup.ActorSystemSetup;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.stream.ActorAttributes;
import org.apache.pekko.stream.Attributes;
import org.apache.pekko.stream.javadsl.Keep;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.stream.javadsl.SinkQueueWithCancel;
import org.pgporter.node.tls.Negotiation;

/// Event loops with an actor system on them, and plain JDK sockets as peers.
final class Loopback implements AutoCloseable {
    private static final long SECONDS = 20;

    final EventLoops loops;
    final ActorSystem<Void> system;

    /// A socket that the transport has accepted, and its other end.
    record Pair(SocketHandle socket, SocketChannel peer) {}

    Loopback(IoKind kind, int count) {
        loops = EventLoops.start(kind, count, Duration.ZERO);
        system = ActorSystem.create(
                Behaviors.empty(),
                "loopback",
                ActorSystemSetup.create(
                        BootstrapSetup.create(loops.dispatcherConfig()
                                .withFallback(ConfigFactory.parseString("pekko.loglevel = WARNING"))
                                .withFallback(ConfigFactory.load())),
                        loops.setup()));
    }

    /// Every kind of I/O that works on this machine.
    static List<IoKind> kinds() {
        return Stream.of(IoKind.IO_URING, IoKind.EPOLL, IoKind.KQUEUE, IoKind.NIO)
                .filter(Loopback::works)
                .toList();
    }

    private static boolean works(IoKind kind) {
        try {
            Transport.of(kind);
            return true;
        } catch (TransportUnavailable _) {
            return false;
        }
    }

    static ListenAddress anyPort() {
        return new ListenAddress.Tcp(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
    }

    static ListenOptions options(boolean reusePort) {
        return new ListenOptions(128, reusePort, SocketOptions.plain(), Negotiation.NONE);
    }

    Listener listen(ListenAddress address, ListenOptions options, AcceptHandler handler) throws Exception {
        return await(Listeners.bind(loops, address, options, handler));
    }

    Pair pair() throws Exception {
        return pair(anyPort());
    }

    Pair pair(ListenAddress address) throws Exception {
        CompletableFuture<SocketHandle> accepted = new CompletableFuture<>();
        Listener listener = listen(address, options(false), (_, socket) -> accepted.complete(socket));
        try {
            SocketChannel peer = connect(jdkAddress(listener.address()));
            return new Pair(await(accepted), peer);
        } finally {
            await(listener.close());
        }
    }

    /// Netty's native transports have a type of their own for the addresses of Unix sockets.
    static SocketAddress jdkAddress(SocketAddress address) {
        return address instanceof DomainSocketAddress unix ? UnixDomainSocketAddress.of(unix.path()) : address;
    }

    static SocketChannel connect(SocketAddress address) throws IOException {
        return SocketChannel.open(address);
    }

    /// What the socket's peer sends, one chunk for each pull; one more may be on its way.
    SinkQueueWithCancel<ByteBuf> read(SocketHandle socket) {
        return socket.bytes()
                .toMat(Sink.queue(), Keep.right())
                .withAttributes(onLoopOf(socket))
                .run(system);
    }

    CompletionStage<?> echo(SocketHandle socket) {
        return socket.bytes()
                .toMat(Sink.foreach(socket::writeAndFlush), Keep.right())
                .withAttributes(onLoopOf(socket))
                .run(system);
    }

    Attributes onLoopOf(SocketHandle socket) {
        return ActorAttributes.dispatcher(loops.dispatcher(socket.loopIndex())).and(Attributes.inputBuffer(1, 1));
    }

    static <T> T on(SocketHandle socket, Callable<T> action) throws Exception {
        return socket.loop().submit(action).get(SECONDS, TimeUnit.SECONDS);
    }

    static void run(SocketHandle socket, Runnable action) throws Exception {
        socket.loop().submit(action).get(SECONDS, TimeUnit.SECONDS);
    }

    static <T> T await(CompletionStage<T> stage) throws ExecutionException, InterruptedException, TimeoutException {
        return stage.toCompletableFuture().get(SECONDS, TimeUnit.SECONDS);
    }

    static void send(SocketChannel peer, byte[] bytes) throws IOException {
        ByteBuffer out = ByteBuffer.wrap(bytes);
        while (out.hasRemaining()) {
            peer.write(out);
        }
    }

    static byte[] receive(SocketChannel peer, int count) throws IOException {
        ByteBuffer in = ByteBuffer.allocate(count);
        while (in.hasRemaining() && peer.read(in) >= 0) {
            // Until all is there.
        }
        return java.util.Arrays.copyOf(in.array(), in.position());
    }

    /// Byte number `index` of the data that tests send.
    static byte pattern(long index) {
        return (byte) (index * 31 + (index >>> 10));
    }

    static byte[] pattern(long from, int count) {
        byte[] bytes = new byte[count];
        for (int i = 0; i < count; i++) {
            bytes[i] = pattern(from + i);
        }
        return bytes;
    }

    @Override
    public void close() {
        system.terminate();
        system.getWhenTerminated()
                .toCompletableFuture()
                .orTimeout(SECONDS, TimeUnit.SECONDS)
                .join();
        loops.close();
    }
}
