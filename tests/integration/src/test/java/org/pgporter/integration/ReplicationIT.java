package org.pgporter.integration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.pgporter.protocol.message.TransactionStatus.IDLE;
import static org.pgporter.protocol.message.TransactionStatus.IN_TRANSACTION;
import static org.pgporter.support.BackendMessages.commandComplete;
import static org.pgporter.support.BackendMessages.copyBothResponse;
import static org.pgporter.support.BackendMessages.copyData;
import static org.pgporter.support.BackendMessages.copyDone;
import static org.pgporter.support.BackendMessages.dataRow;
import static org.pgporter.support.BackendMessages.emptyQueryResponse;
import static org.pgporter.support.BackendMessages.errorResponse;
import static org.pgporter.support.BackendMessages.fatalResponse;
import static org.pgporter.support.BackendMessages.readyForQuery;
import static org.pgporter.support.BackendMessages.rowDescription;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.pgporter.config.PoolMode;
import org.pgporter.protocol.message.CancelRequest;
import org.pgporter.protocol.message.CopyBothResponse;
import org.pgporter.protocol.message.ErrorResponse;
import org.pgporter.protocol.message.FrontendMessage;
import org.pgporter.protocol.message.Query;
import org.pgporter.protocol.message.StartupMessage;
import org.pgporter.protocol.message.Terminate;
import org.pgporter.support.RawClient;
import org.pgporter.support.ScriptedServer;
import org.pgporter.support.ServerConversation;

/// Replication sessions, each on a backend connection of its own, in front of a server that plays a walsender.
class ReplicationIT {

    // ---- a connection of its own --------------------------------------------------------------------------------

    @ParameterizedTest
    @EnumSource(PoolMode.class)
    void shouldOpenAConnectionWithTheClientsParameters_checklist17(PoolMode mode) {
        try (Scene scene = Scene.with(node -> node.pools(pool -> pool.withPoolMode(mode)
                .withPoolSize(2)
                .withServerCheckDelay(Duration.ZERO)
                .withApplicationName("of the pool")
                .withStartupParameters(Map.of("TimeZone", "UTC", "work_mem", "1MB"))))) {
            ServerConversation pooled = scene.backend();
            RawClient client = scene.connection();
            CompletableFuture<Void> login = inBackground(() -> client.logsIn(
                    Scene.USER,
                    Scene.PASSWORD,
                    Scene.DATABASE,
                    "replication",
                    "database",
                    "application_name",
                    "",
                    "options",
                    "-c timezone=Europe/Zurich -c wal_sender_timeout=5s"));

            ServerConversation walsender = scene.server().accept();

            StartupMessage startup = walsender.expectsStartup();
            assertThat(startup.parameters())
                    .containsEntry("replication", "database")
                    .containsEntry("user", Scene.USER)
                    .containsEntry("database", Scene.DATABASE)
                    .containsEntry("application_name", "")
                    .containsEntry("wal_sender_timeout", "5s")
                    .containsEntry("work_mem", "1MB")
                    .doesNotContainKey("options");
            assertThat(startup.parameters().entrySet())
                    .filteredOn(entry -> entry.getKey().equalsIgnoreCase("timezone"))
                    .extracting(Map.Entry::getValue)
                    .containsExactly("Europe/Zurich");
            walsender.acceptsLogin(Map.of("TimeZone", "Europe/Zurich", "server_version", "18.0 of the walsender"));
            login.join();
            // What the client is told comes from its own walsender, which is asked nothing but what the client asks.
            assertThat(client.parameterStatus())
                    .containsEntry("TimeZone", "Europe/Zurich")
                    .containsEntry("server_version", "18.0 of the walsender");
            Scene.converse(client, walsender, "first");
            Scene.converse(client, walsender, "second");
            client.terminates();
            walsender.expectsTerminate();
            walsender.expectsClosed();
            RawClient ordinary = scene.client().sendsQuery("select 'ordinary'");
            pooled.expectsQuery(""); // which is asked here
            pooled.sends(emptyQueryResponse(), readyForQuery(IDLE));
            pooled.expectsQuery("select 'ordinary'");
            pooled.sends(Scene.answer("ordinary"));
            Scene.expectsAnswer(ordinary, "ordinary");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"true", "on", "yes", "1", "database"})
    void shouldNeverUseAWalsenderAgain_checklist76(String value) {
        try (Scene scene = Scene.with(node -> node.pools(pool -> pool.withPoolSize(3)))) {
            ServerConversation pooled = scene.backend();
            for (int round = 0; round < 3; round++) {
                Walsender one = walsender(scene, "replication", value);
                assertThat(one.startup().parameters()).containsEntry("replication", value);
                assertThat(scene.node().node().permitsHeld(Scene.DATABASE, Scene.USER))
                        .isEqualTo(2);
                one.answers("IDENTIFY_SYSTEM");
                Scene.converse(scene.client(), pooled, "ordinary");
                one.client().terminates();
                one.server().expectsTerminate();
                one.server().expectsClosed();
                await().until(() -> scene.node().node().permitsHeld(Scene.DATABASE, Scene.USER) == 1);
            }
            assertThat(scene.server().connections()).isEqualTo(4);
        }
    }

