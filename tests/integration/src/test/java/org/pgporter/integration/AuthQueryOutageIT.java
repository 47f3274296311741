package org.pgporter.integration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.pgporter.auth.Secret;
import org.pgporter.config.AuthQueryConfig;
import org.pgporter.config.AuthQueryOptions;
import org.pgporter.config.LoginLimits;
import org.pgporter.config.ServerTlsMode;
import org.pgporter.config.ServerTlsOverrides;
import org.pgporter.protocol.message.AuthenticationSasl;
import org.pgporter.protocol.message.Bind;
import org.pgporter.protocol.message.BindComplete;
import org.pgporter.protocol.message.CommandComplete;
import org.pgporter.protocol.message.DataRow;
import org.pgporter.protocol.message.Describe;
import org.pgporter.protocol.message.ErrorResponse;
import org.pgporter.protocol.message.Execute;
import org.pgporter.protocol.message.Parse;
import org.pgporter.protocol.message.ParseComplete;
import org.pgporter.protocol.message.ReadyForQuery;
import org.pgporter.protocol.message.RowDescription;
import org.pgporter.protocol.message.StartupMessage;
import org.pgporter.protocol.message.StartupPacket;
import org.pgporter.protocol.message.TransactionStatus;
import org.pgporter.support.RawClient;
import org.pgporter.support.ScriptedServer;
import org.pgporter.support.StopMode;
import org.pgporter.support.TestPki;
import org.pgporter.support.TestPostgres;

/// Lookups while PostgreSQL is away, slow, or behind TLS; and the limits on logins.
class AuthQueryOutageIT {
    private static final String PASSWORD = "correct horse";

    /// Each login of these tests must have an answer within this time, whatever it is.
    private static final Duration ANSWERED_WITHIN = Duration.ofSeconds(10);

    private static AuthQueryConfig lookup() {
        return AuthQueryConfig.of("postgres").withServerLogin("postgres", Secret.of("is not asked"));
    }

    private static TestNode.Builder builder(TestPostgres postgres, AuthQueryConfig config) {
        return TestNode.inFrontOf(postgres.host(), postgres.port())
                .database("postgres")
                .pool("postgres", pool -> pool.withAuthQuery(config))
                .pools(pools -> pools.withServerLoginRetry(Duration.ofMillis(50)));
    }

    /// Whatever ends the server: logins are answered meanwhile, and come in afterwards.
    @Test
    @Timeout(120)
    void shouldComeBackToLife() throws InterruptedException {
        try (TestPostgres postgres = TestPostgres.newest().start();
                TestNode node = builder(
                                postgres,
                                lookup().withOptions(AuthQueryOptions.defaults()
                                        .withCacheTtl(Duration.ZERO)
                                        .withCacheFailureTtl(Duration.ZERO)
                                        .withLookupTimeout(Duration.ofSeconds(2))))
                        .start()) {
            for (int i = 0; i < 4; i++) {
                postgres.createUser("user" + i, PASSWORD, "scram-sha-256");
            }
            // Given
            login(node, "user0");
            AtomicBoolean done = new AtomicBoolean();
            Map<String, AtomicInteger> answers = new ConcurrentHashMap<>();
            List<Thread> clients = new ArrayList<>();
            List<Throwable> surprises = Collections.synchronizedList(new ArrayList<>());
            for (int i = 0; i < 4; i++) {
                String user = "user" + i;
                clients.add(Thread.ofVirtual().start(() -> {
                    try {
                        while (!done.get()) {
                            answers.computeIfAbsent(answer(node, user), _ -> new AtomicInteger())
                                    .incrementAndGet();
                        }
                    } catch (RuntimeException | AssertionError e) {
                        surprises.add(e);
                    }
                }));
            }
            await().atMost(ANSWERED_WITHIN).until(() -> count(answers, "in") > 20);

            // When
            for (String how : List.of("killed", "stopped", "each backend killed", "killed")) {
                switch (how) {
                    case "killed" -> postgres.kill();
                    case "stopped" -> postgres.stop(StopMode.FAST);
                    default ->
                        postgres.killBackend(postgres.backendPids("postgres").getFirst());
                }
                if (!how.startsWith("each")) {
                    int before = count(answers, "58000");
                    await().atMost(ANSWERED_WITHIN).until(() -> count(answers, "58000") > before + 4);
                    postgres.start();
                }
                postgres.awaitReady();

                // Then
                int before = count(answers, "in");
                await().atMost(Duration.ofSeconds(20)).until(() -> count(answers, "in") > before + 8);
            }
            done.set(true);
            for (Thread client : clients) {
                assertThat(client.join(ANSWERED_WITHIN)).as("no login hangs").isTrue();
            }
            assertThat(surprises).isEmpty();
            assertThat(answers.keySet())
                    .as("nobody is told that his password is wrong")
                    .doesNotContain("28P01", "53400");
            assertThat(node.node().logins().failed()).isZero();
        }
    }

