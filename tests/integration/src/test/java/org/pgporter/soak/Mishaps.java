package org.pgporter.soak;

import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.pgporter.support.TestPostgres;

/// Ends backends of a database by chance: often by pg_terminate_backend, and now and then by SIGKILL, of which all
/// backends die and PostgreSQL recovers.
final class Mishaps implements AutoCloseable {
    private static final int MOST_MILLIS_BETWEEN = 700;
    // Of so many terminated backends one is killed instead.
    private static final int KILLED_AMONG = 50;

    private final TestPostgres postgres;
    private final String database;
    private final Random random;
    private final Tally tally;
    private final CountDownLatch stop = new CountDownLatch(1);
    private final Thread thread;

    private Mishaps(TestPostgres postgres, String database, long seed, Tally tally) {
        this.postgres = postgres;
        this.database = database;
        this.random = new Random(seed);
        this.tally = tally;
        this.thread = Thread.ofPlatform().name("mishaps").start(this::happen);
    }

    static Mishaps start(TestPostgres postgres, String database, long seed, Tally tally) {
        return new Mishaps(postgres, database, seed, tally);
    }

    private void happen() {
        try {
            // The first kill comes early, so that a short soak has one too.
            for (int count = KILLED_AMONG - 8;
                    !stop.await(random.nextInt(MOST_MILLIS_BETWEEN), TimeUnit.MILLISECONDS);
                    count++) {
                List<Integer> backends = postgres.backendPids(database);
                if (backends.isEmpty()) {
                    continue;
                }
                int pid = backends.get(random.nextInt(backends.size()));
                if (count % KILLED_AMONG == 0) {
                    kill(pid);
                } else {
                    postgres.rows("select pg_terminate_backend(?)", pid);
                    tally.did("pg_terminate_backend");
                }
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        } catch (RuntimeException | AssertionError e) {
            tally.failed("the mishaps ended: " + e);
        }
    }

    private void kill(int pid) {
        try {
            postgres.killBackend(pid);
            tally.did("kill -9 of a backend");
        } catch (IllegalStateException _) {
            // It has ended by itself meanwhile.
        }
        postgres.awaitReady();
    }

    /// Returns when PostgreSQL is well again.
    @Override
    public void close() {
        stop.countDown();
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