    @Test
    void shouldNotOfferAnOpenTransactionToAnybody_checklist76() {
        try (Scene scene = Scene.withOneBackend()) {
            Walsender one = roomMade(scene, "replication", "database");
            one.client().sendsQuery("begin");
            one.server().expectsQuery("begin");
            one.server().sends(commandComplete("BEGIN"), readyForQuery(IN_TRANSACTION));
            one.client().expectsCommandComplete("BEGIN");
            one.client().expectsReadyForQuery(IN_TRANSACTION);

            one.client().closes();

            // PostgreSQL rolls back by itself; a ROLLBACK of ours would do no harm.
            FrontendMessage goodbye = one.server().expectsAny().orElseThrow();
            if (goodbye.equals(new Query("ROLLBACK"))) {
                one.server().sends(commandComplete("ROLLBACK"), readyForQuery(IDLE));
                goodbye = one.server().expectsAny().orElseThrow();
            }
            assertThat(goodbye).isEqualTo(new Terminate());
            Scene.converse(scene.client(), scene.backend(), "ordinary");
        }
    }

    @Test
    void shouldPassTheRefusalOfTheServerOnAtOnce() {
        try (Scene scene = Scene.with(node -> node.pools(pool -> pool.withPoolSize(2)))) {
            ServerConversation pooled = scene.backend();
            for (String sqlState : new String[] {"53300", "42501", "57P03", "22023"}) {
                RawClient client = scene.connection();
                CompletableFuture<ErrorResponse> error = CompletableFuture.supplyAsync(
                        () -> client.logsInExpectingError(
                                Scene.USER, Scene.PASSWORD, Scene.DATABASE, "replication", "true"),
                        Executors.newVirtualThreadPerTaskExecutor());
                ServerConversation walsender = scene.server().accept();
                walsender.expectsStartup();
                walsender.sends(fatalResponse(sqlState, "no walsender for you"));
                walsender.closes();

                assertThat(error.join().sqlState().code()).isEqualTo(sqlState);
                assertThat(error.join().message()).isEqualTo("no walsender for you");
                client.expectsClosed();
                // It is nobody else's affair.
                Scene.converse(scene.client(), pooled, "ordinary");
            }
        }
    }

    @Test
    void shouldEndTheSessionWithItsWalsender() {
        try (Scene scene = Scene.with(node -> node.pools(pool -> pool.withPoolSize(2)))) {
            scene.backend();
            Walsender told = walsender(scene, "replication", "true");
            told.server().sends(fatalResponse("57P01", "going down"));
            told.server().closes();
            assertThat(told.client().expectsError("57P01").message()).isEqualTo("going down");
            told.client().expectsClosed();

            Walsender untold = walsender(scene, "replication", "true");
            untold.server().closes();
            untold.client().expectsError("08006");
            untold.client().expectsClosed();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "maybe", "DATABASE", "2"})
    void shouldRefuseOtherValuesAsPostgresDoes_checklist17(String value) {
        try (Scene scene = Scene.withOneBackend()) {
            scene.backend();
            RawClient client = scene.connection().sendsStartup("nobody", "nowhere", "replication", value);

            ErrorResponse error = client.expectsError("22023");

            assertThat(error.message()).isEqualTo("invalid value for parameter \"replication\": \"" + value + "\"");
            assertThat(error.fields())
                    .containsEntry('S', "FATAL")
                    .containsEntry('H', "Valid values are: \"false\", 0, \"true\", 1, \"database\".");
            client.expectsClosed();
        }
    }