    private static int count(Map<String, AtomicInteger> answers, String answer) {
        return answers.getOrDefault(answer, new AtomicInteger()).get();
    }

    @Test
    void shouldLetInWhoIsRememberedWhilePostgresIsAway() {
        try (TestPostgres users = TestPostgres.newest().start();
                TestNode node = builder(users, lookup()).start()) {
            users.createUser("known", PASSWORD, "scram-sha-256");
            try (RawClient before = connect(node)) {
                before.logsIn("known", PASSWORD, "postgres");
                before.query("select 1");
                users.kill();

                // The server's parameters are known, so a session needs no backend to begin.
                await().atMost(ANSWERED_WITHIN)
                        .untilAsserted(() -> assertThat(answer(node, "known")).isEqualTo("in"));
                assertThat(answer(node, "unknown")).isEqualTo("58000");
                assertThat(node.node().logins().failed()).isZero();
                assertThat(node.node().logins().unavailable()).isEqualTo(1);
            }
        }
    }

    /// A server that takes connections and says nothing more costs each login its time, and no worker for
    /// ever.
    @Test
    @Timeout(60)
    void shouldNotWaitForAServerThatIsSilent() {
        AtomicBoolean silent = new AtomicBoolean(true);
        try (ScriptedServer server = ScriptedServer.start().serve(backend -> {
                    if (!(backend.expectsStartupPacket(StartupPacket.class) instanceof StartupMessage)) {
                        return; // a CancelRequest
                    }
                    backend.acceptsLogin();
                    if (silent.get()) {
                        backend.readsToEnd();
                        return;
                    }
                    backend.expects(Parse.class);
                    backend.expects(Bind.class);
                    backend.expects(Describe.class);
                    backend.expects(Execute.class);
                    backend.expectsSync();
                    backend.sends(
                            new ParseComplete(),
                            new BindComplete(),
                            RowDescription.ofText("passwd"),
                            DataRow.ofText("md5" + "0".repeat(32)),
                            new CommandComplete("SELECT 1"),
                            new ReadyForQuery(TransactionStatus.IDLE));
                    backend.readsToEnd();
                });
                TestNode node = TestNode.inFrontOf(server.host(), server.port())
                        .database("shop")
                        .pool(
                                "shop",
                                pool -> pool.withAuthQuery(AuthQueryConfig.of("finder")
                                        .withOptions(AuthQueryOptions.defaults()
                                                .withWorkers(1)
                                                .withLookupTimeout(Duration.ofMillis(300)))))
                        .start()) {
            for (int i = 0; i < 5; i++) {
                assertThat(answerIn(node, "somebody" + i, "shop")).isEqualTo("58000");
            }
            silent.set(false);
            await().atMost(ANSWERED_WITHIN)
                    .untilAsserted(
                            () -> assertThat(answerIn(node, "somebody", "shop")).isEqualTo("28P01"));
        }
    }

    @Test
    void shouldLookUpThroughTlsWhereTheServerWantsIt(@TempDir Path folder) {
        try (TestPostgres postgres = TestPostgres.newest()
                .tls(TestPki.in(folder).server("localhost"))
                .hba("hostssl all all all scram-sha-256")
                .start()) {
            postgres.createUser("finder", PASSWORD, "scram-sha-256");
            postgres.sql("alter role finder superuser");
            postgres.createUser("guest", PASSWORD, "scram-sha-256");
            for (ServerTlsMode mode : List.of(ServerTlsMode.ALLOW, ServerTlsMode.REQUIRE)) {
                try (TestNode node = TestNode.inFrontOf(postgres.host(), postgres.port())
                        .database("postgres")
                        .pool(
                                "postgres",
                                pool -> pool.withServerTls(
                                                ServerTlsOverrides.none().withServerTlsMode(mode))
                                        .withAuthQuery(
                                                AuthQueryConfig.of("finder").withPassword(Secret.of(PASSWORD))))
                        .start()) {
                    try (RawClient client = connect(node)) {
                        client.logsIn("guest", PASSWORD, "postgres");
                        assertThat(client.query(
                                        "select current_user, ssl from pg_stat_ssl where pid = pg_backend_pid()"))
                                .containsExactly(List.of("guest", "t"));
                    }
                    assertThat(postgres.rows("select ssl from pg_stat_ssl join pg_stat_activity using (pid)"
                                    + " where usename = 'finder' and application_name like 'pgporter%'"))
                            .isNotEmpty()
                            .allMatch(row -> row.equals(List.of("true")) || row.equals(List.of("t")));
                }
            }
        }
    }

