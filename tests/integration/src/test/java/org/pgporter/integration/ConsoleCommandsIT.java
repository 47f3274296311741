package org.pgporter.integration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.pgporter.auth.credential.StoredCredential;
import org.pgporter.config.PoolMode;
import org.pgporter.protocol.message.ErrorResponse;
import org.pgporter.protocol.message.TransactionStatus;
import org.pgporter.support.RawClient;
import org.pgporter.support.TestPostgres;

/// What an operator does to a node that is at work.
class ConsoleCommandsIT {
    private static final String OPERATOR = "operator";
    private static final String OPENS = "opens";
    private static final int POOL_SIZE = 3;

    private static Proxied start(String name) {
        return Proxied.start(
                TestPostgres.shared(),
                PoolMode.TRANSACTION,
                name,
                POOL_SIZE,
                node -> node.pools(pools -> pools.withQueryWaitTimeout(Duration.ofSeconds(60)))
                        .general(general -> general.withConsole(
                                        general.console().withAdmin(OPERATOR, StoredCredential.parse(OPENS)))
                                .withEventLoops(general.eventLoops().withWorkerThreads(2))));
    }

    private static ConsoleClient console(Proxied proxied) {
        return ConsoleClient.at(proxied.node(), OPERATOR, OPENS);
    }

    private static RawClient client(Proxied proxied, String... parameters) {
        return RawClient.connects(proxied.node().host(), proxied.node().port())
                .logsIn(proxied.name(), Proxied.PASSWORD, proxied.name(), parameters);
    }

    private static Set<String> backends(Proxied proxied) {
        return proxied
                .postgres()
                .rows("select pid::text from pg_stat_activity where usename = ?", proxied.name())
                .stream()
                .map(List::getFirst)
                .collect(Collectors.toSet());
    }

    // ---- PAUSE

    @Test
    void shouldPauseAndResumeUnderLoadWithoutLosingAQuery() {
        try (Proxied proxied = start("console_pause");
                Crowd crowd = new Crowd(proxied, 8);
                ConsoleClient console = console(proxied)) {
            for (int round = 0; round < 3; round++) {
                crowd.awaitAnswers(200);

                console.says(round == 1 ? "PAUSE " + proxied.name() : "PAUSE");

                assertThat(console.show("SERVERS")).isEmpty();
                await().untilAsserted(() -> assertThat(backends(proxied)).isEmpty());
                await().untilAsserted(
                                () -> assertThat(console.pool(proxied.name()).values())
                                        .containsEntry("cl_waiting", "8")
                                        .containsEntry("cl_active", "0")
                                        .containsEntry("sv_active", "0")
                                        .containsEntry("paused", "1"));
                assertThat(console.find("DATABASES", row -> row.has("name", proxied.name()))
                                .get("paused"))
                        .isEqualTo("1");
                console.says(round == 1 ? "RESUME " + proxied.name() : "RESUME");
            }
            crowd.awaitAnswers(200);
            crowd.leaves();
            assertThat(crowd.failures()).isEmpty();
            assertThat(crowd.mixedUp()).isEmpty();
        }
    }

    @Test
    void shouldWaitForOpenTransactionsAndLetNewQueriesWait() {
        try (Proxied proxied = start("console_waits");
                ConsoleClient pausing = console(proxied);
                ConsoleClient looking = console(proxied);
                RawClient busy = client(proxied);
                RawClient other = client(proxied)) {
            busy.query("begin");
            pausing.wire().sendsQuery("PAUSE " + proxied.name());
            await().until(() -> looking.pool(proxied.name()).has("paused", 1));

            other.sendsQuery("select 'later'");
            await().until(() -> looking.pool(proxied.name()).has("cl_waiting", 1));
            assertThat(looking.find("SERVERS", row -> row.has("state", "active"))
                            .get("close_needed"))
                    .isEqualTo("1");
            assertThat(busy.query("select 'still'")).isEqualTo(List.of(List.of("still")));
            busy.query("commit");
            pausing.wire().expectsCommandComplete("PAUSE");
            pausing.wire().expectsReadyForQuery(TransactionStatus.IDLE);
            assertThat(looking.show("SERVERS")).isEmpty();

            // Who logs in now waits, too, but only with his first query: what the server is like is known.
            try (RawClient third = client(proxied)) {
                third.sendsQuery("select 'third'");
                await().until(() -> looking.pool(proxied.name()).has("cl_waiting", 2));
                looking.says("RESUME " + proxied.name());
                other.expects(org.pgporter.protocol.message.RowDescription.class);
                other.expectsRow("later");
                third.expects(org.pgporter.protocol.message.RowDescription.class);
                third.expectsRow("third");
            }
        }
    }