    @Test
    void shouldAskWhichServerIsMeant() {
        try (ScriptedServer other = ScriptedServer.start();
                Scene scene = Scene.with(node -> node.pools(
                                pool -> pool.withPoolSize(2).withMinPoolSize(0))
                        .user("elsewhere", Scene.USER, Scene.PASSWORD)
                        .pool("elsewhere", pool -> pool.withServer(other.host(), other.port())))) {
            ErrorResponse error = scene.connection()
                    .logsInExpectingError(Scene.USER, Scene.PASSWORD, "replication", "replication", "true");

            assertThat(error.sqlState().code()).isEqualTo("3D000");
            assertThat(error.message()).contains("not clear which server");
            RawClient client = scene.connection();
            CompletableFuture<Void> login =
                    inBackground(() -> client.logsIn(Scene.USER, Scene.PASSWORD, "elsewhere", "replication", "true"));
            ServerConversation walsender = other.accept();
            walsender.expectsStartup();
            walsender.acceptsLogin();
            login.join();
        }
    }

    // ---- streaming ------------------------------------------------------------------------------------------------

    @Test
    void shouldPassCopyBothInBothDirections_checklist76() {
        try (Scene scene = Scene.with(node -> node.pools(pool -> pool.withPoolSize(2)))) {
            scene.backend();
            Walsender one = walsender(scene, "replication", "true");
            one.streams();
            for (int i = 0; i < 100; i++) {
                one.server().sends(copyData("w" + i));
                one.client().sends(copyData("r" + i));
            }
            for (int i = 0; i < 100; i++) {
                one.client().expects(copyData("w" + i));
                one.server().expects(copyData("r" + i));
            }
            // The end of a timeline: the server stops first, the client confirms, and is told where it goes on.
            one.server().sends(copyData("last"), copyDone());
            one.client().expects(copyData("last"));
            one.client().expects(copyDone());
            one.client().sends(copyDone());
            one.server().expects(copyDone());
            one.server()
                    .sends(
                            rowDescription("next_tli", "next_tli_startpos"),
                            dataRow("2", "0/3000000"),
                            commandComplete("START_STREAMING"),
                            readyForQuery(IDLE));
            one.client().expects(rowDescription("next_tli", "next_tli_startpos"));
            one.client().expectsRow("2", "0/3000000");
            one.client().expectsCommandComplete("START_STREAMING");
            one.client().expectsReadyForQuery(IDLE);
            one.answers("TIMELINE_HISTORY 2");
            // And again, where the client stops first.
            one.streams();
            one.client().sends(copyDone());
            one.server().expects(copyDone());
            one.server().sends(copyData("on its way"), copyDone());
            one.server().sends(commandComplete("COPY 0"), readyForQuery(IDLE));
            one.client().expects(copyData("on its way"));
            one.client().expects(copyDone());
            one.client().expectsCommandComplete("COPY 0");
            one.client().expectsReadyForQuery(IDLE);
            one.answers("IDENTIFY_SYSTEM");
        }
    }

    @Test
    void shouldEndAStreamWithTheErrorOfTheServer() {
        try (Scene scene = Scene.with(node -> node.pools(pool -> pool.withPoolSize(2)))) {
            scene.backend();
            Walsender one = walsender(scene, "replication", "true");
            one.streams();
            one.server().sends(errorResponse("58P01", "the segment has been removed"), readyForQuery(IDLE));
            one.client().expectsError("58P01");
            one.client().expectsReadyForQuery(IDLE);
            one.client().sends(copyData("too late"), copyDone());
            one.server().expects(copyData("too late"));
            one.server().expects(copyDone());
            one.answers("IDENTIFY_SYSTEM");
        }
    }

