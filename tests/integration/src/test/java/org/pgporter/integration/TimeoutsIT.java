package org.pgporter.integration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.pgporter.protocol.message.TransactionStatus.FAILED;
import static org.pgporter.protocol.message.TransactionStatus.IDLE;
import static org.pgporter.protocol.message.TransactionStatus.IN_TRANSACTION;
import static org.pgporter.support.BackendMessages.commandComplete;
import static org.pgporter.support.BackendMessages.copyInResponse;
import static org.pgporter.support.BackendMessages.dataRow;
import static org.pgporter.support.BackendMessages.emptyQueryResponse;
import static org.pgporter.support.BackendMessages.errorResponse;
import static org.pgporter.support.BackendMessages.parseComplete;
import static org.pgporter.support.BackendMessages.readyForQuery;
import static org.pgporter.support.BackendMessages.rowDescription;

import java.time.Duration;
import java.util.Arrays;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.pgporter.auth.credential.StoredCredential;
import org.pgporter.config.PoolMode;
import org.pgporter.config.PoolOverrides;
import org.pgporter.config.TimeoutOptions;
import org.pgporter.config.TimeoutOverrides;
import org.pgporter.config.UserConfig;
import org.pgporter.protocol.message.CopyData;
import org.pgporter.protocol.message.CopyInResponse;
import org.pgporter.protocol.message.ErrorResponse;
import org.pgporter.protocol.message.Flush;
import org.pgporter.protocol.message.NoticeResponse;
import org.pgporter.protocol.message.ParseComplete;
import org.pgporter.protocol.message.Query;
import org.pgporter.protocol.message.Severity;
import org.pgporter.protocol.message.TransactionStatus;
import org.pgporter.support.RawClient;
import org.pgporter.support.ServerConversation;

/// Timeouts of clients, message by message. That one does not fire where it must not is shown by another that is
/// longer and fires.
class TimeoutsIT {
    private static final Duration SHORT = Duration.ofMillis(250);
    private static final Duration LONG = Duration.ofSeconds(1);

    private static Scene with(UnaryOperator<TimeoutOptions> change) {
        return Scene.with(node -> node.pools(pool -> pool.withTimeouts(change.apply(pool.timeouts()))));
    }

    // ---- query_timeout -------------------------------------------------------------------------------------------

    @Test
    void shouldCancelAQueryThatRunsTooLong() {
        try (Scene scene = with(all -> all.withQueryTimeout(SHORT).withIdleTransactionTimeout(Duration.ofMillis(1)))) {
            ServerConversation backend = scene.backend();
            RawClient client = scene.client();
            client.sendsQuery("slow");
            backend.expectsQuery("slow");

            ends(client, "57014", "query timeout");
            ServerConversation fresh = cancelledAndReplaced(scene, backend);
            Scene.converse(scene.client(), fresh, "next");
        }
    }

    @Test
    void shouldCancelAQueryThatRunsTooLongInATransaction() {
        try (Scene scene = with(all -> all.withQueryTimeout(SHORT))) {
            ServerConversation backend = scene.backend();
            RawClient client = inTransaction(scene, backend);
            client.sendsQuery("slow");
            backend.expectsQuery("slow");

            ends(client, "57014", "query timeout");
            cancelledAndReplaced(scene, backend);
        }
    }

    /// PgBouncer's #1395: nothing is in flight in an idle transaction, whatever its status.
    @Test
    void shouldNotRunTheQueryTimeoutWhileNothingIsInFlight() { // checklist 117
        for (boolean failed : new boolean[] {false, true}) {
            try (Scene scene = with(all -> all.withQueryTimeout(SHORT).withIdleTransactionTimeout(LONG))) {
                ServerConversation backend = scene.backend();
                RawClient client = inTransaction(scene, backend);
                if (failed) {
                    client.sendsQuery("oops");
                    backend.expectsQuery("oops");
                    backend.sends(errorResponse("42601", "oops"), readyForQuery(FAILED));
                    client.expectsError("42601");
                    client.expectsReadyForQuery(FAILED);
                }

                ends(client, "25P03", "idle transaction timeout");
                rolledBack(scene, backend);
            }
        }
    }

