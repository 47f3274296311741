package org.pgporter.node.pool;

import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import org.pgporter.protocol.message.ErrorResponse;
import org.pgporter.protocol.message.Terminate;
import org.pgporter.support.ScriptedServer;
import org.pgporter.support.ServerConversation;

/// A server that only lets in, refuses and counts.
final class FakePostgres implements AutoCloseable {
    private final ScriptedServer server;
    private final Semaphore logins = new Semaphore(0);
    private volatile Optional<ErrorResponse> refusal = Optional.empty();

    final BlockingQueue<ServerConversation> loggedIn = new LinkedBlockingQueue<>();
    final AtomicInteger opening = new AtomicInteger();
    final AtomicInteger mostOpening = new AtomicInteger();
    final AtomicInteger open = new AtomicInteger();
    final AtomicInteger mostOpen = new AtomicInteger();

    /// Accepted and not closed, whether logged in or not.
    final AtomicInteger present = new AtomicInteger();

    final AtomicInteger mostPresent = new AtomicInteger();

    private FakePostgres(ScriptedServer server) {
        this.server = server;
        server.serve(this::speak);
    }

    static FakePostgres start() {
        var postgres = new FakePostgres(ScriptedServer.start());
        postgres.letIn(1_000_000);
        return postgres;
    }

    /// Logins stay without an answer until [#letIn].
    static FakePostgres startSlow() {
        return new FakePostgres(ScriptedServer.start());
    }

    static FakePostgres startOn(int port) {
        var postgres = new FakePostgres(ScriptedServer.start(port));
        postgres.letIn(1_000_000);
        return postgres;
    }

    void letIn(int many) {
        logins.release(many);
    }

    void refuse(ErrorResponse error) {
        refusal = Optional.of(error);
    }

    void refuseNoMore() {
        refusal = Optional.empty();
    }

    int port() {
        return server.port();
    }

    int connections() {
        return server.connections();
    }

    private void speak(ServerConversation client) {
        mostPresent.accumulateAndGet(present.incrementAndGet(), Math::max);
        try {
            letInOrRefuse(client);
        } finally {
            present.decrementAndGet();
        }
    }

    private void letInOrRefuse(ServerConversation client) {
        mostOpening.accumulateAndGet(opening.incrementAndGet(), Math::max);
        client.expectsStartup();
        logins.acquireUninterruptibly();
        opening.decrementAndGet();
        refusal.ifPresentOrElse(client::sends, () -> serve(client));
    }

    private void serve(ServerConversation client) {
        mostOpen.accumulateAndGet(open.incrementAndGet(), Math::max);
        try {
            client.acceptsLogin();
            loggedIn.add(client);
            while (client.expectsAny()
                    .filter(message -> !(message instanceof Terminate))
                    .isPresent()) {}
        } finally {
            open.decrementAndGet();
        }
    }

    @Override
    public void close() {
        server.close();
    }
}
