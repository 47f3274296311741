package org.pgporter.integration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.pgporter.protocol.message.TransactionStatus.IN_TRANSACTION;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.ToIntFunction;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.pgporter.config.PoolMode;
import org.pgporter.support.PostgresMajor;
import org.pgporter.support.RawClient;
import org.pgporter.support.TestPostgres;

/// One pool that is used from two event loops. The listener deals clients to the loops in turn, so those with an even
/// number in the order of connecting are on one loop, and the others on the other.
@Timeout(60)
class TwoLoopsIT {
    private static final String PREFIX = "loops";

    @Test
    void shouldServeBothLoopsInTurnWithOneConnection() { // checklist 113
        try (Proxied proxied = proxied(1)) {
            List<RawClient> clients = clients(proxied, 4);
            clients.getFirst().query("begin");

            for (int round = 0; round < 40; round++) {
                RawClient has = clients.get(round % 4);
                RawClient next = clients.get((round + 1) % 4);
                next.sendsQuery("begin");
                has.query("commit");
                next.expectsCommandComplete("BEGIN");
                next.expectsReadyForQuery(IN_TRANSACTION);
            }

            clients.getFirst().query("commit");
            assertThat(proxied.postgres().backends(proxied.name())).isEqualTo(1);
            clients.forEach(RawClient::terminates);
        }
    }

    @Test
    void shouldUseWhatIsIdleOnTheOtherLoopWhenNoMoreCanBeOpened() {
        try (Proxied proxied = proxied(2)) {
            List<RawClient> clients = clients(proxied, 6);
            clients.get(0).query("begin");
            clients.get(2).query("begin");
            RawClient waiting = clients.get(1);
            waiting.sendsQuery("begin");

            clients.get(2).query("commit");

            waiting.expectsCommandComplete("BEGIN");
            waiting.expectsReadyForQuery(IN_TRANSACTION);
            clients.get(0).query("commit");
            assertThat(clients.get(3).query("select 'other loop'").toString()).isEqualTo("[[other loop]]");
            waiting.query("commit");
            Set<String> pids = new HashSet<>();
            clients.forEach(
                    client -> pids.add(client.query("select pg_backend_pid()").toString()));
            assertThat(pids).hasSizeBetween(1, 2);
            assertThat(proxied.postgres().backends(proxied.name())).isEqualTo(2);
            clients.forEach(RawClient::terminates);
        }
    }

    @Test
    void shouldNeverHaveMoreBackendsThanTheSize() { // checklist 114
        try (Proxied proxied = proxied(3);
                BackendCensus census = new BackendCensus(proxied.postgres(), proxied.name());
                Crowd crowd = new Crowd(proxied, 12)) {
            for (int i = 0; i < 5; i++) {
                crowd.awaitAnswers(100);
                proxied.postgres()
                        .rows(
                                "select pg_terminate_backend(pid) from pg_stat_activity where usename = ? limit 1",
                                proxied.name());
            }
            crowd.awaitAnswers(200);
            crowd.leaves();

            assertThat(crowd.mixedUp()).isEmpty();
            assertThat(census.most()).isEqualTo(3);
            assertThat(proxied.node().node().permitsHeld(proxied.name(), proxied.name()))
                    .isBetween(1, 3);
        }
    }

    @Test
    void shouldGoOnWhenABackendIsKilledUnderTheLoadOfBothLoops() {
        try (TestPostgres postgres = TestPostgres.newest().start();
                Proxied proxied = Proxied.start(postgres, PoolMode.TRANSACTION, PREFIX, 3, TwoLoopsIT::twoLoops);
                Crowd crowd = new Crowd(proxied, 8)) {
            crowd.awaitAnswers(100);
            long before = crowd.failureCount();
            postgres.killBackend(postgres.backendPids(proxied.name()).getFirst());
            crowd.awaitFailures(1, before);
            crowd.awaitAnswers(300);
            crowd.leaves();

            assertThat(crowd.mixedUp()).isEmpty();
            await().until(() -> postgres.backends(proxied.name()) <= 3);
        }
    }

    /// Twice as many clients on one loop as on the other: everybody is served equally often all the same, because
    /// nobody is overtaken by much.
    @Test
    void shouldServeInTheOrderOfAskingAcrossLoops() throws Exception { // checklist 113
        try (Proxied proxied = proxied(4)) {
            List<RawClient> all = clients(proxied, 64);
            Queue<String> wrong = new ConcurrentLinkedQueue<>();
            List<AtomicInteger> served =
                    all.stream().map(_ -> new AtomicInteger()).toList();
            AtomicInteger together = new AtomicInteger();
            List<Thread> asking = new ArrayList<>();
            for (int i = 0; i < all.size(); i++) {
                RawClient client = all.get(i);
                AtomicInteger count = served.get(i);
                if (i % 4 == 1) {
                    continue; // half of those of one loop have nothing to do
                }
                asking.add(Thread.ofVirtual()
                        .uncaughtExceptionHandler((_, failure) -> wrong.add(failure.toString()))
                        .start(() -> {
                            while (together.get() < 2_400) {
                                client.query("select pg_sleep(0.002)");
                                count.incrementAndGet();
                                together.incrementAndGet();
                            }
                        }));
            }
            for (Thread thread : asking) {
                thread.join();
            }

            assertThat(wrong).isEmpty();
            ToIntFunction<Integer> timesServed = i -> served.get(i).get();
            double many = IntStream.range(0, 64)
                    .filter(i -> i % 2 == 0)
                    .map(timesServed::applyAsInt)
                    .average()
                    .orElseThrow();
            double few = IntStream.range(0, 64)
                    .filter(i -> i % 4 == 3)
                    .map(timesServed::applyAsInt)
                    .average()
                    .orElseThrow();
            assertThat(few / many).isBetween(1 / 1.4, 1.4);
            all.forEach(RawClient::terminates);
        }
    }

    private static Proxied proxied(int poolSize) {
        return Proxied.start(
                TestPostgres.shared(PostgresMajor.NEWEST),
                PoolMode.TRANSACTION,
                PREFIX,
                poolSize,
                TwoLoopsIT::twoLoops);
    }

    private static TestNode.Builder twoLoops(TestNode.Builder node) {
        return node.general(
                general -> general.withEventLoops(general.eventLoops().withWorkerThreads(2)));
    }

    private static List<RawClient> clients(Proxied proxied, int many) {
        List<RawClient> clients = new ArrayList<>();
        for (int i = 0; i < many; i++) {
            clients.add(RawClient.connects(proxied.node().host(), proxied.node().port())
                    .logsIn(proxied.name(), Proxied.PASSWORD, proxied.name()));
        }
        return clients;
    }
}
