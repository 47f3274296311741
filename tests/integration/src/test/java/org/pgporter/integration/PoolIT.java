package org.pgporter.integration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.pgporter.protocol.message.TransactionStatus.FAILED;
import static org.pgporter.protocol.message.TransactionStatus.IDLE;
import static org.pgporter.protocol.message.TransactionStatus.IN_TRANSACTION;
import static org.pgporter.support.BackendMessages.commandComplete;
import static org.pgporter.support.BackendMessages.copyInResponse;
import static org.pgporter.support.BackendMessages.emptyQueryResponse;
import static org.pgporter.support.BackendMessages.errorResponse;
import static org.pgporter.support.BackendMessages.fatalResponse;
import static org.pgporter.support.BackendMessages.readyForQuery;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.pgporter.config.PoolMode;
import org.pgporter.protocol.message.ErrorResponse;
import org.pgporter.protocol.message.Execute;
import org.pgporter.protocol.message.Parse;
import org.pgporter.protocol.message.Query;
import org.pgporter.protocol.message.Sync;
import org.pgporter.protocol.message.Terminate;
import org.pgporter.support.RawClient;
import org.pgporter.support.ScriptedServer;
import org.pgporter.support.ServerConversation;

/// Who gets a backend connection, in which state, and what happens when there is none.
class PoolIT {
    // ---- no backend ----------------------------------------------------------------------------------------------

    @Test
    void shouldSayWhyTheBackendCannotBeReachedAndKeepTheSession() {
        try (Scene scene = Scene.with(node -> node.pools(pool -> pool.withMinPoolSize(0)))) {
            scene.server().serve(PoolIT::servesOneQuery);
            RawClient client = scene.client();
            client.query("select 1"); // its backend is closed after that
            int port = scene.server().port();
            scene.server().close();
            // Not before the node knows: a query on its way to a closing backend ends the session, as with PostgreSQL.
            await().until(() -> scene.node().node().permitsHeld(Scene.DATABASE, Scene.USER) == 0);

            ErrorResponse error = client.queryExpectingError("select 2");

            assertThat(error.sqlState().code()).isEqualTo("08006");
            assertThat(error.fields()).containsEntry('S', "ERROR");
            assertThat(error.message()).contains("refused");
            RawClient late = scene.connection();
            // Pipelines get one error, and every Sync its answer.
            client.sends(
                    new Parse("", "a", java.util.List.of()), RawClient.bind("", ""), new Execute("", 0), new Sync());
            client.expectsError("08006");
            client.expectsReadyForQuery(IDLE);
            try (ScriptedServer _ = ScriptedServer.start(port).serve(PoolIT::servesQueries)) {
                await().ignoreException(AssertionError.class)
                        .until(() -> client.query("select 3").size() == 1);
                late.logsIn(Scene.USER, Scene.PASSWORD, Scene.DATABASE);
            }
        }
    }

    @Test
    void shouldRefuseALoginWhenThereNeverWasABackend() {
        try (Scene scene = Scene.with(node -> node.pools(pool -> pool.withMinPoolSize(0)))) {
            scene.server().close();

            ErrorResponse error = scene.connection().logsInExpectingError(Scene.USER, Scene.PASSWORD, Scene.DATABASE);

            assertThat(error.sqlState().code()).isEqualTo("08006");
            assertThat(error.fields()).containsEntry('S', "FATAL");
        }
    }

    @Test
    void shouldBackOffFromABackendThatRefuses() {
        try (Scene scene = Scene.with(
                node -> node.pools(pool -> pool.withMinPoolSize(0).withServerLoginRetry(Duration.ofSeconds(30))))) {
            scene.server().serve(backend -> {
                backend.expectsStartup();
                backend.sends(fatalResponse("3D000", "database \"shop\" does not exist"));
            });
            for (int i = 0; i < 20; i++) {
                ErrorResponse error =
                        scene.connection().logsInExpectingError(Scene.USER, Scene.PASSWORD, Scene.DATABASE);
                assertThat(error.message()).isEqualTo("database \"shop\" does not exist");
            }
            assertThat(scene.server().connections()).isEqualTo(1);
        }
    }

    // ---- backends that die ---------------------------------------------------------------------------------------