    // ---- limits on logins, over the wire

    @Test
    void shouldMakeThoseWaitWhoFailTooOften() {
        TestPostgres postgres = TestPostgres.shared();
        postgres.createUser("aq_attacked", PASSWORD, "scram-sha-256");
        try (TestNode node = builder(postgres, lookup())
                .general(general -> general.withLoginLimits(LoginLimits.defaults()
                        .withLoginFailuresPerUser(3)
                        .withLoginBackoffMax(Duration.ofHours(1))
                        .withLoginBackoff(Duration.ofHours(1))
                        .withLoginFailureDelay(Duration.ZERO)))
                .start()) {
            for (String user : List.of("aq_attacked", "aq_attacked_nobody")) {
                for (int i = 0; i < 3; i++) {
                    assertThat(answerIn(node, user, "postgres", "wrong")).isEqualTo("28P01");
                }
                assertThat(answer(node, user)).isEqualTo("53400");
            }
            assertThat(node.node().logins().failed()).isEqualTo(6);
            assertThat(node.node().logins().refusedByBackoff()).isEqualTo(2);
        }
    }

    @Test
    void shouldAnswerEachWrongPasswordAfterTheSameTime() {
        TestPostgres postgres = TestPostgres.shared();
        postgres.createUser("aq_timed", PASSWORD, "scram-sha-256");
        Duration delay = Duration.ofMillis(150);
        try (TestNode node = builder(postgres, lookup())
                .general(general ->
                        general.withLoginLimits(LoginLimits.defaults().withLoginFailureDelay(delay)))
                .start()) {
            for (String user : List.of("aq_timed", "aq_timed_nobody")) {
                long began = System.nanoTime();
                assertThat(answerIn(node, user, "postgres", "wrong")).isEqualTo("28P01");
                assertThat(Duration.ofNanos(System.nanoTime() - began)).isGreaterThanOrEqualTo(delay);
            }
        }
    }

    @Test
    void shouldBoundThoseWhoHaveNotLoggedIn() {
        try (TestNode node = builder(TestPostgres.shared(), lookup())
                        .general(general ->
                                general.withLoginLimits(LoginLimits.defaults().withMaxUnauthenticatedConnections(2)))
                        .start();
                RawClient silent = connect(node);
                RawClient asked = connect(node)) {
            asked.sendsStartup("aq_slow", "postgres");
            asked.expects(AuthenticationSasl.class);
            try (RawClient third = connect(node)) {
                third.expectsClosed();
            }
            assertThat(node.node().strangersRefused()).isEqualTo(1);
            silent.closes();
            await().untilAsserted(
                            () -> assertThat(answer(node, "aq_nobody_again")).isEqualTo("28P01"));
        }
    }

    // ---- words

    private static RawClient connect(TestNode node) {
        return RawClient.connects(node.host(), node.port());
    }

    private static void login(TestNode node, String user) {
        try (RawClient client = connect(node)) {
            client.logsIn(user, PASSWORD, "postgres");
        }
    }

    private static String answer(TestNode node, String user) {
        return answerIn(node, user, "postgres");
    }

    private static String answerIn(TestNode node, String user, String database) {
        return answerIn(node, user, database, PASSWORD);
    }

    /// `in`, or the SQLSTATE of the refusal.
    private static String answerIn(TestNode node, String user, String database, String password) {
        try (RawClient client = connect(node)) {
            return client.triesToLogIn(user, password, database)
                    .map(ErrorResponse::sqlState)
                    .map(state -> state.code())
                    .orElse("in");
        }
    }
}
