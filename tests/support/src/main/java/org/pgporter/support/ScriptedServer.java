package org.pgporter.support;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;

/// A server that does what the test says, also what PostgreSQL never would. It listens on a port of the loopback
/// interface.
///
/// ```java
/// try (var server = ScriptedServer.start()) {
///     …                                       // something connects
///     var conversation = server.accept();
///     conversation.expectsStartup();
///     conversation.acceptsLogin();
///     conversation.expectsQuery("select 1");
///     conversation.sends(rowDescription("a"), dataRow("1"), commandComplete("SELECT 1"), readyForQuery(IDLE));
/// }
/// ```
///
/// Instead of accepting connections one by one, [#serve(Consumer)] lets a handler speak on each in a thread of its own;
/// what
/// goes wrong in there comes out of [#close()].
public final class ScriptedServer implements AutoCloseable {
    private final ServerSocketChannel listener;
    private final int port;
    private final BlockingQueue<ServerConversation> waiting = new LinkedBlockingQueue<>();
    private final Queue<ServerConversation> all = new ConcurrentLinkedQueue<>();
    private final Queue<Throwable> failures = new ConcurrentLinkedQueue<>();
    private final AtomicInteger connections = new AtomicInteger();
    private final Object handlerLock = new Object();
    private Optional<Consumer<ServerConversation>> handler = Optional.empty();
    private volatile boolean closed;

    private ScriptedServer(ServerSocketChannel listener, int port) {
        this.listener = listener;
        this.port = port;
    }

    /// Listens on a free port.
    public static ScriptedServer start() {
        return start(0);
    }

    /// Listens on this port, for example the one of a server that was closed.
    public static ScriptedServer start(int port) {
        try {
            var listener = ServerSocketChannel.open();
            listener.bind(new InetSocketAddress(InetAddress.getByName(TestPostgres.HOST), port));
            var server = new ScriptedServer(listener, ((InetSocketAddress) listener.getLocalAddress()).getPort());
            Thread.ofVirtual().name("scripted-server").start(server::acceptAll);
            return server;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public String host() {
        return TestPostgres.HOST;
    }

    public int port() {
        return port;
    }

    /// How many connections were accepted so far, open or not.
    public int connections() {
        return connections.get();
    }

    /// Waits for the next connection.
    public ServerConversation accept() {
        try {
            var next = Optional.ofNullable(waiting.poll(WireSocket.PATIENCE.toSeconds(), TimeUnit.SECONDS));
            return next.orElseThrow(() -> new AssertionError("nobody connected within "
                    + WireSocket.PATIENCE.toSeconds() + " s; " + connections + " had before"));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted while waiting for a connection", e);
        }
    }

    /// From now on the handler speaks on every connection, each in a virtual thread of its own. Its connection is
    /// closed
    /// when it returns.
    public ScriptedServer serve(Consumer<ServerConversation> newHandler) {
        synchronized (handlerLock) {
            handler = Optional.of(newHandler);
            for (var next = waiting.poll(); next != null; next = waiting.poll()) {
                handle(next, newHandler);
            }
        }
        return this;
    }

    /// What went wrong in handlers so far.
    public List<Throwable> failures() {
        return List.copyOf(failures);
    }

    private void acceptAll() {
        while (true) {
            try {
                take(listener.accept());
            } catch (IOException e) {
                if (!closed) {
                    failures.add(e);
                }
                return;
            }
        }
    }

    private void take(SocketChannel channel) throws IOException {
        var number = connections.incrementAndGet();
        var transcript = new Transcript("connection " + number + " of the scripted server on port " + port);
        var conversation = new ServerConversation(new WireSocket(channel, transcript), transcript);
        all.add(conversation);
        if (closed) {
            conversation.closes();
        }
        synchronized (handlerLock) {
            handler.ifPresentOrElse(it -> handle(conversation, it), () -> waiting.add(conversation));
        }
    }

    private void handle(ServerConversation conversation, Consumer<ServerConversation> with) {
        Thread.ofVirtual().name("scripted-conversation").start(() -> {
            try (conversation) {
                with.accept(conversation);
            } catch (RuntimeException | AssertionError e) {
                // Handlers that were still waiting when the test ended have not failed.
                if (!closed) {
                    failures.add(e);
                }
            }
        });
    }

    /// Stops listening and closes all connections.
    ///
    /// @throws AssertionError when a handler had failed before
    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        try {
            listener.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        all.forEach(ServerConversation::closes);
        if (!failures.isEmpty()) {
            var error = new AssertionError("a conversation failed: " + failures.peek(), failures.peek());
            failures.stream().skip(1).forEach(error::addSuppressed);
            throw error;
        }
    }
}