    @Test
    void shouldNotNoticeThatAnIdleBackendDied() { // checklist 109, 121
        try (Scene scene = Scene.withOneBackend()) {
            ServerConversation backend = scene.backend();
            RawClient client = scene.client();
            Scene.converse(client, backend, "first");
            backend.sends(fatalResponse("57P01", "terminating connection due to administrator command"));
            backend.closes();

            Scene.converse(client, scene.backend(), "second");
        }
    }

    @Test
    void shouldServeWithAnotherWhenTheCheckFindsTheBackendDead() { // checklist 109, 120
        try (Scene scene = Scene.with(node -> node.pools(pool -> pool.withServerCheckDelay(Duration.ZERO)))) {
            ServerConversation backend = scene.backend();
            RawClient client = scene.client();
            client.sendsQuery("select 'word'");
            backend.expectsQuery("");
            backend.closes();

            ServerConversation fresh = scene.backend();
            fresh.expectsQuery("");
            fresh.sends(emptyQueryResponse(), readyForQuery(IDLE));
            fresh.expectsQuery("select 'word'");
            fresh.sends(Scene.answer("word"));
            Scene.expectsAnswer(client, "word");
        }
    }

    @Test
    void shouldServeWithAnotherWhenTheCheckIsAnsweredWithNonsense() {
        try (Scene scene = Scene.with(node -> node.pools(pool -> pool.withServerCheckDelay(Duration.ZERO)))) {
            ServerConversation backend = scene.backend();
            RawClient client = scene.client();
            client.sendsQuery("select 'word'");
            backend.expectsQuery("");
            backend.sendsRaw((byte) '!', (byte) 0, (byte) 0, (byte) 0, (byte) 4);

            ServerConversation fresh = scene.backend();
            fresh.expectsQuery("");
            fresh.sends(emptyQueryResponse(), readyForQuery(IDLE));
            fresh.expectsQuery("select 'word'");
            fresh.sends(Scene.answer("word"));
            Scene.expectsAnswer(client, "word");
        }
    }

    @Test
    void shouldTellTheClientWhenAnAnswerCannotBeRead() {
        try (Scene scene = Scene.withOneBackend()) {
            ServerConversation backend = scene.backend();
            RawClient client = scene.client();
            RawClient other = scene.client();
            client.sendsQuery("select 'word'");
            backend.expectsQuery("select 'word'");
            // A ReadyForQuery, well framed, with a transaction status that does not exist.
            backend.sendsRaw((byte) 'Z', (byte) 0, (byte) 0, (byte) 0, (byte) 5, (byte) '?');

            client.expectsError("08006");
            client.expectsClosed();
            Scene.converse(other, scene.backend(), "not disturbed");
        }
    }

    /// What a session has left is asked for within the time of any cycle of ours, or nobody would ever hear again.
    @Test
    void shouldGiveUpABackendThatDoesNotSayWhatASessionHasLeft() {
        try (Scene scene = Scene.with(node -> node.pools(pool -> pool.withConnectTimeout(Duration.ofMillis(500))))) {
            ServerConversation backend = scene.backend();
            RawClient client = scene.client();
            client.sendsQuery("set work_mem = '1MB'");
            backend.expectsQuery("set work_mem = '1MB'");
            backend.sends(commandComplete("SET"), readyForQuery(IDLE));
            client.expectsCommandComplete("SET");
            client.expectsReadyForQuery(IDLE);
            backend.expects(Parse.class);

            client.expectsError("08006");
            client.expectsClosed();
            Scene.converse(scene.client(), scene.backend(), "next");
        }
    }

    @Test
    void shouldNotWaitForCopyDataOfAClientThatHasSaidGoodbye() { // checklist 75, 108
        try (Scene scene = Scene.withOneBackend()) {
            ServerConversation backend = scene.backend();
            RawClient client = scene.client();
            RawClient other = scene.client();
            client.sends(new Query("copy t from stdin"), new Terminate());
            backend.expectsQuery("copy t from stdin");
            backend.sends(copyInResponse(1));

            backend.expectsTerminate();
            ServerConversation one = scene.server().accept();
            ServerConversation fresh = Scene.cancelAndLogin(one, scene.server().accept());
            Scene.converse(other, fresh, "has a backend");
        }
    }

