package org.pgporter.integration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.pgporter.config.DatabaseLimits;
import org.pgporter.protocol.message.ErrorResponse;
import org.pgporter.support.PostgresMajor;
import org.pgporter.support.RawClient;
import org.pgporter.support.TestPostgres;

/// Users of one database share its connections, as PostgreSQL counts them.
@Timeout(60)
class DatabaseLimitIT {
    private static final List<String> USERS = List.of("capped_a", "capped_b", "capped_c", "capped_d");
    private static final String DATABASE = "capped";
    private static final String PASSWORD = "secret";

    @ParameterizedTest
    @EnumSource(PostgresMajor.class)
    void shouldNeverHoldMoreThanTheCapHoweverManyAsk(PostgresMajor major) throws Exception { // checklist 113, 114
        TestPostgres postgres = given(major);
        UnaryOperator<DatabaseLimits> limits =
                all -> all.withMaxDbConnections(5).withMinConnectionLifetime(Duration.ofMillis(20));
        Queue<String> wrong = new ConcurrentLinkedQueue<>();
        try (TestNode node = node(postgres, limits, 4, Duration.ofSeconds(20));
                BackendCensus census = BackendCensus.ofDatabase(postgres, DATABASE)) {
            List<Thread> clients = new ArrayList<>();
            for (int i = 0; i < 48; i++) {
                String user = USERS.get(i % USERS.size());
                int number = i;
                clients.add(Thread.ofVirtual()
                        .uncaughtExceptionHandler((_, failure) -> wrong.add(String.valueOf(failure)))
                        .start(() -> asks(node, user, number, wrong)));
            }
            for (Thread client : clients) {
                client.join();
            }

            assertThat(wrong).isEmpty();
            assertThat(census.most()).isEqualTo(5);
            assertThat(held(node)).isBetween(1, 5);
        }
    }

    private static void asks(TestNode node, String user, int number, Queue<String> wrong) {
        try (RawClient client = RawClient.connects(node.host(), node.port())) {
            client.logsIn(user, PASSWORD, DATABASE);
            for (int round = 0; round < 15; round++) {
                String token = user + " " + number + "/" + round;
                String answer = client.query(
                                "select current_user || ' " + number + "/" + round + "' from pg_sleep(0.002)")
                        .toString();
                if (!answer.equals("[[" + token + "]]")) {
                    wrong.add(answer + " instead of " + token);
                }
            }
            client.terminates();
        }
    }

    @Test
    void shouldCloseTheIdleConnectionOfAnotherUser() {
        TestPostgres postgres = given(PostgresMajor.NEWEST);
        try (TestNode node = node(postgres, all -> all.withMaxDbConnections(1), 1, Duration.ofSeconds(1));
                RawClient first = client(node, "capped_a");
                RawClient second = client(node, "capped_b")) {
            String pid = pid(first);
            assertThat(pid(first)).isEqualTo(pid);

            assertThat(second.query("select current_user").toString()).isEqualTo("[[capped_b]]");

            assertThat(postgres.rows("select usename from pg_stat_activity where datname = ?", DATABASE))
                    .containsExactly(List.of("capped_b"));
            assertThat(pid(first)).isNotEqualTo(pid);
            assertThat(node.node().permitsHeld(DATABASE, "capped_b")).isZero();
        }
    }

    @Test
    void shouldTellWhoWaitsWhileAllAreInTransactions() {
        TestPostgres postgres = given(PostgresMajor.NEWEST);
        try (TestNode node = node(postgres, all -> all.withMaxDbConnections(1), 1, Duration.ofSeconds(1));
                RawClient first = client(node, "capped_a");
                RawClient second = client(node, "capped_b")) {
            second.query("select 1");
            first.query("begin");

            ErrorResponse error = second.queryExpectingError("select 1");

            assertThat(error.sqlState().code()).isEqualTo("53300");
            assertThat(error.message()).contains("query_wait_timeout");
            assertThat(error.fields().get('D')).contains("max_db_connections");
            first.query("commit");
            assertThat(second.query("select 'served'").toString()).isEqualTo("[[served]]");
        }
    }

