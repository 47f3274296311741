package org.pgporter.soak;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.pgporter.config.PoolMode;
import org.pgporter.integration.TestNode;
import org.pgporter.soak.SoakClient.Pauses;
import org.pgporter.soak.SoakClient.Soak;
import org.pgporter.support.RawClient;
import org.pgporter.support.TestPostgres;
import org.slf4j.LoggerFactory;

/// Random clients, random disconnects and random deaths of backends, for as long as the property `soak.duration` says.
/// The sequence of each client follows from `soak.seed`, which is printed; who meets whom does not.
///
/// ```
/// warm-up ──► pause: measure ──► the long part ──► pause: measure, and count what is held ──► end
/// ```
///
/// In a pause no client has a session and no backend dies, so that both measurements see the same: a node that has
/// nothing to do.
class SoakIT {
    private static final int POOL_SIZE = 8;
    private static final int CLIENTS = 24;
    private static final String ROLE = "soak";
    private static final String PASSWORD = "secret";
    private static final long MEBIBYTE = 1 << 20;

    // A tenth of the time, within these bounds, is warm-up: caches fill, code is compiled.
    private static final Duration LEAST_WARM_UP = Duration.ofSeconds(5);
    private static final Duration MOST_WARM_UP = Duration.ofMinutes(1);

    // Ten minutes have some 25,000 sessions and two million answers: 300 bytes that each session left behind would be
    // seen. What may grow is what has a bound of its own, such as the values that PostgreSQL has accepted (2 MiB seen).
    private static final long MORE_HEAP_AT_MOST = 8 * MEBIBYTE;
    // The allocator keeps chunks for the next peak, and how high peaks are is chance.
    private static final long MORE_DIRECT_AT_MOST = 32 * MEBIBYTE;

    @Test
    @Timeout(value = 1, unit = TimeUnit.DAYS)
    void shouldLoseNothing() throws InterruptedException {
        Duration duration = Duration.parse(System.getProperty("soak.duration", "PT20S"));
        long seed = Long.getLong("soak.seed", System.nanoTime());
        System.out.println("soak.duration=" + duration + " soak.seed=" + seed);
        Duration tenth = duration.dividedBy(10);
        Duration warmUp = tenth.compareTo(LEAST_WARM_UP) < 0
                ? LEAST_WARM_UP
                : tenth.compareTo(MOST_WARM_UP) > 0 ? MOST_WARM_UP : tenth;

        // Sessions come and go by the hundred, and the node would tell of each.
        Logger log = (Logger) LoggerFactory.getLogger("org.pgporter");
        Level level = log.getLevel();
        log.setLevel(Level.ERROR);
        // A server of its own, which will be killed: what it has committed must have reached the operating system.
        try (TestPostgres postgres = TestPostgres.newest()
                        .setting("synchronous_commit", "on")
                        .start();
                TestNode node = node(postgres)) {
            Tally tally = new Tally();
            Pauses pauses = new Pauses();
            Soak soak = new Soak(
                    node.host(),
                    node.port(),
                    ROLE,
                    PASSWORD,
                    tally,
                    new AtomicInteger(),
                    new Semaphore(POOL_SIZE / 2),
                    pauses);
            List<Thread> clients = new ArrayList<>();
            for (int i = 0; i < CLIENTS; i++) {
                clients.add(Thread.ofPlatform().name("soak-client-" + i).start(new SoakClient(soak, i, seed)));
            }

            Footprint before = part(warmUp, postgres, node, seed, tally, pauses);
            long answersBefore = tally.answers();
            pauses.goesOn();
            Footprint after = part(duration.minus(warmUp), postgres, node, seed + 1, tally, pauses);
            pauses.ends();
            for (Thread client : clients) {
                client.join();
            }

            System.out.println(tally + "\nafter " + warmUp + " of warm-up and " + answersBefore + " answers: " + before
                    + "\nat the end: " + after);
            assertThat(tally.failures()).isEmpty();
            assertThat(tally.answers()).isGreaterThan(answersBefore);
            assertThat(tally.done())
                    .containsKeys(
                            "simple",
                            "extended",
                            "pipelined",
                            "skipped",
                            "portal",
                            "transaction",
                            "copy in",
                            "copy out",
                            "large",
                            "errors",
                            "cancel",
                            "set",
                            "prepared",
                            "deallocate",
                            "kept on a backend",
                            "pg_terminate_backend",
                            "kill -9 of a backend");
            assertThat(after.heap()).as("heap").isLessThanOrEqualTo(before.heap() + MORE_HEAP_AT_MOST);
            assertThat(after.direct()).as("direct buffers").isLessThanOrEqualTo(before.direct() + MORE_DIRECT_AT_MOST);
        } finally {
            log.setLevel(level);
        }
    }