    @Test
    void shouldGiveUpAPauseThatIsCancelled() {
        try (Proxied proxied = start("console_cancel");
                ConsoleClient pausing = console(proxied);
                RawClient busy = client(proxied);
                RawClient other = client(proxied)) {
            busy.query("begin");
            pausing.wire().sendsQuery("PAUSE");
            other.sendsQuery("select 'served'");

            pausing.wire().cancel();

            pausing.wire().expectsError("57014");
            pausing.wire().expectsReadyForQuery(TransactionStatus.IDLE);
            other.expects(org.pgporter.protocol.message.RowDescription.class);
            other.expectsRow("served");
            assertThat(pausing.find("STATE", row -> row.has("key", "paused")).get("value"))
                    .isEqualTo("no");
        }
    }

    @Test
    void shouldLetPoolsBeginPausedThatComeLater() {
        try (Proxied proxied = start("console_later");
                ConsoleClient console = console(proxied)) {
            console.says("PAUSE");
            CompletableFuture<RawClient> waiting = CompletableFuture.supplyAsync(() -> RawClient.connects(
                            proxied.node().host(), proxied.node().port())
                    .logsIn(proxied.name(), Proxied.PASSWORD, proxied.name() + "_other"));
            await().until(() -> console.show("SOCKETS").stream().anyMatch(row -> row.has("state", "cl_login")));
            assertThat(backends(proxied)).isEmpty();

            console.says("RESUME");

            waiting.join().close();
        }
    }

    // ---- KILL, RECONNECT, DISABLE

    @Test
    void shouldKillADatabaseAndLeaveItPaused() {
        try (Proxied proxied = start("console_kill");
                ConsoleClient console = console(proxied);
                RawClient idle = client(proxied);
                RawClient busy = client(proxied)) {
            busy.query("begin");

            console.says("KILL " + proxied.name());

            assertThat(idle.expectsError("57P01").message()).contains("admin forced disconnect");
            assertThat(busy.expectsError("57P01").message()).contains("admin forced disconnect");
            assertThat(console.show("SERVERS")).isEmpty();
            await().until(() -> console.pool(proxied.name()).has("cl_active", 0));
            try (RawClient next = client(proxied)) {
                next.sendsQuery("select 'after'");
                await().until(() -> console.pool(proxied.name()).has("cl_waiting", 1));
                console.says("RESUME " + proxied.name());
                next.expects(org.pgporter.protocol.message.RowDescription.class);
                next.expectsRow("after");
            }
        }
    }

    @Test
    void shouldExchangeAllConnectionsUnderLoadAndNeverHaveMoreThanThePoolMay() {
        try (Proxied proxied = start("console_reconnect");
                BackendCensus census = new BackendCensus(proxied.postgres(), proxied.name());
                Crowd crowd = new Crowd(proxied, 8);
                ConsoleClient console = console(proxied)) {
            crowd.awaitAnswers(200);
            for (int i = 0; i < 20; i++) {
                console.says("RECONNECT");
                crowd.awaitAnswers(20);
            }
            Set<String> before = backends(proxied);
            assertThat(before).isNotEmpty();

            console.says("RECONNECT " + proxied.name());
            console.says("WAIT_CLOSE " + proxied.name());

            assertThat(console.show("SERVERS")).noneMatch(row -> before.contains(row.get("remote_pid")));
            crowd.awaitAnswers(200);
            await().untilAsserted(() -> assertThat(backends(proxied)).doesNotContainAnyElementsOf(before));
            assertThat(census.most()).isLessThanOrEqualTo(POOL_SIZE);
            crowd.leaves();
            assertThat(crowd.failures()).isEmpty();
            assertThat(crowd.mixedUp()).isEmpty();
        }
    }

    @Test
    void shouldRefuseNewClientsOfADisabledDatabase() {
        try (Proxied proxied = start("console_disable");
                ConsoleClient console = console(proxied);
                RawClient there = client(proxied)) {
            console.says("DISABLE " + proxied.name());

            try (RawClient late =
                    RawClient.connects(proxied.node().host(), proxied.node().port())) {
                ErrorResponse error = late.logsInExpectingError(proxied.name(), Proxied.PASSWORD, proxied.name());
                assertThat(error.message()).isEqualTo("database \"" + proxied.name() + "\" is disabled");
                assertThat(error.sqlState().code()).isEqualTo("55000");
            }
            assertThat(there.query("select 'goes on'")).hasSize(1);
            assertThat(console.find("DATABASES", row -> row.has("name", proxied.name()))
                            .get("disabled"))
                    .isEqualTo("1");
            console.says("ENABLE " + proxied.name());
            client(proxied).close();
        }
    }