    @Test
    void shouldNotRunTheQueryTimeoutWhileTheClientIsIdle() { // checklist 117
        try (Scene scene = with(all -> all.withQueryTimeout(SHORT).withClientIdleTimeout(LONG))) {
            ServerConversation backend = scene.backend();
            RawClient client = scene.client();
            Scene.converse(client, backend, "first");

            ends(client, "57P05", "client_idle_timeout");
            Scene.converse(scene.client(), backend, "untouched");
        }
    }

    /// PgBouncer counts the wait, too. Who is thrown out leaves the queue.
    @Test
    void shouldEndAQueryThatWaitsForABackendForTooLong() { // checklist 119
        try (Scene scene = with(all -> all.withQueryTimeout(LONG))) {
            ServerConversation backend = scene.backend();
            RawClient holder = inTransaction(scene, backend);
            RawClient waiting = scene.client();
            waiting.sendsQuery("select 'waiting'");

            ends(waiting, "57014", "query_timeout");
            converse(holder, backend, "still there", IN_TRANSACTION);
            converse(holder, backend, "commit", IDLE);
            Scene.converse(scene.client(), backend, "next");
        }
    }

    /// The backend was being prepared for a client that is gone when it is ready.
    @Test
    void shouldGiveBackABackendThatComesTooLate() { // checklist 119
        try (Scene scene = Scene.with(node -> node.pools(pool -> pool.withServerCheckDelay(Duration.ZERO)
                .withTimeouts(pool.timeouts().withQueryTimeout(SHORT))))) {
            ServerConversation backend = scene.backend();
            RawClient client = scene.client();
            client.sendsQuery("slow");
            backend.expectsQuery(""); // a sign of life, before the backend is lent

            ends(client, "57014", "query timeout");
            backend.sends(emptyQueryResponse(), readyForQuery(IDLE));
            backend.expectsQuery("slow");
            ServerConversation fresh = cancelledAndReplaced(scene, backend);

            RawClient next = scene.client();
            next.sendsQuery("select 'next'");
            fresh.expectsQuery("");
            fresh.sends(emptyQueryResponse(), readyForQuery(IDLE));
            fresh.expectsQuery("select 'next'");
            fresh.sends(Scene.answer("next"));
            Scene.expectsAnswer(next, "next");
        }
    }

    /// Nobody has promised a Sync.
    @Test
    void shouldTakeAPipelineWithoutSyncAsInFlight() {
        try (Scene scene = with(all -> all.withQueryTimeout(SHORT))) {
            ServerConversation backend = scene.backend();
            RawClient client = scene.client();
            client.sendsParse("", "select 1").sendsFlush();
            backend.expectsParse("", "select 1");
            backend.expects(Flush.class);
            backend.sends(parseComplete());
            client.expects(ParseComplete.class);

            ends(client, "57014", "query timeout");
            cancelledAndReplaced(scene, backend);
        }
    }

    @Test
    void shouldTakeCopyDataThatDoesNotComeAsInFlight() {
        try (Scene scene = with(
                all -> all.withQueryTimeout(LONG).withClientIdleTimeout(SHORT).withIdleTransactionTimeout(SHORT))) {
            ServerConversation backend = scene.backend();
            RawClient client = scene.client();
            client.sendsQuery("copy t from stdin");
            backend.expectsQuery("copy t from stdin");
            backend.sends(copyInResponse(1));
            client.expects(CopyInResponse.class);
            client.sendsCopyData("1\n");

            ends(client, "57014", "query timeout");
            backend.expects(CopyData.class);
            cancelledAndReplaced(scene, backend);
        }
    }