    @Test
    void shouldOpenTheReserveForWhoWaitsAndCloseItAgain() {
        TestPostgres postgres = given(PostgresMajor.NEWEST);
        UnaryOperator<DatabaseLimits> limits = all -> all.withMaxDbConnections(1)
                .withReservePoolSize(1)
                .withReservePoolTimeout(Duration.ofMillis(100))
                .withMinConnectionLifetime(Duration.ofMillis(1));
        try (TestNode node = node(postgres, limits, 1, Duration.ofSeconds(5));
                RawClient first = client(node, "capped_a");
                RawClient second = client(node, "capped_b")) {
            first.query("begin");

            second.query("begin");

            assertThat(postgres.backends(DATABASE)).isEqualTo(2);
            second.query("commit");
            await().until(() -> postgres.backends(DATABASE) == 1);
            assertThat(first.query("select 'still here'").toString()).isEqualTo("[[still here]]");
            first.query("commit");
        }
    }

    /// It counts like every other one, but its session has no other connection to go on with.
    @Test
    void shouldNotTakeTheConnectionOfAReplicationSession() {
        TestPostgres postgres = given(PostgresMajor.NEWEST);
        postgres.sql("alter role capped_a replication");
        UnaryOperator<DatabaseLimits> limits =
                all -> all.withMaxDbConnections(2).withMinConnectionLifetime(Duration.ZERO);
        try (TestNode node = node(postgres, limits, 2, Duration.ofSeconds(1));
                RawClient walsender = RawClient.connects(node.host(), node.port())) {
            walsender.logsIn("capped_a", PASSWORD, DATABASE, "replication", "database");
            var before = walsenders(postgres);
            try (RawClient first = client(node, "capped_b");
                    RawClient second = client(node, "capped_b")) {
                first.query("begin");

                ErrorResponse error = second.queryExpectingError("select 1");

                assertThat(error.fields().get('D')).contains("max_db_connections");
                assertThat(walsenders(postgres)).isEqualTo(before).hasSize(1);
                assertThat(walsender.query("IDENTIFY_SYSTEM")).hasSize(1);
                first.query("commit");
            }
        }
    }

    private static List<List<String>> walsenders(TestPostgres postgres) {
        return postgres.rows(
                "select pid from pg_stat_activity where backend_type = 'walsender' and datname = ?", DATABASE);
    }

    private static TestPostgres given(PostgresMajor major) {
        TestPostgres postgres = TestPostgres.shared(major);
        if (postgres.rows("select 1 from pg_roles where rolname = ?", USERS.getFirst())
                .isEmpty()) {
            USERS.forEach(user -> postgres.createUser(user, PASSWORD, "scram-sha-256"));
            postgres.createDatabase(DATABASE, USERS.getFirst());
        }
        await().until(() -> postgres.backends(DATABASE) == 0);
        return postgres;
    }

    private static TestNode node(
            TestPostgres postgres, UnaryOperator<DatabaseLimits> limits, int poolSize, Duration wait) {
        TestNode.Builder node = TestNode.inFrontOf(postgres.host(), postgres.port())
                .general(general -> general.withDatabaseLimits(limits.apply(general.databaseLimits())))
                .pools(pools -> pools.withPoolSize(poolSize).withQueryWaitTimeout(wait));
        USERS.forEach(user -> node.user(DATABASE, user, PASSWORD));
        return node.start();
    }

    private static RawClient client(TestNode node, String user) {
        return RawClient.connects(node.host(), node.port()).logsIn(user, PASSWORD, DATABASE);
    }

    private static String pid(RawClient client) {
        return client.query("select pg_backend_pid()").toString();
    }

    private static int held(TestNode node) {
        return USERS.stream()
                .mapToInt(user -> node.node().permitsHeld(DATABASE, user))
                .sum();
    }
}