    @Test
    void shouldNotReuseABackendThatTalksToNobody() { // checklist 110
        try (Scene scene = Scene.withOneBackend()) {
            ServerConversation backend = scene.backend();
            RawClient client = scene.client();
            Scene.converse(client, backend, "first");
            backend.sends(commandComplete("UNASKED"), readyForQuery(IDLE));

            ServerConversation fresh = scene.backend();
            backend.expectsTerminate();
            Scene.converse(client, fresh, "second");
        }
    }

    // ---- the queue ---------------------------------------------------------------------------------------------

    @Test
    void shouldTellWhoHasWaitedTooLong() {
        try (Scene scene = Scene.with(node -> node.pools(pool -> pool.withQueryWaitTimeout(Duration.ofMillis(200))))) {
            ServerConversation backend = scene.backend();
            RawClient client = scene.client();
            RawClient waiting = scene.client();
            client.sendsQuery("slow");
            backend.expectsQuery("slow");

            ErrorResponse error = waiting.queryExpectingError("select 1");

            assertThat(error.sqlState().code()).isEqualTo("53300");
            assertThat(error.fields()).containsEntry('S', "ERROR");
            assertThat(error.message()).contains("query_wait_timeout");
            backend.sends(Scene.answer("slow"));
            Scene.expectsAnswer(client, "slow");
            Scene.converse(waiting, backend, "served");
        }
    }

    @Test
    void shouldServeInTheOrderOfAskingAndForgetWhoHasLeft() { // checklist 119
        try (Scene scene = Scene.withOneBackend()) {
            ServerConversation backend = scene.backend();
            RawClient client = scene.client();
            client.sendsQuery("begin");
            backend.expectsQuery("begin");
            RawClient leaving = scene.client();
            RawClient second = scene.client();
            RawClient third = scene.client();
            leaving.sendsQuery("select 'leaving'");
            leaving.closes();
            await().until(() -> scene.node().node().holdings().cancelKeys() == 3);
            second.sendsQuery("select 'second'");
            // The third asks after the second, because it is let in after it.
            third.sendsQuery("select 'third'");
            backend.sends(commandComplete("BEGIN"), readyForQuery(IDLE));

            for (int i = 0; i < 2; i++) {
                String sql = backend.expects(org.pgporter.protocol.message.Query.class)
                        .sql();
                String word = sql.contains("second") ? "second" : "third";
                assertThat(sql).isEqualTo("select '" + word + "'");
                backend.sends(Scene.answer(word));
                Scene.expectsAnswer(word.equals("second") ? second : third, word);
            }
        }
    }

    // ---- clients that leave ----------------------------------------------------------------------------------------

    @Test
    void shouldRollBackForAClientThatLeavesItsTransaction() { // checklist 108
        try (Scene scene = Scene.withOneBackend()) {
            ServerConversation backend = scene.backend();
            for (boolean polite : new boolean[] {true, false}) {
                RawClient client = inTransaction(scene, backend);
                RawClient other = scene.client();
                if (polite) {
                    client.terminates();
                } else {
                    client.resets();
                }
                backend.expectsQuery("ROLLBACK");
                other.sendsQuery("select 'other'");
                backend.sends(commandComplete("ROLLBACK"), readyForQuery(IDLE));
                backend.expectsQuery("select 'other'");
                backend.sends(Scene.answer("other"));
                Scene.expectsAnswer(other, "other");
            }
        }
    }

    @Test
    void shouldGiveUpABackendThatDoesNotRollBack() { // checklist 108
        try (Scene scene = Scene.withOneBackend()) {
            ServerConversation backend = scene.backend();
            inTransaction(scene, backend).terminates();
            backend.expectsQuery("ROLLBACK");
            backend.sends(errorResponse("XX000", "cannot"), readyForQuery(FAILED));

            backend.expectsTerminate();
            Scene.converse(scene.client(), scene.backend(), "next");
        }
    }

    @Test
    void shouldCancelTheQueryOfAClientThatVanishes() { // checklist 108
        try (Scene scene = Scene.withOneBackend()) {
            ServerConversation backend = scene.backend();
            RawClient client = scene.client();
            client.sendsQuery("slow");
            backend.expectsQuery("slow");

            client.resets();

            ServerConversation fresh =
                    Scene.cancelAndLogin(scene.server().accept(), scene.server().accept());
            backend.expectsTerminate();
            backend.expectsClosed();
            Scene.converse(scene.client(), fresh, "next");
        }
    }

