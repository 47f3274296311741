package org.pgporter.integration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.pgporter.protocol.message.TransactionStatus.IDLE;
import static org.pgporter.protocol.message.TransactionStatus.IN_TRANSACTION;
import static org.pgporter.support.BackendMessages.authenticationOk;
import static org.pgporter.support.BackendMessages.commandComplete;
import static org.pgporter.support.BackendMessages.emptyQueryResponse;
import static org.pgporter.support.BackendMessages.errorResponse;
import static org.pgporter.support.BackendMessages.readyForQuery;

import java.io.IOException;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.pgporter.protocol.message.Bytes;
import org.pgporter.protocol.message.CancelRequest;
import org.pgporter.protocol.message.ErrorResponse;
import org.pgporter.protocol.message.ProtocolVersion;
import org.pgporter.support.PostgresMajor;
import org.pgporter.support.RawClient;
import org.pgporter.support.ServerConversation;
import org.pgporter.support.TestPostgres;

/// A cancel request reaches what its session waits for now, and never anything else.
class CancelIT {
    @ParameterizedTest
    @EnumSource(PostgresMajor.class)
    void shouldCancelWhatRuns(PostgresMajor major) {
        TestPostgres postgres = TestPostgres.shared(major);
        postgres.createUser("canceller", "secret", "scram-sha-256");
        try (TestNode node = TestNode.inFrontOf(postgres.host(), postgres.port())
                        .user("postgres", "canceller", postgres.secretOf("canceller"))
                        .start();
                RawClient shortKey = RawClient.connects(node.host(), node.port());
                RawClient longKey = RawClient.connects(node.host(), node.port()).speaks(ProtocolVersion.V3_2)) {
            for (RawClient client : List.of(shortKey, longKey)) {
                client.logsIn("canceller", "secret", "postgres");
                client.sendsQuery("/* running */ select pg_sleep(60)");
                await().until(() -> postgres.rows("select 1 from pg_stat_activity"
                                        + " where usename = 'canceller' and wait_event = 'PgSleep'")
                                .size()
                        == 1);

                client.cancel();

                client.expects(org.pgporter.protocol.message.RowDescription.class);
                client.expectsError("57014");
                client.expectsReadyForQuery(IDLE);
                assertThat(client.query("select 1")).hasSize(1);
            }
        }
    }

    @Test
    void shouldSendTheBackendsOwnKey() { // checklist 65
        try (Scene scene = Scene.withOneBackend()) {
            ServerConversation backend = scene.backend();
            RawClient client = scene.client();
            client.sendsQuery("slow");
            backend.expectsQuery("slow");
            CompletableFuture<Void> cancelling = inBackground(client::cancel);

            ServerConversation cancel = scene.server().accept();
            CancelRequest request = cancel.expectsCancelRequest();
            assertThat(request.processId()).isEqualTo(backend.key().processId());
            assertThat(request.key()).isEqualTo(backend.key().secret());
            assertThat(client.backendKey()).isNotEqualTo(backend.key());
            // The client's own request is closed when the server has closed ours.
            assertThat(cancelling).isNotDone();
            cancel.closes();
            cancelling.orTimeout(10, TimeUnit.SECONDS).join();

            backend.sends(errorResponse("57014", "canceled"), readyForQuery(IDLE));
            client.expectsError("57014");
            client.expectsReadyForQuery(IDLE);
        }
    }

    /// The Vert.x client closes its socket as soon as the request is written. PostgreSQL honours that.
    @Test
    void shouldHonourARequestWhoseSenderDoesNotWait() throws IOException {
        try (Scene scene = Scene.withOneBackend()) {
            ServerConversation backend = scene.backend();
            RawClient client = scene.client();
            for (int round = 0; round < 20; round++) {
                client.sendsQuery("slow");
                backend.expectsQuery("slow");
                try (Socket sender =
                        new Socket(scene.node().host(), scene.node().port())) {
                    sender.getOutputStream()
                            .write(ByteBuffer.allocate(16)
                                    .putInt(16)
                                    .putInt(CancelRequest.CODE)
                                    .putInt(client.backendKey().processId())
                                    .put(client.backendKey().secret().toArray())
                                    .array());
                }

                ServerConversation cancel = scene.server().accept();
                assertThat(cancel.expectsCancelRequest().processId())
                        .isEqualTo(backend.key().processId());
                cancel.closes();
                backend.sends(errorResponse("57014", "canceled"), readyForQuery(IDLE));
                client.expectsError("57014");
                client.expectsReadyForQuery(IDLE);
            }
        }
    }

