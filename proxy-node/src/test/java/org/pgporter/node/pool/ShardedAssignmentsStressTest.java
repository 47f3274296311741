package org.pgporter.node.pool;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Loops that ask and give back at the same time, in many short bursts with few connections. At the end of each burst
/// everything has been given back, so whoever still waits then has been forgotten.
@Timeout(60)
class ShardedAssignmentsStressTest {
    private static final long PATIENCE = TimeUnit.SECONDS.toNanos(10);
    private static final long DURATION = TimeUnit.MILLISECONDS.toNanos(1_500);

    private record Request(int number, AtomicInteger answers) {}

    private static final class Connection {
        final Loop home;
        final AtomicBoolean inUse = new AtomicBoolean();
        volatile boolean closed;

        Connection(Loop home) {
            this.home = home;
        }
    }

    /// What runs on one thread.
    private static final class Loop {
        final Shard<Connection, Integer, Request> shard;
        final Queue<Connection> comesBack = new ConcurrentLinkedQueue<>();
        final List<Request> asked = new ArrayList<>();

        Loop(Shard<Connection, Integer, Request> shard) {
            this.shard = shard;
        }
    }

    private final Queue<String> wrong = new ConcurrentLinkedQueue<>();
    private final AtomicInteger lentAcross = new AtomicInteger();
    private final AtomicInteger again = new AtomicInteger();
    private final AtomicInteger numbers = new AtomicInteger();
    private final AtomicInteger unanswered = new AtomicInteger();
    private final AtomicInteger asking = new AtomicInteger();
    private final ShardedAssignments<Connection, Integer, Request> assignments =
            new ShardedAssignments<>(new ShardedAssignments.Hands<>() {
                @Override
                public void lend(Connection connection, Request request) {
                    if (!connection.inUse.compareAndSet(false, true)) {
                        wrong.add("lent twice");
                    }
                    if (connection.closed) {
                        wrong.add("lent after its end");
                    }
                    answered(request);
                    connection.home.comesBack.add(connection);
                }

                @Override
                public void waitsAgain(int loop) {
                    again.incrementAndGet();
                }

                @Override
                public void borrowsOften(int loop) {
                    lentAcross.incrementAndGet();
                }
            });
    private final List<Loop> loops = new ArrayList<>();
    private volatile boolean over;

    private void answered(Request request) {
        if (request.answers().incrementAndGet() != 1) {
            wrong.add("answered twice");
        }
        unanswered.decrementAndGet();
    }

    @ParameterizedTest
    @CsvSource({"2, 1, 0", "2, 2, 1", "3, 1, 1", "3, 4, 0", "4, 3, 1"})
    void shouldForgetNobodyWhileAConnectionIsIdle(int threads, int connections, int churn) throws Exception {
        // Given
        for (int i = 0; i < threads; i++) {
            loops.add(new Loop(assignments.addShard(i)));
        }
        ConcurrentHashMap.KeySetView<Connection, Boolean> open = ConcurrentHashMap.newKeySet();
        for (int i = 0; i < connections; i++) {
            open.add(opens(loops.get(i % threads)));
        }
        long end = System.nanoTime() + DURATION;
        CyclicBarrier barrier = new CyclicBarrier(threads + 1);

        // When
        List<Thread> running = new ArrayList<>();
        for (Loop loop : loops) {
            running.add(Thread.ofPlatform().start(() -> runs(loop, barrier)));
        }
        var random = new Random(threads * 100L + connections);
        while (!over) {
            asking.set(threads);
            barrier.await(20, TimeUnit.SECONDS);
            for (int i = 0; i < churn; i++) {
                Connection old = open.iterator().next();
                open.remove(old);
                assignments.closed(old);
                old.closed = true;
                open.add(opens(loops.get(random.nextInt(threads))));
            }
            over = !wrong.isEmpty() || System.nanoTime() - end > 0;
            barrier.await(20, TimeUnit.SECONDS);
        }
        for (Thread thread : running) {
            thread.join();
        }

        // Then
        assertThat(wrong).isEmpty();
        assertThat(unanswered).hasValue(0);
        assertThat(assignments.waitingCount()).isZero();
        assertThat(lentAcross.get()).as("not only within the loops").isPositive();
    }

