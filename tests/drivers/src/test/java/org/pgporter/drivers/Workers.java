package org.pgporter.drivers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/// What the programs of Java drivers have in common: workers that do all their things at the same time, each beginning
/// with another one, and a count of the answers that carried the token of their question.
final class Workers {
    /// How many things each worker does, one after the other.
    static final int ROUNDS = 16;

    private static final int MINUTES_AT_MOST = 2;

    private final Queue<String> failures = new ConcurrentLinkedQueue<>();
    private final Set<Integer> backends = ConcurrentHashMap.newKeySet();
    private final AtomicInteger answers = new AtomicInteger();

    /// One worker; its things are done by one thread.
    final class Worker {
        private final int number;
        private int asked;

        private Worker(int number) {
            this.number = number;
        }

        /// From 0.
        int number() {
            return number;
        }

        /// A word that no other question has.
        String token() {
            return number + "/" + asked++;
        }

        /// Whether this worker is one of the two that may hold a backend until another one has done something: with
        /// more of them the whole pool would wait for itself.
        boolean mayWait() {
            return number < 2;
        }

        /// Takes note of an answer.
        void answered(String token, String answer) {
            assertThat(answer).isEqualTo(token);
            answers.incrementAndGet();
        }

        /// Takes note of an answer and of the backend that gave it.
        void answered(String token, String answer, int backend) {
            answered(token, answer);
            backends.add(backend);
        }
    }

    /// What a worker does.
    @FunctionalInterface
    interface Thing {
        void happen() throws Exception;
    }

    /// All that a worker can do.
    @FunctionalInterface
    interface Things {
        /// @throws Exception as connecting may do
        Thing[] of(Worker worker) throws Exception;
    }

    /// Lets all workers work and waits for them.
    ///
    /// @throws AssertionError with everything that went wrong, or when backends did not change hands
    void work(int size, Things things) {
        CountDownLatch done = new CountDownLatch(size);
        for (int number = 0; number < size; number++) {
            Worker worker = new Worker(number);
            Thread.ofVirtual().name("worker-" + number).start(() -> {
                int round = 0;
                try {
                    Thing[] all = things.of(worker);
                    for (; round < Math.max(ROUNDS, all.length); round++) {
                        all[(round + worker.number()) % all.length].happen();
                    }
                } catch (Exception | AssertionError e) {
                    StringWriter stack = new StringWriter();
                    e.printStackTrace(new PrintWriter(stack));
                    failures.add("worker " + worker.number() + " in round " + round + ": " + stack);
                } finally {
                    done.countDown();
                }
            });
        }
        try {
            if (!done.await(MINUTES_AT_MOST, TimeUnit.MINUTES)) {
                fail(done.getCount() + " workers still wait for something; failures so far: " + failures);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
        assertThat(failures).isEmpty();
        // Over the time there may be more than the pool has at once: a connection may move to another event loop.
        assertThat(backends).as("backends that answered").hasSizeGreaterThan(1);
        assertThat(answers.get()).isGreaterThan(size * ROUNDS);
        System.out.println(size + " workers, " + backends.size() + " backends, " + answers + " answers, none mixed up");
    }
}
