package org.pgporter.integration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.pgporter.auth.credential.StoredCredential;
import org.pgporter.config.PoolMode;
import org.pgporter.config.PoolOverrides;
import org.pgporter.config.TimeoutOverrides;
import org.pgporter.config.UserConfig;
import org.pgporter.protocol.message.BackendMessage;
import org.pgporter.protocol.message.ErrorResponse;
import org.pgporter.protocol.message.Severity;
import org.pgporter.protocol.message.TransactionStatus;
import org.pgporter.support.PostgresMajor;
import org.pgporter.support.RawClient;
import org.pgporter.support.TestPostgres;

/// What a timeout leaves behind at PostgreSQL: nothing that runs, nothing that is locked, and no backend too many.
/// Each user has one timeout.
class TimeoutsOnPostgresIT {
    private static final String DATABASE = "timeouts";
    private static final String PASSWORD = "secret";
    private static final Duration LIMIT = Duration.ofMillis(500);

    private static final Map<String, TimeoutOverrides> USERS = Map.of(
            "timeouts_query", TimeoutOverrides.none().withQueryTimeout(LIMIT),
            "timeouts_transaction", TimeoutOverrides.none().withTransactionTimeout(LIMIT),
            "timeouts_idle_transaction", TimeoutOverrides.none().withIdleTransactionTimeout(LIMIT),
            "timeouts_client_idle", TimeoutOverrides.none().withClientIdleTimeout(LIMIT));

    private static TestNode node(TestPostgres postgres, PoolMode mode) {
        if (postgres.rows("select 1 from pg_database where datname = ?", DATABASE)
                .isEmpty()) {
            USERS.keySet().forEach(user -> postgres.createUser(user, PASSWORD, "scram-sha-256"));
            postgres.createDatabase(DATABASE, "timeouts_query");
            postgres.sqlIn(
                    DATABASE,
                    "create table public.t (i int)",
                    "create table public.u (i int)",
                    "grant all on t, u to public");
        }
        TestNode.Builder node = TestNode.inFrontOf(postgres.host(), postgres.port())
                .pools(pools -> pools.withPoolMode(mode).withPoolSize(2));
        USERS.forEach((user, timeouts) -> node.user(
                DATABASE,
                UserConfig.of(user, StoredCredential.parse(postgres.secretOf(user)))
                        .withOverrides(PoolOverrides.none().withTimeouts(timeouts))));
        return node.start();
    }

    @ParameterizedTest
    @MethodSource("org.pgporter.integration.Proxied#majorsAndModes")
    void shouldLeaveNothingBehind(PostgresMajor major, PoolMode mode) {
        TestPostgres postgres = TestPostgres.shared(major);
        try (TestNode node = node(postgres, mode);
                RawClient sleeping = client(node, "timeouts_query");
                RawClient copying = client(node, "timeouts_query");
                RawClient busy = client(node, "timeouts_transaction");
                RawClient forgotten = client(node, "timeouts_idle_transaction");
                RawClient idle = client(node, "timeouts_client_idle")) {
            // When
            sleeping.sendsQuery("select pg_sleep(60)");
            copying.sendsQuery("copy u from stdin");
            forgotten.query("begin");
            forgotten.query("insert into t values (1)");
            forgotten.query("lock table t in exclusive mode");

            // Then
            assertEnds(busyUntilTheEnd(busy), "25P04");
            assertEnds(sleeping.expects(ErrorResponse.class), "57014");
            // On a busy machine the time may be over before PostgreSQL has begun.
            BackendMessage first = copying.expectsAny();
            assertEnds(first instanceof ErrorResponse error ? error : copying.expects(ErrorResponse.class), "57014");
            assertEnds(forgotten.expects(ErrorResponse.class), "25P03");
            assertEnds(idle.expects(ErrorResponse.class), "57P05");
            for (RawClient each : List.of(sleeping, copying, busy, forgotten, idle)) {
                each.expectsClosed();
            }
            node.awaitNothingHeld();
            USERS.keySet()
                    .forEach(user -> await().atMost(Duration.ofSeconds(10))
                            .untilAsserted(() -> assertNothingIsLeft(postgres, node, user)));
            assertThat(rows(postgres)).isZero();
            try (RawClient next = client(node, "timeouts_idle_transaction")) {
                assertThat(next.query("select count(*) from t").toString()).isEqualTo("[[0]]");
            }
        }
    }

    /// Never idle, and never done: what neither of the other timeouts ends (PgBouncer's #1242).
    private static ErrorResponse busyUntilTheEnd(RawClient client) {
        client.query("begin");
        while (true) {
            client.sendsQuery("select 1");
            BackendMessage first = client.expectsAny();
            if (first instanceof ErrorResponse error) {
                return error;
            }
            client.expectsRow("1");
            client.expectsCommandComplete("SELECT 1");
            client.expectsReadyForQuery(TransactionStatus.IN_TRANSACTION);
        }
    }

    private static void assertEnds(ErrorResponse error, String sqlState) {
        assertThat(error.severity()).isEqualTo(Severity.FATAL);
        assertThat(error.sqlState().code()).isEqualTo(sqlState);
    }

    private static void assertNothingIsLeft(TestPostgres postgres, TestNode node, String user) {
        assertThat(postgres.rows(
                        "select state, query from pg_stat_activity where usename = ? and state <> 'idle'", user))
                .isEmpty();
        int backends = postgres.rows("select 1 from pg_stat_activity where usename = ?", user)
                .size();
        assertThat(node.node().permitsHeld(DATABASE, user)).isEqualTo(backends);
    }

    private static long rows(TestPostgres postgres) {
        try (RawClient direct = RawClient.connects(postgres)) {
            direct.logsIn("timeouts_query", PASSWORD, DATABASE);
            return direct.query("select * from t").size();
        }
    }

    private static RawClient client(TestNode node, String user) {
        return RawClient.connects(node.host(), node.port()).logsIn(user, PASSWORD, DATABASE);
    }
}