    @Test
    void shouldHoldTheBackendBackUntilTheCancelConnectionIsClosed() { // checklist 58
        try (Scene scene = Scene.withOneBackend()) {
            ServerConversation backend = scene.backend();
            RawClient client = scene.client();
            RawClient other = scene.client();
            client.sendsQuery("slow");
            backend.expectsQuery("slow");
            CompletableFuture<Void> cancelling = inBackground(client::cancel);
            ServerConversation cancel = scene.server().accept();
            cancel.expectsCancelRequest();
            // The query ends by itself while the signal is still on its way.
            backend.sends(commandComplete("SELECT 0"), readyForQuery(IDLE));
            client.expectsCommandComplete("SELECT 0");
            client.expectsReadyForQuery(IDLE);

            other.sendsQuery("select 'innocent'");
            CompletableFuture<Void> arrived = inBackground(() -> backend.expectsQuery("select 'innocent'"));
            await().during(300, TimeUnit.MILLISECONDS).until(() -> !arrived.isDone());
            cancel.closes();

            arrived.join();
            backend.sends(Scene.answer("innocent"));
            Scene.expectsAnswer(other, "innocent");
            cancelling.join();
        }
    }

    @Test
    void shouldGiveUpABackendWhoseCancelMayStillArrive() { // checklist 58
        try (Scene scene =
                Scene.with(node -> node.pools(pool -> pool.withConnectTimeout(java.time.Duration.ofMillis(300))))) {
            ServerConversation backend = scene.backend();
            RawClient client = scene.client();
            client.sendsQuery("slow");
            backend.expectsQuery("slow");
            CompletableFuture<Void> cancelling = inBackground(client::cancel);
            ServerConversation cancel = scene.server().accept();
            cancel.expectsCancelRequest();
            cancelling.join(); // given up: the server does not close

            backend.sends(commandComplete("SELECT 0"), readyForQuery(IDLE));
            client.expectsCommandComplete("SELECT 0");
            client.expectsReadyForQuery(IDLE);
            Scene.converse(client, scene.backend(), "on a fresh one");
            backend.expectsTerminate();
        }
    }

    @Test
    void shouldCancelWhatIsJustBeingLentABackend() { // checklist 59
        try (Scene scene = Scene.with(node -> node.pools(pool -> pool.withServerCheckDelay(java.time.Duration.ZERO)))) {
            ServerConversation backend = scene.backend();
            RawClient client = scene.client();
            client.sendsQuery("slow");
            backend.expectsQuery(""); // a sign of life, before the backend is lent
            CompletableFuture<Void> cancelling = inBackground(client::cancel);
            scene.client(); // takes longer than the cancel request needs to arrive

            backend.sends(emptyQueryResponse(), readyForQuery(IDLE));
            backend.expectsQuery("slow");
            ServerConversation cancel = scene.server().accept();
            cancel.expectsCancelRequest();
            cancel.closes();

            backend.sends(errorResponse("57014", "canceled"), readyForQuery(IDLE));
            client.expectsError("57014");
            client.expectsReadyForQuery(IDLE);
            cancelling.join();
        }
    }

    @Test
    void shouldLetTheRequestGoWhenTheBackendDiesOfIt() { // checklist 64
        try (Scene scene = Scene.withOneBackend()) {
            ServerConversation backend = scene.backend();
            RawClient client = scene.client();
            client.sendsQuery("slow");
            backend.expectsQuery("slow");
            CompletableFuture<Void> cancelling = inBackground(client::cancel);
            ServerConversation cancel = scene.server().accept();
            cancel.expectsCancelRequest();

            backend.closes();
            client.expectsError("08006");
            client.expectsClosed();
            scene.backend();
            cancel.closes();

            cancelling.orTimeout(10, TimeUnit.SECONDS).join();
        }
    }

    @Test
    void shouldLetTheRequestGoWhenTheClientLeaves() {
        try (Scene scene = Scene.withOneBackend()) {
            ServerConversation backend = scene.backend();
            RawClient client = scene.client();
            client.sendsQuery("slow");
            backend.expectsQuery("slow");
            CompletableFuture<Void> cancelling = inBackground(client::cancel);
            ServerConversation cancel = scene.server().accept();
            cancel.expectsCancelRequest();

            client.closes();
            backend.expectsTerminate();
            cancel.closes();

            cancelling.orTimeout(10, TimeUnit.SECONDS).join();
        }
    }

    // ---- nothing to cancel ---------------------------------------------------------------------------------------

    @Test
    void shouldDoNothingForAnIdleSession() { // checklist 59
        try (Scene scene = Scene.withOneBackend()) {
            ServerConversation backend = scene.backend();
            RawClient client = scene.client();
            client.cancel();
            Scene.converse(client, backend, "first");
            client.cancel();
            // Somebody else's query on the backend that this session has used.
            RawClient other = scene.client();
            other.sendsQuery("select 'other'");
            backend.expectsQuery("select 'other'");
            client.cancel();
            backend.sends(Scene.answer("other"));
            Scene.expectsAnswer(other, "other");

            assertThat(scene.server().connections()).isEqualTo(1);
        }
    }