    // ---- modes -----------------------------------------------------------------------------------------------------

    @Test
    void shouldCleanTheBackendBetweenSessions() {
        try (Scene scene = Scene.with(node -> node.pools(pool -> pool.withPoolMode(PoolMode.SESSION)))) {
            ServerConversation backend = scene.backend();
            RawClient first = scene.client();
            RawClient second = scene.client();
            Scene.converse(first, backend, "one");
            second.sendsQuery("select 'second'");
            Scene.converse(first, backend, "two"); // the session keeps its backend

            first.terminates();
            backend.expectsQuery("DISCARD ALL");
            backend.sends(commandComplete("DISCARD ALL"), readyForQuery(IDLE));

            backend.expectsQuery("select 'second'");
            backend.sends(Scene.answer("second"));
            Scene.expectsAnswer(second, "second");
        }
    }

    @Test
    void shouldRollBackBeforeItCleans() {
        try (Scene scene = Scene.with(node ->
                node.pools(pool -> pool.withPoolMode(PoolMode.SESSION).withServerResetQuery("select clean()")))) {
            ServerConversation backend = scene.backend();
            inTransaction(scene, backend).closes();
            backend.expectsQuery("ROLLBACK");
            backend.sends(commandComplete("ROLLBACK"), readyForQuery(IDLE));
            backend.expectsQuery("select clean()");
            backend.sends(Scene.answer("clean"));
            Scene.converse(scene.client(), backend, "next");
        }
    }

    @Test
    void shouldGiveUpABackendThatCannotBeCleaned() {
        try (Scene scene = Scene.with(node -> node.pools(pool -> pool.withPoolMode(PoolMode.SESSION)))) {
            ServerConversation backend = scene.backend();
            RawClient first = scene.client();
            Scene.converse(first, backend, "one");
            first.terminates();
            backend.expectsQuery("DISCARD ALL");
            backend.sends(errorResponse("42501", "not allowed"), readyForQuery(IDLE));

            backend.expectsTerminate();
            Scene.converse(scene.client(), scene.backend(), "next");
        }
    }

    @Test
    void shouldRefuseTransactionBlocksInStatementMode() { // checklist 83
        try (Scene scene = Scene.with(node -> node.pools(pool -> pool.withPoolMode(PoolMode.STATEMENT)))) {
            ServerConversation backend = scene.backend();
            RawClient client = scene.client();
            Scene.converse(client, backend, "one");
            client.sendsQuery("begin");
            backend.expectsQuery("begin");
            backend.sends(commandComplete("BEGIN"), readyForQuery(IN_TRANSACTION));
            backend.expectsQuery("ROLLBACK");
            backend.sends(commandComplete("ROLLBACK"), readyForQuery(IDLE));

            client.expectsCommandComplete("BEGIN");
            client.expectsReadyForQuery(IN_TRANSACTION);
            assertThat(client.expects(ErrorResponse.class).message())
                    .contains("transaction blocks not allowed in statement pooling mode");
            client.expectsClosed();
            Scene.converse(scene.client(), backend, "next");
        }
    }

    // ---- words -----------------------------------------------------------------------------------------------------

    private static RawClient inTransaction(Scene scene, ServerConversation backend) {
        RawClient client = scene.client();
        client.sendsQuery("begin");
        backend.expectsQuery("begin");
        backend.sends(commandComplete("BEGIN"), readyForQuery(IN_TRANSACTION));
        client.expectsCommandComplete("BEGIN");
        client.expectsReadyForQuery(IN_TRANSACTION);
        return client;
    }

    private static void servesOneQuery(ServerConversation backend) {
        backend.expectsStartup();
        backend.acceptsLogin();
        backend.expectsAny();
        backend.sends(Scene.answer("served"));
    }

    private static void servesQueries(ServerConversation backend) {
        backend.expectsStartup();
        backend.acceptsLogin();
        while (backend.expectsAny()
                .filter(org.pgporter.protocol.message.Query.class::isInstance)
                .isPresent()) {
            backend.sends(Scene.answer("served"));
        }
    }
}