    /// A client that does not read what it asked for still has its query in flight, although the server has finished.
    @Test
    void shouldTakeAClientThatDoesNotReadAsInFlight() {
        int size = 32 << 20;
        try (Scene scene = with(
                all -> all.withQueryTimeout(LONG).withClientIdleTimeout(SHORT).withIdleTransactionTimeout(SHORT))) {
            ServerConversation backend = scene.backend();
            RawClient client = scene.client();
            client.sendsQuery("large");
            backend.expectsQuery("large");
            Thread answering = Thread.ofVirtual().start(() -> {
                try {
                    backend.sends(
                            rowDescription("large"),
                            dataRow("x".repeat(size)),
                            commandComplete("SELECT 1"),
                            readyForQuery(IN_TRANSACTION));
                } catch (AssertionError _) {
                    // The node closes this connection while it is written to.
                }
            });

            // A ROLLBACK would come on the same connection.
            ServerConversation fresh = cancelled(scene);
            Scene.converse(scene.client(), fresh, "next");
            answering.interrupt();
        }
    }

    @Test
    void shouldSayNothingWithinAMessage() {
        try (Scene scene = with(all -> all.withQueryTimeout(LONG))) {
            ServerConversation backend = scene.backend();
            RawClient client = scene.client();
            client.sendsQuery("large");
            backend.expectsQuery("large");
            byte[] row = ServerConversation.encoded(dataRow("x".repeat(200_000)));
            byte[] half = Arrays.copyOf(row, 100_000);
            backend.sendsRaw(half);

            client.skips(half.length);
            client.expectsClosed();
            cancelledAndReplaced(scene, backend);
        }
    }

    // ---- transactions --------------------------------------------------------------------------------------------

    @Test
    void shouldRollBackATransactionThatIsIdleForTooLong() {
        try (Scene scene = with(all -> all.withIdleTransactionTimeout(SHORT))) {
            ServerConversation backend = scene.backend();
            RawClient client = inTransaction(scene, backend);

            ErrorResponse error = ends(client, "25P03", "idle transaction timeout");

            assertThat(error.message()).contains("idle_transaction_timeout");
            rolledBack(scene, backend);
        }
    }

    @Test
    void shouldNotRunTheIdleTransactionTimeoutWhileAQueryIsInFlight() { // checklist 117
        try (Scene scene = with(all -> all.withIdleTransactionTimeout(SHORT).withQueryTimeout(LONG))) {
            ServerConversation backend = scene.backend();
            RawClient client = inTransaction(scene, backend);
            client.sendsQuery("slow");
            backend.expectsQuery("slow");
            backend.sends(rowDescription("a"), dataRow("1"));

            client.expects(rowDescription("a"));
            client.expectsRow("1");
            ends(client, "57014", "query timeout");
            cancelledAndReplaced(scene, backend);
        }
    }

    @Test
    void shouldRollBackATransactionThatTakesTooLong() {
        try (Scene scene = with(all -> all.withTransactionTimeout(LONG).withClientIdleTimeout(SHORT))) {
            ServerConversation backend = scene.backend();
            RawClient client = inTransaction(scene, backend);
            converse(client, backend, "busy", IN_TRANSACTION);

            ends(client, "25P04", "transaction timeout");
            rolledBack(scene, backend);
        }
    }

    /// Also the transaction of a single statement.
    @Test
    void shouldCancelWhatRunsWhenItsTransactionTakesTooLong() {
        try (Scene scene = with(all -> all.withTransactionTimeout(SHORT).withQueryTimeout(Duration.ofMinutes(1)))) {
            ServerConversation backend = scene.backend();
            RawClient client = scene.client();
            client.sendsQuery("slow");
            backend.expectsQuery("slow");

            ends(client, "25P04", "transaction timeout");
            cancelledAndReplaced(scene, backend);
        }
    }

