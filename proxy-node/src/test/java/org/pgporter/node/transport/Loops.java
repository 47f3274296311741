package org.pgporter.node.transport;

import io.netty.buffer.ByteBuf;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.pekko.actor.BootstrapSetup;
import org.apache.pekko.actor.setup.ActorSystemSetup;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.stream.ActorAttributes;
import org.apache.pekko.stream.Attributes;
import org.apache.pekko.stream.javadsl.Sink;

/// Event loops with an actor system on them, and one listening TCP socket whose connections are taken one by one.
final class Loops implements AutoCloseable {
    static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final InetSocketAddress ANY_PORT = new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);

    final EventLoops loops;
    final ActorSystem<Void> system;
    final BlockingQueue<SocketHandle> accepted = new LinkedBlockingQueue<>();

    private Loops(IoKind kind, int count) {
        loops = EventLoops.start(kind, count);
        system = ActorSystem.create(
                Behaviors.empty(),
                "loops",
                ActorSystemSetup.create(
                        BootstrapSetup.create(
                                loops.dispatcherConfig().withFallback(com.typesafe.config.ConfigFactory.load())),
                        loops.setup()));
    }

    static Loops start(IoKind kind, int count) {
        return new Loops(kind, count);
    }

    /// The kinds that work on this machine. NIO always does.
    static Stream<IoKind> kinds() {
        return Stream.of(IoKind.IO_URING, IoKind.EPOLL, IoKind.KQUEUE, IoKind.NIO)
                .filter(Loops::works);
    }

    private static boolean works(IoKind kind) {
        try {
            EventLoops.start(kind, 1).close();
            return true;
        } catch (TransportUnavailable e) {
            return false;
        }
    }

    static ListenOptions options(boolean reusePort) {
        return new ListenOptions(128, reusePort, SocketOptions.plain());
    }

    Listener listen() {
        return listen(new ListenAddress.Tcp(ANY_PORT), options(false));
    }

    Listener listen(ListenAddress address, ListenOptions options) {
        return done(Listeners.bind(loops, address, options, (_, socket) -> accepted.add(socket)));
    }

    SocketHandle accept() throws InterruptedException {
        SocketHandle next = accepted.poll(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        if (next == null) {
            throw new AssertionError("no connection was accepted");
        }
        return next;
    }

    static Socket connect(Listener listener) throws IOException {
        var address = (InetSocketAddress) listener.address();
        var socket = new Socket(address.getAddress(), address.getPort());
        socket.setSoTimeout((int) PATIENCE.toMillis());
        return socket;
    }

    /// Reads the socket into the sink, on the socket's loop and without buffers in between.
    <M> M read(SocketHandle socket, Sink<ByteBuf, M> sink) {
        return socket.bytes()
                .toMat(sink, org.apache.pekko.stream.javadsl.Keep.right())
                .withAttributes(ActorAttributes.dispatcher(loops.dispatcher(socket.loopIndex()))
                        .and(Attributes.inputBuffer(1, 1)))
                .run(system);
    }

    /// Does something on the socket's loop, where its methods are to be called.
    static <T> T on(SocketHandle socket, Callable<T> action) {
        try {
            return socket.loop().submit(action).get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    static void run(SocketHandle socket, Runnable action) {
        on(socket, () -> {
            action.run();
            return List.of();
        });
    }

    static <T> T done(CompletionStage<T> stage) {
        return stage.toCompletableFuture()
                .orTimeout(PATIENCE.toSeconds(), TimeUnit.SECONDS)
                .join();
    }

    @Override
    public void close() {
        system.terminate();
        done(system.getWhenTerminated());
        loops.close();
    }
}
