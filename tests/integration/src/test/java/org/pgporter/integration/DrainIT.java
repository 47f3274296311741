package org.pgporter.integration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.pgporter.protocol.message.TransactionStatus.IDLE;
import static org.pgporter.protocol.message.TransactionStatus.IN_TRANSACTION;
import static org.pgporter.support.BackendMessages.commandComplete;
import static org.pgporter.support.BackendMessages.readyForQuery;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.pgporter.config.PoolMode;
import org.pgporter.support.RawClient;
import org.pgporter.support.ServerConversation;

/// How a node ends: politely, and if that takes too long, at once.
class DrainIT {
    @Test
    void shouldEndIdleSessionsAndLetTransactionsFinish() {
        try (Scene scene = Scene.with(node -> node.general(
                general -> general.withEventLoops(general.eventLoops().withWorkerThreads(1))))) {
            ServerConversation backend = scene.backend();
            RawClient idle = scene.client();
            RawClient busy = scene.client();
            RawClient waiting = scene.client();
            RawClient late = scene.connection();
            begin(busy, backend);
            waiting.sendsQuery("select 'waiting'");
            // Whoever is let in on the same loop after that comes after it.
            scene.client().terminates();

            CompletableFuture<Void> drained = drain(scene);

            assertThat(idle.expectsError("57P01").message())
                    .isEqualTo("terminating connection due to administrator command");
            idle.expectsClosed();
            late.sendsStartup(Scene.USER, Scene.DATABASE);
            late.expectsError("57P03");
            late.expectsClosed();
            RawClient later = scene.connection();
            later.sendsStartup(Scene.USER, Scene.DATABASE);
            later.expectsError("57P03");
            busy.sendsQuery("insert");
            backend.expectsQuery("insert");
            backend.sends(commandComplete("INSERT 0 1"), readyForQuery(IN_TRANSACTION));
            busy.expectsCommandComplete("INSERT 0 1");
            busy.expectsReadyForQuery(IN_TRANSACTION);
            assertThat(drained).isNotDone();
            busy.sendsQuery("commit");
            backend.expectsQuery("commit");
            backend.sends(commandComplete("COMMIT"), readyForQuery(IDLE));
            // No committed answer is lost.
            busy.expectsCommandComplete("COMMIT");
            busy.expectsReadyForQuery(IDLE);
            busy.expectsError("57P01");
            busy.expectsClosed();

            backend.expectsQuery("select 'waiting'");
            backend.sends(Scene.answer("waiting"));
            Scene.expectsAnswer(waiting, "waiting");
            waiting.expectsError("57P01");
            waiting.expectsClosed();
            drained.orTimeout(10, TimeUnit.SECONDS).join();
        }
    }

    @Test
    void shouldEndASessionOfSessionModeWhenItIsIdle() {
        try (Scene scene = Scene.with(node -> node.pools(pool -> pool.withPoolMode(PoolMode.SESSION)))) {
            ServerConversation backend = scene.backend();
            RawClient client = scene.client();
            Scene.converse(client, backend, "one"); // keeps its backend

            CompletableFuture<Void> drained = drain(scene);

            client.expectsError("57P01");
            client.expectsClosed();
            drained.orTimeout(10, TimeUnit.SECONDS).join();
        }
    }

    @Test
    void shouldEndTheRestAtTheDeadline() {
        try (Scene scene =
                Scene.with(node -> node.general(general -> general.withShutdownTimeout(Duration.ofMillis(300))))) {
            ServerConversation backend = scene.backend();
            RawClient client = scene.client();
            begin(client, backend);

            CompletableFuture<Void> drained = drain(scene);

            client.expectsError("57P01");
            client.expectsClosed();
            drained.orTimeout(10, TimeUnit.SECONDS).join();
        }
    }

    @Test
    void shouldEndTheRestWhenToldTwice() {
        try (Scene scene =
                Scene.with(node -> node.general(general -> general.withShutdownTimeout(Duration.ofMinutes(5))))) {
            ServerConversation backend = scene.backend();
            RawClient open = scene.client();
            RawClient running = scene.client();
            RawClient idle = scene.client();
            begin(open, backend);
            running.sendsQuery("select 'waits'");
            CompletableFuture<Void> drained = drain(scene);
            idle.expectsError("57P01");
            assertThat(drained).isNotDone();

            scene.node().node().stop();

            open.expectsError("57P01");
            open.expectsClosed();
            running.expectsError("57P01");
            running.expectsClosed();
            drained.orTimeout(10, TimeUnit.SECONDS).join();
        }
    }

    @Test
    void shouldNotWaitForWhoSaysNothing() {
        try (Scene scene = Scene.withOneBackend()) {
            scene.backend();
            RawClient silent = scene.connection();
            RawClient halfway = scene.connection();
            halfway.sendsStartup(Scene.USER, Scene.DATABASE);
            halfway.expects(org.pgporter.protocol.message.AuthenticationSasl.class);
            await().until(() -> scene.node().node().holdings().connectionPlaces() > 0);

            drain(scene).orTimeout(10, TimeUnit.SECONDS).join();

            halfway.expectsError("57P03");
            halfway.expectsClosed();
            assertThat(silent).isNotNull();
        }
    }

    private static CompletableFuture<Void> drain(Scene scene) {
        return scene.node().node().drain().toCompletableFuture();
    }

    private static void begin(RawClient client, ServerConversation backend) {
        client.sendsQuery("begin");
        backend.expectsQuery("begin");
        backend.sends(commandComplete("BEGIN"), readyForQuery(IN_TRANSACTION));
        client.expectsCommandComplete("BEGIN");
        client.expectsReadyForQuery(IN_TRANSACTION);
    }
}