    /// In the queue there is no transaction yet: it is query_wait_timeout that ends the wait, and not the session.
    @Test
    void shouldNotRunTheTransactionTimeoutInTheQueue() { // checklist 117
        try (Scene scene = Scene.with(node -> node.pools(pool -> pool.withQueryWaitTimeout(LONG)
                .withConnectTimeout(Duration.ofMillis(1500))
                .withTimeouts(pool.timeouts().withTransactionTimeout(SHORT).withClientIdleTimeout(SHORT))))) {
            ServerConversation backend = scene.backend();
            RawClient waiting = scene.client();
            backend.closes();
            scene.server().accept().expectsStartup(); // the next one is opened, and keeps silent

            assertThat(waiting.queryExpectingError("select 1").message()).contains("query_wait_timeout");
            ends(waiting, "57P05", "client_idle_timeout"); // only now it is idle
        }
    }

    // ---- client_idle_timeout -------------------------------------------------------------------------------------

    @Test
    void shouldEndAClientThatIsIdleFromItsLogin() {
        try (Scene scene = with(all -> all.withClientIdleTimeout(SHORT))) {
            scene.backend();
            ends(scene.client(), "57P05", "client_idle_timeout");
        }
    }

    @Test
    void shouldCleanTheBackendOfASessionThatIsIdle() {
        try (Scene scene = Scene.with(node -> node.pools(pool -> pool.withPoolMode(PoolMode.SESSION)
                .withTimeouts(pool.timeouts().withClientIdleTimeout(SHORT).withIdleTransactionTimeout(LONG))))) {
            ServerConversation backend = scene.backend();
            RawClient client = scene.client();
            Scene.converse(client, backend, "first");

            ends(client, "57P05", "client_idle_timeout");
            backend.expectsQuery("DISCARD ALL");
            backend.sends(commandComplete("DISCARD ALL"), readyForQuery(IDLE));

            RawClient inTransaction = inTransaction(scene, backend);
            ends(inTransaction, "25P03", "idle transaction timeout");
            backend.expectsQuery("ROLLBACK");
            backend.sends(commandComplete("ROLLBACK"), readyForQuery(IDLE));
            backend.expectsQuery("DISCARD ALL");
            backend.sends(commandComplete("DISCARD ALL"), readyForQuery(IDLE));
        }
    }

    // ---- query_wait_notify ---------------------------------------------------------------------------------------

    @Test
    void shouldTellAClientThatItWaits() {
        try (Scene scene = with(all -> all.withQueryWaitNotify(SHORT))) {
            ServerConversation backend = scene.backend();
            RawClient holder = inTransaction(scene, backend);
            RawClient waiting = scene.client();
            waiting.sendsQuery("select 'waiting'");

            NoticeResponse notice = waiting.expects(NoticeResponse.class);

            assertThat(notice.message())
                    .isEqualTo("No server connection available in postgres backend, client being queued");
            assertThat(notice.fields()).containsEntry('S', "NOTICE").containsEntry('C', "00000");
            converse(holder, backend, "commit", IDLE);
            backend.expectsQuery("select 'waiting'");
            backend.sends(Scene.answer("waiting"));
            Scene.expectsAnswer(waiting, "waiting");
        }
    }

    @Test
    void shouldTellNobodyWhoIsServedOrHearsTheError() {
        try (Scene scene = Scene.with(node -> node.pools(pool -> pool.withQueryWaitTimeout(SHORT)
                .withTimeouts(pool.timeouts().withQueryWaitNotify(SHORT).withIdleTransactionTimeout(LONG))))) {
            ServerConversation backend = scene.backend();
            RawClient holder = inTransaction(scene, backend);
            RawClient waiting = scene.client();

            assertThat(waiting.queryExpectingError("select 1").message()).contains("query_wait_timeout");

            ends(holder, "25P03", "idle transaction timeout");
            rolledBack(scene, backend);
            assertThat(waiting.transcript()).doesNotContain("Notice");
            assertThat(holder.transcript()).doesNotContain("Notice");
        }
    }

    // ---- precedence ----------------------------------------------------------------------------------------------