    @Test
    void shouldStopASenderWhoseReaderIsSlowInBothDirections_checklist85() {
        int megabytes = 100;
        try (Scene scene = Scene.with(node -> node.pools(pool -> pool.withPoolSize(2)))) {
            scene.backend();
            Walsender one = walsender(scene, "replication", "true");
            one.streams();
            Torrent down = Torrent.of(megabytes, one.server()::sendsRaw);
            Torrent up = Torrent.of(megabytes, one.client()::sendsRaw);
            down.awaitStandstill();
            up.awaitStandstill();

            assertThat(down.written()).isLessThan(Torrent.UNDER_WAY);
            assertThat(up.written()).isLessThan(Torrent.UNDER_WAY);
            CompletableFuture<Void> reading = inBackground(() -> one.server().skips(up.bytes()));
            one.client().skips(down.bytes());
            reading.join();
            down.join();
            up.join();
            one.server().sends(copyData("afterwards"));
            one.client().expects(copyData("afterwards"));
        }
    }

    @Test
    void shouldCancelAStreamWithTheWalsendersKey() {
        try (Scene scene = Scene.with(node -> node.pools(pool -> pool.withPoolSize(2)))) {
            scene.backend();
            Walsender one = walsender(scene, "replication", "true");
            one.streams();
            assertThat(one.client().backendKey()).isNotEqualTo(one.server().key());
            CompletableFuture<Void> cancelling = inBackground(one.client()::cancel);
            ServerConversation cancel = scene.server().accept();
            assertThat(cancel.expectsCancelRequest())
                    .isEqualTo(new CancelRequest(
                            one.server().key().processId(), one.server().key().secret()));
            cancel.closes();
            cancelling.orTimeout(10, TimeUnit.SECONDS).join();

            one.server().sends(errorResponse("57014", "canceling statement due to user request"), readyForQuery(IDLE));
            one.client().expectsError("57014");
            one.client().expectsReadyForQuery(IDLE);
        }
    }

    @Test
    void shouldLetAStreamOutliveTheTimeoutsOfQueries() {
        try (Scene scene = Scene.with(node -> node.pools(pool -> pool.withPoolSize(2)
                .withTimeouts(pool.timeouts()
                        .withQueryTimeout(Duration.ofMillis(300))
                        .withTransactionTimeout(Duration.ofMillis(300)))))) {
            ServerConversation pooled = scene.backend();
            Walsender one = walsender(scene, "replication", "true");
            one.streams();
            // What is asked later by somebody else is ended, and the stream is not.
            RawClient ordinary = scene.client().sendsQuery("select 'slow'");
            pooled.expectsQuery("select 'slow'");
            ordinary.expectsError("57014");
            ordinary.expectsClosed();

            one.server().sends(copyData("still there"));
            one.client().expects(copyData("still there"));
            one.client().sends(copyData("so am I"));
            one.server().expects(copyData("so am I"));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"closes", "resets", "terminates"})
    void shouldEndTheWalsenderOfAClientThatLeaves_checklist76(String how) {
        try (Scene scene = Scene.with(node -> node.pools(pool -> pool.withPoolSize(2)))) {
            scene.backend();
            Walsender one = walsender(scene, "replication", "true");
            one.streams();
            one.server().sends(copyData("w"));
            one.client().expects(copyData("w"));

            switch (how) {
                case "closes" -> one.client().closes();
                case "resets" -> one.client().resets();
                default -> one.client().terminates();
            }

            one.server().expectsTerminate();
            one.server().expectsClosed();
            await().until(() -> scene.node().node().permitsHeld(Scene.DATABASE, Scene.USER) == 1);
        }
    }

    // ---- the bounds of the pool -----------------------------------------------------------------------------------