    @Test
    void shouldDoNothingBetweenTheQueriesOfATransaction() { // checklist 59
        try (Scene scene = Scene.withOneBackend()) {
            ServerConversation backend = scene.backend();
            RawClient client = scene.client();
            client.sendsQuery("begin");
            backend.expectsQuery("begin");
            backend.sends(commandComplete("BEGIN"), readyForQuery(IN_TRANSACTION));
            client.expectsCommandComplete("BEGIN");
            client.expectsReadyForQuery(IN_TRANSACTION);

            client.cancel();

            assertThat(scene.server().connections()).isEqualTo(1);
        }
    }

    @Test
    void shouldIgnoreWrongKeys() { // checklist 62
        try (Scene scene = Scene.withOneBackend()) {
            ServerConversation backend = scene.backend();
            RawClient client = scene.client();
            client.sendsQuery("slow");
            backend.expectsQuery("slow");
            int pid = client.backendKey().processId();
            byte[] key = client.backendKey().secret().toArray();
            byte[] almost = key.clone();
            almost[3] ^= 1;

            for (byte[] wrong :
                    List.of(almost, new byte[4], new byte[32], new byte[256], new byte[] {key[0], 0, 0, 0})) {
                RawClient attempt = scene.connection();
                attempt.sends(new CancelRequest(pid, Bytes.of(wrong)));
                attempt.expectsClosed();
            }
            RawClient nobody = scene.connection();
            nobody.sends(new CancelRequest(pid + 1, Bytes.of(key)));
            nobody.expectsClosed();
            RawClient direct = scene.connection();
            direct.sends(
                    new CancelRequest(backend.key().processId(), backend.key().secret()));
            direct.expectsClosed();

            backend.sends(commandComplete("SELECT 0"), readyForQuery(IDLE));
            client.expectsCommandComplete("SELECT 0");
            assertThat(scene.server().connections()).isEqualTo(1);
        }
    }

    @Test
    void shouldForgetAKeyWithItsSession() {
        try (Scene scene = Scene.withOneBackend()) {
            scene.backend();
            RawClient client = scene.client();
            client.terminates();
            scene.node().awaitNothingHeld();
            client.cancel();
        }
    }

    // ---- waiting -----------------------------------------------------------------------------------------------

    @Test
    void shouldCancelAWaitingQueryAndKeepItsSession() { // checklist 60
        try (Scene scene = Scene.withOneBackend()) {
            ServerConversation backend = scene.backend();
            RawClient client = scene.client();
            RawClient waiting = scene.client();
            client.sendsQuery("slow");
            backend.expectsQuery("slow");
            waiting.sendsQuery("select 'waiting'");
            // A cancel that overtakes the query finds nothing to cancel, so it may take two.
            CompletableFuture<ErrorResponse> error = CompletableFuture.supplyAsync(
                    () -> waiting.expectsError("57014"), Executors.newVirtualThreadPerTaskExecutor());
            await().until(() -> {
                waiting.cancel();
                return error.isDone();
            });
            assertThat(error.join().fields()).containsEntry('S', "ERROR");
            waiting.expectsReadyForQuery(IDLE);

            backend.sends(commandComplete("SELECT 0"), readyForQuery(IDLE));
            client.expectsCommandComplete("SELECT 0");
            client.expectsReadyForQuery(IDLE);
            Scene.converse(waiting, backend, "next");
        }
    }

    // ---- keys of servers -----------------------------------------------------------------------------------------

    @ParameterizedTest
    @ValueSource(ints = {4, 5, 32, 255, 256})
    void shouldReturnAKeyAsLongAsItCame(int length) { // checklist 65, 66
        byte[] secret = new byte[length];
        new java.util.Random(length).nextBytes(secret);
        try (Scene scene = Scene.withOneBackend()) {
            ServerConversation backend = scene.server().accept();
            backend.expectsStartup();
            backend.hasKey(-7, secret).acceptsLogin();
            RawClient client = scene.client();
            client.sendsQuery("slow");
            backend.expectsQuery("slow");
            CompletableFuture<Void> cancelling = inBackground(client::cancel);

            ServerConversation cancel = scene.server().accept();
            assertThat(cancel.expectsCancelRequest()).isEqualTo(new CancelRequest(-7, Bytes.of(secret)));
            cancel.closes();
            cancelling.join();
        }
    }

    @Test
    void shouldLiveWithABackendThatGivesNoKey() { // checklist 65
        try (Scene scene = Scene.withOneBackend()) {
            ServerConversation backend = scene.server().accept();
            backend.expectsStartup();
            backend.sends(authenticationOk(), readyForQuery(IDLE));
            RawClient client = scene.client();
            client.sendsQuery("slow");
            backend.expectsQuery("slow");

            client.cancel();

            backend.sends(commandComplete("SELECT 0"), readyForQuery(IDLE));
            client.expectsCommandComplete("SELECT 0");
            client.expectsReadyForQuery(IDLE);
            assertThat(scene.server().connections()).isEqualTo(1);
        }
    }

    private static CompletableFuture<Void> inBackground(Runnable work) {
        return CompletableFuture.runAsync(work, Executors.newVirtualThreadPerTaskExecutor());
    }
}