    private static TestNode node(TestPostgres postgres) {
        postgres.createUser(ROLE, PASSWORD, "scram-sha-256");
        postgres.createDatabase(ROLE, ROLE);
        postgres.sqlIn(
                ROLE, "create table ledger (session text, token text unique)", "alter table ledger owner to " + ROLE);
        return TestNode.inFrontOf(postgres.host(), postgres.port())
                .user(ROLE, ROLE, postgres.secretOf(ROLE))
                .pools(pools -> pools.withPoolMode(PoolMode.TRANSACTION)
                        .withPoolSize(POOL_SIZE)
                        // Below the patience of the raw clients, so that the node is the one who complains.
                        .withQueryWaitTimeout(Duration.ofSeconds(8))
                        .withServerLoginRetry(Duration.ofMillis(50)))
                .start();
    }

    /// Lets everything happen for so long, and then stops it.
    ///
    /// @return the memory when nothing is held any more
    private static Footprint part(
            Duration time, TestPostgres postgres, TestNode node, long seed, Tally tally, Pauses pauses)
            throws InterruptedException {
        try (Mishaps _ = Mishaps.start(postgres, ROLE, seed, tally)) {
            tally.awaitFailure(time);
        }
        pauses.begins();
        node.awaitNothingHeld();
        await().atMost(Duration.ofSeconds(30)).until(() -> busyBackends(postgres) == 0);
        findsEveryBackend(postgres, node);
        return Footprint.now();
    }

    private static int busyBackends(TestPostgres postgres) {
        return postgres.rows(
                        "select 1 from pg_stat_activity where datname = ? and usename = ? and state <> 'idle'",
                        ROLE,
                        ROLE)
                .size();
    }

    /// As many transactions at one time as the pool has backends: were a lease lost, the last one would wait in vain.
    /// Nothing of any session is left on any of them.
    private static void findsEveryBackend(TestPostgres postgres, TestNode node) {
        List<RawClient> clients = new ArrayList<>();
        try {
            List<String> pids = new ArrayList<>();
            for (int i = 0; i < POOL_SIZE; i++) {
                clients.add(RawClient.connects(node.host(), node.port()).logsIn(ROLE, PASSWORD, ROLE));
                clients.getLast().query("begin");
                List<String> state = clients.getLast()
                        .query("select pg_backend_pid(), current_setting('work_mem'),"
                                + " coalesce(current_setting('soak.mine', true), ''),"
                                + " to_regclass('pg_temp.mine') is null, (select count(*) from pg_listening_channels()),"
                                + " (select count(*) from pg_cursors where is_holdable),"
                                + " (select count(*) from pg_prepared_statements where from_sql),"
                                + " (select count(*) from pg_locks where pid = pg_backend_pid()"
                                + " and locktype = 'advisory')")
                        .getFirst();
                pids.add(state.getFirst());
                assertThat(state.subList(1, state.size())).containsExactly("4MB", "", "t", "0", "0", "0", "0");
            }
            assertThat(pids).doesNotHaveDuplicates();
            assertThat(postgres.backends(ROLE)).isEqualTo(POOL_SIZE);
            assertThat(node.node().permitsHeld(ROLE, ROLE)).isEqualTo(POOL_SIZE);
        } finally {
            clients.forEach(RawClient::terminates);
        }
        node.awaitNothingHeld();
    }
}
