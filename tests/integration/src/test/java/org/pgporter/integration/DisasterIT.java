package org.pgporter.integration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.pgporter.config.PoolMode;
import org.pgporter.node.ProxyNode;
import org.pgporter.support.PostgresMajor;
import org.pgporter.support.RawClient;
import org.pgporter.support.StopMode;
import org.pgporter.support.TestPostgres;

/// Backends, PostgreSQL and clients die while many others work. Clients hear PostgreSQL's own SQLSTATEs, nobody gets
/// an answer to somebody else's question, and afterwards nothing is left behind.
class DisasterIT {
    private static final int POOL_SIZE = 5;
    private static final int CROWD = 25;

    /// What a client may be told when PostgreSQL goes away: by PostgreSQL itself in its last words, or by the node.
    /// The driver's own 08006 comes where its next query crosses the server's last words, as without a proxy.
    private static final Set<String> TELLS_OF_LOSS =
            Set.of("57P01", "57P02", "57P03", "08006", "08000", "53300", "driver 08006");

    private static final Map<PostgresMajor, TestPostgres> SERVERS = new EnumMap<>(PostgresMajor.class);

    @AfterAll
    static void stopServers() {
        SERVERS.values().forEach(TestPostgres::close);
        SERVERS.clear();
    }

    private static Proxied given(PostgresMajor major) {
        TestPostgres postgres =
                SERVERS.computeIfAbsent(major, it -> TestPostgres.of(it).start());
        return Proxied.start(
                postgres,
                PoolMode.TRANSACTION,
                "disaster",
                POOL_SIZE,
                node -> node.pools(pools -> pools.withServerLoginRetry(Duration.ofMillis(200))));
    }

    /// The disaster happens while the crowd works, and the crowd has to work on afterwards.
    private static void survives(PostgresMajor major, Consumer<Proxied> disaster) {
        try (Proxied proxied = given(major);
                Crowd crowd = new Crowd(proxied, CROWD)) {
            crowd.awaitAnswers(500);
            disaster.accept(proxied);
            crowd.awaitAnswers(500);
            crowd.leaves();
            assertThat(crowd.mixedUp()).isEmpty();
            assertThat(crowd.failures().keySet())
                    .as(crowd.failures().toString())
                    .isSubsetOf(TELLS_OF_LOSS);
            leavesNothingBehind(proxied);
        }
    }

