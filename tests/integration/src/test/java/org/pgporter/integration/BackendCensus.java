package org.pgporter.integration;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.pgporter.support.TestPostgres;

/// Counts the backends of a role, or of a database, at PostgreSQL again and again, and remembers the most.
final class BackendCensus implements AutoCloseable {
    private static final long INTERVAL_MILLIS = 20;

    private final AtomicInteger most = new AtomicInteger();
    private final AtomicInteger counts = new AtomicInteger();
    private final CountDownLatch stop = new CountDownLatch(1);
    private final Thread counter;

    BackendCensus(TestPostgres postgres, String role) {
        this(postgres, "usename", role);
    }

    private BackendCensus(TestPostgres postgres, String column, String name) {
        counter = Thread.ofPlatform().name("backend-census").start(() -> count(postgres, column, name));
    }

    /// Of all roles together.
    static BackendCensus ofDatabase(TestPostgres postgres, String database) {
        return new BackendCensus(postgres, "datname", database);
    }

    private void count(TestPostgres postgres, String column, String name) {
        try (Connection connection = postgres.connect("postgres");
                PreparedStatement backends = connection.prepareStatement("select count(*)::int from pg_stat_activity"
                        + " where backend_type = 'client backend' and " + column + " = ?")) {
            backends.setString(1, name);
            do {
                try (var rows = backends.executeQuery()) {
                    rows.next();
                    most.accumulateAndGet(rows.getInt(1), Math::max);
                    counts.incrementAndGet();
                }
            } while (!stop.await(INTERVAL_MILLIS, TimeUnit.MILLISECONDS));
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    /// The most backends that were there at one moment.
    ///
    /// @throws IllegalStateException when nobody has counted, so that a test cannot pass for that reason
    int most() {
        if (counts.get() == 0) {
            throw new IllegalStateException("the backends were never counted");
        }
        return most.get();
    }

    @Override
    public void close() {
        stop.countDown();
        try {
            counter.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