    /// The user's goes before the pool's, the pool's before the general one; a 0 counts.
    @Test
    void shouldTakeTheTimeoutOfTheUserBeforeThatOfItsPool() { // checklist 117
        Duration never = Duration.ofMinutes(1);
        TimeoutOverrides ofPool =
                TimeoutOverrides.none().withIdleTransactionTimeout(SHORT).withTransactionTimeout(LONG);
        TimeoutOverrides lifted = TimeoutOverrides.none().withIdleTransactionTimeout(Duration.ZERO);
        TimeoutOverrides reversed =
                TimeoutOverrides.none().withIdleTransactionTimeout(never).withTransactionTimeout(SHORT);
        try (Scene scene = Scene.with(node -> node.pools(
                        pool -> pool.withTimeouts(pool.timeouts().withIdleTransactionTimeout(never)))
                .user(Scene.DATABASE, user("lifted", lifted))
                .user(Scene.DATABASE, user("reversed", reversed))
                .eachPool(pool -> pool.withOverrides(PoolOverrides.none().withTimeouts(ofPool))))) {
            scene.server().serve(TimeoutsIT::takesPartInTransactions);

            ends(inTransaction(scene, Scene.USER), "25P03", "idle transaction timeout");
            ends(inTransaction(scene, "lifted"), "25P04", "transaction timeout");
            ends(inTransaction(scene, "reversed"), "25P04", "transaction timeout");
        }
    }

    private static UserConfig user(String name, TimeoutOverrides timeouts) {
        return UserConfig.of(name, StoredCredential.parse(Scene.PASSWORD))
                .withOverrides(PoolOverrides.none().withTimeouts(timeouts));
    }

    private static void takesPartInTransactions(ServerConversation backend) {
        backend.expectsStartup();
        backend.acceptsLogin();
        while (backend.expectsAny().orElse(null) instanceof Query(var sql)) {
            backend.sends(commandComplete(sql), readyForQuery(sql.equals("begin") ? IN_TRANSACTION : IDLE));
        }
    }

    private static RawClient inTransaction(Scene scene, String user) {
        RawClient client = scene.connection().logsIn(user, Scene.PASSWORD, Scene.DATABASE);
        client.sendsQuery("begin");
        client.expectsCommandComplete("begin");
        client.expectsReadyForQuery(IN_TRANSACTION);
        return client;
    }

    // ---- verbs ---------------------------------------------------------------------------------------------------

    private static RawClient inTransaction(Scene scene, ServerConversation backend) {
        RawClient client = scene.client();
        converse(client, backend, "begin", IN_TRANSACTION);
        return client;
    }

    private static void converse(RawClient client, ServerConversation backend, String sql, TransactionStatus status) {
        client.sendsQuery(sql);
        backend.expectsQuery(sql);
        backend.sends(commandComplete(sql), readyForQuery(status));
        client.expectsCommandComplete(sql);
        client.expectsReadyForQuery(status);
    }

    /// The client is thrown out, and told why.
    private static ErrorResponse ends(RawClient client, String sqlState, String words) {
        ErrorResponse error = client.expectsError(sqlState);
        assertThat(error.severity()).isEqualTo(Severity.FATAL);
        assertThat(error.message()).contains(words);
        client.expectsClosed();
        return error;
    }

    /// The backend's transaction is over, and the next client gets the same connection.
    private static void rolledBack(Scene scene, ServerConversation backend) {
        backend.expectsQuery("ROLLBACK");
        backend.sends(commandComplete("ROLLBACK"), readyForQuery(IDLE));
        Scene.converse(scene.client(), backend, "next");
        assertThat(scene.server().connections()).isEqualTo(1);
    }

    /// What the backend did is cancelled, its connection is closed, and the pool has opened another.
    private static ServerConversation cancelledAndReplaced(Scene scene, ServerConversation backend) {
        ServerConversation fresh = cancelled(scene);
        backend.expectsTerminate();
        backend.expectsClosed();
        return fresh;
    }

    private static ServerConversation cancelled(Scene scene) {
        return Scene.cancelAndLogin(scene.server().accept(), scene.server().accept());
    }
}