    private static void leavesNothingBehind(Proxied proxied) {
        ProxyNode node = proxied.node().node();
        String name = proxied.name();
        await().atMost(Duration.ofSeconds(10))
                .pollInterval(Duration.ofMillis(20))
                .untilAsserted(() -> {
                    assertThat(node.holdings()).isEqualTo(new ProxyNode.Holdings(0, 0));
                    assertThat(proxied.postgres()
                                    .rows(
                                            "select state, query from pg_stat_activity where usename = ? and state <> 'idle'",
                                            name))
                            .isEmpty();
                    assertThat(node.permitsHeld(name, name))
                            .isEqualTo(proxied.postgres().backends(name))
                            .isLessThanOrEqualTo(POOL_SIZE);
                });
        long start = System.nanoTime();
        try (RawClient client =
                RawClient.connects(proxied.node().host(), proxied.node().port())) {
            client.logsIn(name, Proxied.PASSWORD, name);
            assertThat(client.query("select 'works'").toString()).isEqualTo("[[works]]");
        }
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(2));
    }

    @ParameterizedTest
    @EnumSource(PostgresMajor.class)
    void shouldSurviveTheKillOfABackend(PostgresMajor major) {
        survives(major, proxied -> {
            proxied.postgres()
                    .killBackend(proxied.postgres().backendPids(proxied.name()).getFirst());
            proxied.postgres().awaitReady();
        });
    }

    @ParameterizedTest
    @EnumSource(PostgresMajor.class)
    void shouldSurviveTheKillOfPostgres(PostgresMajor major) {
        try (Proxied proxied = given(major);
                Crowd crowd = new Crowd(proxied, CROWD)) {
            // Given
            crowd.awaitAnswers(200);
            // When
            proxied.postgres().kill();
            crowd.awaitFailures(2 * CROWD);
            proxied.postgres().start();
            crowd.awaitAnswers(500);
            crowd.leaves();
            // Then
            assertThat(crowd.mixedUp()).isEmpty();
            assertThat(crowd.failures().keySet())
                    .as(crowd.failures().toString())
                    .isSubsetOf(TELLS_OF_LOSS);
            leavesNothingBehind(proxied);
        }
    }

    @ParameterizedTest
    @EnumSource(PostgresMajor.class)
    void shouldSurviveARestartOfPostgres(PostgresMajor major) { // checklist 121
        survives(major, proxied -> {
            proxied.postgres().stop(StopMode.FAST);
            proxied.postgres().start();
        });
    }

    @ParameterizedTest
    @EnumSource(PostgresMajor.class)
    void shouldSurviveThatBackendsAreTerminated(PostgresMajor major) { // checklist 95
        survives(major, proxied -> {
            for (int round = 0; round < 10; round++) {
                proxied.postgres()
                        .rows(
                                "select pg_terminate_backend(pid), pg_sleep(0.02) from pg_stat_activity where usename = ?",
                                proxied.name());
            }
        });
    }

    /// A backend that died while nobody used it is no client's affair.
    @ParameterizedTest
    @EnumSource(PostgresMajor.class)
    void shouldNotTellClientsOfBackendsThatDiedIdle(PostgresMajor major) throws Exception { // checklist 109, 121
        try (Proxied proxied = given(major);
                Connection connection = proxied.connect();
                var statement = connection.createStatement()) {
            for (int round = 0; round < 10; round++) {
                // Given
                statement.execute("select 1");
                List<Integer> pids = proxied.postgres().backendPids(proxied.name());
                pids.forEach(pid -> proxied.postgres().rows("select pg_terminate_backend(?)", pid));
                await().until(() ->
                        Collections.disjoint(pids, proxied.postgres().backendPids(proxied.name())));
                // When, then: no exception
                statement.execute("select 1");
            }
        }
    }

    // ---- clients that vanish ------------------------------------------------------------------------------------

    /// How far a client gets before it vanishes.
    private static Map<String, Consumer<RawClient>> phases(String name) {
        Map<String, Consumer<RawClient>> phases = new LinkedHashMap<>();
        byte[] half = Arrays.copyOf("Q\0\0\0\144select 'half a message".getBytes(StandardCharsets.US_ASCII), 20);
        Consumer<RawClient> login = client -> client.logsIn(name, Proxied.PASSWORD, name);
        phases.put("connected", _ -> {});
        phases.put(
                "half a startup packet", client -> client.sendsRaw((byte) 0, (byte) 0, (byte) 0, (byte) 50, (byte) 0));
        phases.put("encryption asked for", RawClient::sendsSslRequest);
        phases.put("authentication", client -> client.sendsStartup(name, name));
        phases.put(
                "half an authentication",
                client -> client.sendsStartup(name, name).sendsRaw((byte) 'p', (byte) 0, (byte) 0));
        phases.put("idle", login);
        phases.put("half a query", login.andThen(client -> client.sendsRaw(half)));
        phases.put("a query in the queue", login.andThen(client -> client.sendsQuery("select 'never read'")));
        phases.put(
                "half a query behind a query",
                login.andThen(
                        client -> client.sendsQuery("select pg_sleep(0.1)").sendsRaw(half)));
        phases.put("a long query", login.andThen(client -> client.sendsQuery("select pg_sleep(60)")));
        phases.put("a transaction", login.andThen(client -> {
            client.query("begin");
            client.query("insert into vanished values (1)");
        }));
        phases.put("a transaction with a query", login.andThen(client -> {
            client.query("begin");
            client.query("insert into vanished values (2)");
            client.sendsQuery("select pg_sleep(0.2)");
        }));
        phases.put("a failed transaction", login.andThen(client -> {
            client.query("begin");
            client.query("insert into vanished values (3)");
            client.queryExpectingError("select 1/0");
        }));
        phases.put("a transaction and half a query", login.andThen(client -> {
            client.query("begin");
            client.query("insert into vanished values (4)");
            client.sendsRaw(half);
        }));
        phases.put(
                "copy in",
                login.andThen(
                        client -> client.sendsQuery("copy vanished from stdin").sendsCopyData("5\n6\n")));
        phases.put(
                "half a copy message",
                login.andThen(client -> client.sendsQuery("copy vanished from stdin")
                        .sendsRaw((byte) 'd', (byte) 0, (byte) 0, (byte) 1, (byte) 0, (byte) '7', (byte) '\n')));
        phases.put(
                "copy out",
                login.andThen(client -> client.sendsQuery(
                        "copy (select repeat('x', 1000) from generate_series(1, 300000)) to stdout")));
        phases.put(
                "rows that are not read",
                login.andThen(client -> client.sendsQuery("select repeat('x', 1000) from generate_series(1, 300000)")));
        phases.put(
                "an extended query without Sync",
                login.andThen(client -> client.sendsParse("s", "insert into vanished values (8)")
                        .sendsBind("", "s")
                        .sendsExecute("")
                        .sendsFlush()));
        phases.put(
                "an error in an extended query without Sync",
                login.andThen(client -> client.sendsParse("s", "select no_such_column")
                        .sendsBind("", "s")
                        .sendsExecute("")
                        .sendsFlush()));
        return phases;
    }

    @ParameterizedTest
    @EnumSource(PostgresMajor.class)
    void shouldSurviveClientsThatVanishInEveryPhase(PostgresMajor major) { // checklist 108
        try (Proxied proxied = given(major);
                Crowd crowd = new Crowd(proxied, CROWD / 2)) {
            // Given
            proxied.sql(
                    "drop table if exists vanished",
                    "create table vanished (n int)",
                    "alter table vanished owner to " + proxied.name());
            crowd.awaitAnswers(100);
            Map<String, Consumer<RawClient>> phases = phases(proxied.name());
            // When
            for (int round = 0; round < 4; round++) {
                boolean politely = round % 2 == 0;
                phases.forEach((_, phase) -> {
                    RawClient client = RawClient.connects(
                            proxied.node().host(), proxied.node().port());
                    phase.accept(client);
                    if (politely) {
                        client.closes();
                    } else {
                        client.resets();
                    }
                });
                crowd.awaitAnswers(200);
            }
            crowd.leaves();
            // Then
            assertThat(crowd.mixedUp()).isEmpty();
            assertThat(crowd.failures()).isEmpty();
            leavesNothingBehind(proxied);
            assertThat(proxied.postgres().log()).doesNotContain("PANIC");
            try (RawClient client =
                    RawClient.connects(proxied.node().host(), proxied.node().port())) {
                client.logsIn(proxied.name(), Proxied.PASSWORD, proxied.name());
                assertThat(client.query("select n from vanished")).isEmpty();
            }
        }
    }
}
