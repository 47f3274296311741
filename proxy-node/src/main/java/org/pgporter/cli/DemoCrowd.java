package org.pgporter.cli;

import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;

/// The last step of the tour: fifty clients, all connected before the first begins, run short transactions side
/// by side, while a direct connection counts in `pg_stat_activity` how many backends serve them.
///
/// Clients alternate between a statement of its own and a transaction of two statements; each of both leaves
/// one row, so the rows at the end prove the number of transactions.
final class DemoCrowd {
    private static final int CLIENTS = 50;
    private static final int TRANSACTIONS_EACH = 100;
    private static final long CONNECT_SECONDS = 30;
    private static final DemoUser USER = DemoUser.ALICE;
    private static final String DATABASE = "shop";

    private final DemoTarget target;
    private final DemoPostgres postgres;
    private final int poolSize;
    private final BiConsumer<String, String> show;
    private final Set<Integer> pids = new ConcurrentSkipListSet<>();
    private final CountDownLatch connected = new CountDownLatch(CLIENTS);
    private final CountDownLatch finished = new CountDownLatch(CLIENTS);

    /// @param poolSize the bound to prove; 0 when there is no node in between
    DemoCrowd(DemoTarget target, DemoPostgres postgres, int poolSize, BiConsumer<String, String> show) {
        this.target = target;
        this.postgres = postgres;
        this.poolSize = poolSize;
        this.show = show;
    }

    void run() throws SQLException, DemoFailure, InterruptedException {
        try (var direct = postgres.direct(DATABASE);
                var counting = postgres.direct(DATABASE);
                var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            // Made by the client's user, so that the table is theirs.
            try (var owner = target.connect(USER, DATABASE)) {
                DemoSql.run(owner, "create table visit (client int, number int)");
            }
            var start = System.nanoTime();
            var count = threads.submit(() -> count(counting));
            var clients = new ArrayList<Future<Void>>();
            for (int client = 1; client <= CLIENTS; client++) {
                clients.add(threads.submit(client(client)));
            }
            var errors = errors(clients);
            var elapsed = Duration.ofNanos(System.nanoTime() - start);
            report(result(count), errors, DemoSql.number(direct, "select count(*) from visit"), elapsed);
        }
    }

    private void report(Count count, ArrayList<String> errors, int rows, Duration elapsed) throws DemoFailure {
        var expected = CLIENTS * TRANSACTIONS_EACH;
        show.accept("clients connected at the same time", String.valueOf(CLIENTS));
        show.accept("transactions committed", rows + " in " + elapsed.toMillis() + " ms");
        show.accept("backends that clients saw (pg_backend_pid)", pids.size() + " " + pids);
        show.accept(
                "most backends at once in pg_stat_activity",
                count.most() + " (counted " + count.samples() + " times on a direct connection)");
        show.accept("clients that saw an error", String.valueOf(errors.size()));
        DemoFailure.unless(
                errors.isEmpty(),
                errors.size() + " clients saw an error, the first: "
                        + String.join("", errors.stream().limit(1).toList()));
        DemoFailure.unless(rows == expected, "expected " + expected + " transactions");
        DemoFailure.unless(count.samples() > 0 && count.most() > 0, "nothing was counted");
        if (poolSize > 0) {
            // Not of how many they saw one after the other: a pool may close a connection and open one on another loop.
            DemoFailure.unless(count.most() <= poolSize, "expected at most " + poolSize + " backends at once");
        }
    }

    private Callable<Void> client(int id) {
        return () -> {
            try (var connection = connectTogether();
                    var insert =
                            connection.prepareStatement("insert into visit values (?, ?) returning pg_backend_pid()")) {
                insert.setInt(1, id);
                for (int number = 1; number <= TRANSACTIONS_EACH; number++) {
                    insert.setInt(2, number);
                    var inTransaction = number % 2 == 0;
                    connection.setAutoCommit(!inTransaction);
                    try (var rows = insert.executeQuery()) {
                        rows.next();
                        var pid = rows.getInt(1);
                        pids.add(pid);
                        if (inTransaction) {
                            DemoFailure.unless(
                                    DemoSql.backendPid(connection) == pid, "the backend changed inside a transaction");
                            connection.commit();
                        }
                    }
                }
                return null;
            } finally {
                finished.countDown();
            }
        };
    }

    /// Connects, and returns when all others have connected too (or failed to).
    private Connection connectTogether() throws SQLException, InterruptedException, DemoFailure {
        try {
            return target.connect(USER, DATABASE);
        } finally {
            connected.countDown();
            DemoFailure.unless(
                    connected.await(CONNECT_SECONDS, TimeUnit.SECONDS),
                    "not all clients could connect within " + CONNECT_SECONDS + " s");
        }
    }

    private Count count(Connection direct) throws SQLException, InterruptedException {
        var most = 0;
        var samples = 0;
        do {
            most = Math.max(
                    most,
                    DemoSql.number(
                            direct,
                            "select count(*) from pg_stat_activity where backend_type = 'client backend'"
                                    + " and datname = '" + DATABASE + "' and usename = '" + USER.name() + "'"));
            samples++;
        } while (!finished.await(5, TimeUnit.MILLISECONDS));
        return new Count(most, samples);
    }

    private static ArrayList<String> errors(ArrayList<Future<Void>> clients) throws InterruptedException {
        var errors = new ArrayList<String>();
        for (var client : clients) {
            try {
                client.get();
            } catch (ExecutionException e) {
                errors.add(String.valueOf(e.getCause()));
            }
        }
        return errors;
    }

    private static Count result(Future<Count> count) throws InterruptedException, DemoFailure {
        try {
            return count.get();
        } catch (ExecutionException e) {
            throw new DemoFailure("the direct connection failed: " + e.getCause());
        }
    }

    private record Count(int most, int samples) {}
}