    /// The narrowest moment, as often as possible: a connection becomes free on one loop while on the other somebody
    /// asks for one.
    @Test
    void shouldBringTogetherWhoAsksAndWhatBecomesFreeAtTheSameTime() throws Exception {
        // Given
        loops.add(new Loop(assignments.addShard(0)));
        loops.add(new Loop(assignments.addShard(1)));
        Connection connection = opens(loops.getFirst());
        assignments.acquire(
                loops.getFirst().shard,
                new Assignments.Waiting<>(0, new Request(0, new AtomicInteger()), System.nanoTime(), Long.MAX_VALUE));
        AtomicInteger arrivals = new AtomicInteger();
        long end = System.nanoTime() + DURATION;

        // When
        Thread asks = Thread.ofPlatform().start(() -> {
            for (int round = 1; meets(arrivals); round++) {
                var request = new Request(round, new AtomicInteger());
                hesitates();
                assignments.acquire(
                        loops.getLast().shard,
                        new Assignments.Waiting<>(round, request, System.nanoTime(), Long.MAX_VALUE));
                meets(arrivals);
            }
        });
        for (int round = 1; meets(arrivals); round++) {
            connection.inUse.set(false);
            hesitates();
            assignments.free(connection, System.nanoTime());
            meets(arrivals);
            if (!connection.inUse.get()) {
                wrong.add("round %d: idle, and %d in the line".formatted(round, assignments.waitingCount()));
            }
            over = !wrong.isEmpty() || System.nanoTime() - end > 0;
        }
        asks.join();

        // Then
        assertThat(wrong).isEmpty();
        assertThat(arrivals.get()).isGreaterThan(1_000);
    }

    /// Two threads wait for each other.
    ///
    /// @return false when it is over
    private boolean meets(AtomicInteger arrivals) {
        int both = (arrivals.getAndIncrement() / 2 + 1) * 2;
        for (int spins = 0; arrivals.get() < both; spins++) {
            if (spins > 1_000) {
                Thread.yield();
            }
            Thread.onSpinWait();
        }
        return !over;
    }

    private static void hesitates() {
        for (int spins = ThreadLocalRandom.current().nextInt(40); spins > 0; spins--) {
            Thread.onSpinWait();
        }
    }

    private Connection opens(Loop loop) {
        var connection = new Connection(loop);
        assignments.startedOpening(loop.shard);
        assignments.opened(loop.shard, connection, System.nanoTime(), Long.MAX_VALUE);
        assignments.free(connection, System.nanoTime());
        return connection;
    }

    private void runs(Loop loop, CyclicBarrier barrier) {
        try {
            while (!over) {
                barrier.await(20, TimeUnit.SECONDS);
                burst(loop);
                barrier.await(20, TimeUnit.SECONDS);
            }
        } catch (Exception e) {
            wrong.add(e.toString());
        }
    }

    private void burst(Loop loop) {
        var random = ThreadLocalRandom.current();
        int asks = random.nextInt(30);
        loop.asked.clear();
        for (int i = 0; i < asks; i++) {
            var request = new Request(numbers.incrementAndGet(), new AtomicInteger());
            unanswered.incrementAndGet();
            loop.asked.add(request);
            assignments.acquire(
                    loop.shard,
                    new Assignments.Waiting<>(request.number(), request, System.nanoTime(), Long.MAX_VALUE));
            if (random.nextInt(8) == 0) {
                Request one = loop.asked.get(random.nextInt(loop.asked.size()));
                assignments.withdraw(loop.shard, one.number()).ifPresent(waiting -> answered(waiting.request()));
            }
            if (random.nextBoolean()) {
                givesBack(loop);
            }
        }
        asking.decrementAndGet();
        // Until all have been answered; meanwhile what is lent goes on to be given back.
        long deadline = System.nanoTime() + PATIENCE;
        while (asking.get() > 0 || unanswered.get() > 0 || !loop.comesBack.isEmpty()) {
            givesBack(loop);
            if (System.nanoTime() - deadline > 0) {
                wrong.add(unanswered + " forgotten, " + assignments.waitingCount() + " of them in a line");
                return;
            }
            Thread.yield();
        }
    }

    private void givesBack(Loop loop) {
        for (Connection back = loop.comesBack.poll(); back != null; back = loop.comesBack.poll()) {
            back.inUse.set(false);
            assignments.free(back, System.nanoTime());
        }
    }
}