    // ---- mistakes

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "PAUSE nothing         | 3D000 | no such database: nothing",
                "KILL nothing          | 3D000 | no such database: nothing",
                "PAUSE pgbouncer       | 0A000 | cannot pause admin db: pgbouncer",
                "RECONNECT pgporter    | 0A000 | cannot reconnect admin db: pgporter",
                "DISABLE pgdoorman     | 0A000 | cannot disable admin db: pgdoorman",
                "ENABLE                | 42601 | a database is required",
                "RESUME                | 55000 | pooler is not paused/suspended",
                "RESUME console_errors_transaction | 55000 | database console_errors_transaction is not paused",
                "KILL_CLIENT 4711      | 42704 | no such client: 4711",
                "KILL_CLIENT x         | 42704 | no such client: x",
                "SET pool_size = 3     | 22023 | SET failed",
                "SET log_level = 'loud'| 22023 | SET failed",
                "SUSPEND               | 0A000 | SUSPEND is not supported",
                "DROP TABLE clients    | 42601 | invalid command 'DROP TABLE clients', use SHOW HELP;",
            })
    void shouldSayInPgBouncersWordsWhatIsWrong(String command, String sqlState, String message) {
        try (Proxied proxied = start("console_errors");
                ConsoleClient console = console(proxied)) {
            ErrorResponse error = console.refuses(command);
            assertThat(error.sqlState().code()).isEqualTo(sqlState);
            assertThat(error.message()).isEqualTo(message);
            assertThat(console.show("STATE")).hasSize(3);
        }
    }

    @Test
    void shouldSayThatEverythingIsPausedAlready() {
        try (Proxied proxied = start("console_twice");
                ConsoleClient console = console(proxied)) {
            console.says("PAUSE");
            assertThat(console.refuses("PAUSE").message()).isEqualTo("already suspended/paused");
            console.says("RESUME");
        }
    }

    // ---- numbers

    @Test
    void shouldCountWhatWasDone() {
        try (Proxied proxied = start("console_stats");
                ConsoleClient console = console(proxied)) {
            ConsoleClient.Row before = stats(console, proxied);
            try (RawClient client = client(proxied)) {
                for (int i = 0; i < 20; i++) {
                    client.query("select 1");
                }
                client.query("begin");
                for (int i = 0; i < 10; i++) {
                    client.query("select pg_sleep(0.001)");
                }
                client.query("commit");
            }
            ConsoleClient.Row after = stats(console, proxied);
            assertThat(more("total_query_count", before, after)).isEqualTo(32);
            assertThat(more("total_xact_count", before, after)).isEqualTo(21);
            assertThat(more("total_server_assignment_count", before, after)).isEqualTo(21);
            assertThat(more("total_client_login_count", before, after)).isEqualTo(1);
            assertThat(more("total_query_time", before, after)).isBetween(10_000L, 60_000_000L);
            assertThat(more("total_xact_time", before, after))
                    .isGreaterThanOrEqualTo(more("total_query_time", before, after) / 2);
            assertThat(more("total_received", before, after)).isGreaterThan(32 * 6);
            assertThat(more("total_sent", before, after)).isGreaterThan(32 * 20);
            Map<String, String> totals = console.show("TOTALS").stream()
                    .collect(Collectors.toMap(row -> row.get("name"), row -> row.get("value")));
            assertThat(totals).containsEntry("total_query_count", after.get("total_query_count"));
            assertThat(console.find("STATS_TOTALS", row -> row.has("database", proxied.name()))
                            .get("xact_count"))
                    .isEqualTo(after.get("total_xact_count"));
            ConsoleClient.Row extended = console.find("POOLS_EXTENDED", row -> row.has("database", proxied.name()));
            assertThat(extended.number("query_0.99")).isGreaterThanOrEqualTo(extended.number("query_0.5"));
            assertThat(extended.number("bytes_sent")).isEqualTo(after.number("total_sent"));
        }
    }

    private static ConsoleClient.Row stats(ConsoleClient console, Proxied proxied) {
        return console.find("STATS", row -> row.has("database", proxied.name()));
    }

    private static long more(String column, ConsoleClient.Row before, ConsoleClient.Row after) {
        return after.number(column) - before.number(column);
    }

    // ---- the end

    @Test
    void shouldWaitForClientsBeforeTheEnd() throws InterruptedException, ExecutionException, TimeoutException {
        Proxied proxied = start("console_shutdown");
        RawClient there = client(proxied);
        ConsoleClient console = console(proxied);
        there.query("select 1");

        console.says("SHUTDOWN WAIT_FOR_CLIENTS");

        try (RawClient late =
                RawClient.connects(proxied.node().host(), proxied.node().port())) {
            assertThat(late.logsInExpectingError(proxied.name(), Proxied.PASSWORD, proxied.name())
                            .sqlState()
                            .code())
                    .isEqualTo("57P03");
        }
        assertThat(there.query("select 'still'")).hasSize(1);
        try (ConsoleClient another = console(proxied)) {
            assertThat(another.pool(proxied.name()).get("cl_active")).isEqualTo("1");
        }
        assertThat(proxied.node().node().closed().toCompletableFuture()).isNotDone();
        there.terminates();
        // The console is not waited for.
        console.wire().expectsError("57P01");
        proxied.node().node().closed().toCompletableFuture().get(20, TimeUnit.SECONDS);
        proxied.close();
    }

    @Test
    void shouldEndAtOnce() throws InterruptedException, ExecutionException, TimeoutException {
        Proxied proxied = start("console_end");
        try (RawClient there = client(proxied);
                ConsoleClient console = console(proxied)) {
            there.query("begin");
            console.says("SHUTDOWN");
            there.expectsError("57P01");
            proxied.node().node().closed().toCompletableFuture().get(20, TimeUnit.SECONDS);
        }
        proxied.close();
    }
}