    @Test
    void shouldCountAgainstTheSizeOfThePool() {
        try (Scene scene = Scene.withOneBackend()) {
            Walsender one = roomMade(scene, "replication", "true");
            RawClient second = scene.connection();
            CompletableFuture<Void> waiting = inBackground(
                    () -> second.logsIn(Scene.USER, Scene.PASSWORD, Scene.DATABASE, "replication", "true"));
            RawClient ordinary = scene.client().sendsQuery("select 'ordinary'");

            // There is one connection, and somebody has it.
            one.answers("IDENTIFY_SYSTEM");
            assertThat(waiting).isNotDone();
            assertThat(scene.node().node().permitsHeld(Scene.DATABASE, Scene.USER))
                    .isEqualTo(1);
            assertThat(scene.server().connections()).isEqualTo(2);

            // Whoever of the two who wait came first is served first; the other one then.
            one.client().terminates();
            for (int i = 0; i < 2; i++) {
                ServerConversation next = scene.server().accept();
                boolean replicates = next.expectsStartup().parameters().containsKey("replication");
                next.acceptsLogin();
                if (replicates) {
                    waiting.join();
                    second.terminates();
                } else {
                    next.expectsQuery("select 'ordinary'");
                    next.sends(Scene.answer("ordinary"));
                    Scene.expectsAnswer(ordinary, "ordinary");
                }
            }
            assertThat(scene.server().connections()).isEqualTo(4);
        }
    }

    @Test
    void shouldTakeTheNextConnectionOfABusyPool() {
        try (Scene scene = Scene.withOneBackend()) {
            ServerConversation pooled = scene.backend();
            RawClient busy = scene.client().sendsQuery("select 'busy'");
            pooled.expectsQuery("select 'busy'");
            RawClient replica = scene.connection();
            CompletableFuture<Void> login = inBackground(
                    () -> replica.logsIn(Scene.USER, Scene.PASSWORD, Scene.DATABASE, "replication", "true"));
            await().until(() -> replica.transcript().contains("AuthenticationOk"));
            RawClient queued = scene.client().sendsQuery("select 'queued'");

            pooled.sends(Scene.answer("busy"));

            Scene.expectsAnswer(busy, "busy");
            pooled.expectsTerminate();
            ServerConversation walsender = scene.server().accept();
            assertThat(walsender.expectsStartup().parameters()).containsEntry("replication", "true");
            walsender.acceptsLogin();
            login.join();
            replica.terminates();
            ServerConversation fresh = scene.backend();
            fresh.expectsQuery("select 'queued'");
            fresh.sends(Scene.answer("queued"));
            Scene.expectsAnswer(queued, "queued");
        }
    }

    // ---- words ----------------------------------------------------------------------------------------------------

    /// A replication session and what serves it.
    private record Walsender(RawClient client, ServerConversation server, StartupMessage startup) {
        /// A command with one row as answer.
        void answers(String command) {
            client.sendsQuery(command);
            server.expectsQuery(command);
            server.sends(Scene.answer("done"));
            Scene.expectsAnswer(client, "done");
        }

        void streams() {
            client.sendsQuery("START_REPLICATION 0/1000000 TIMELINE 1");
            server.expectsQuery("START_REPLICATION 0/1000000 TIMELINE 1");
            server.sends(copyBothResponse(0));
            client.expects(CopyBothResponse.class);
        }
    }

    private static Walsender walsender(Scene scene, String... parameters) {
        RawClient client = scene.connection();
        CompletableFuture<Void> login =
                inBackground(() -> client.logsIn(Scene.USER, Scene.PASSWORD, Scene.DATABASE, parameters));
        ServerConversation server = scene.server().accept();
        StartupMessage startup = server.expectsStartup();
        server.acceptsLogin();
        login.join();
        return new Walsender(client, server, startup);
    }

    /// In a pool of one connection, which is idle and is given up.
    private static Walsender roomMade(Scene scene, String... parameters) {
        ServerConversation pooled = scene.backend();
        RawClient client = scene.connection();
        CompletableFuture<Void> login =
                inBackground(() -> client.logsIn(Scene.USER, Scene.PASSWORD, Scene.DATABASE, parameters));
        pooled.expectsTerminate();
        pooled.expectsClosed();
        ServerConversation server = scene.server().accept();
        StartupMessage startup = server.expectsStartup();
        server.acceptsLogin();
        login.join();
        return new Walsender(client, server, startup);
    }

    private static CompletableFuture<Void> inBackground(Runnable work) {
        return CompletableFuture.runAsync(work, Executors.newVirtualThreadPerTaskExecutor());
    }
}
