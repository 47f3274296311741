package org.pgporter.cli;

import java.io.IOException;
import java.io.PrintStream;
import java.io.StringReader;
import java.io.StringWriter;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import org.postgresql.PGConnection;
import org.postgresql.PGStatement;

/// Looks at the node from a client's side, step by step, with the JDBC driver's defaults. Each step prints what
/// it saw and throws [DemoFailure] when that is not what PostgreSQL itself would have shown.
///
/// Where a look from behind the node is needed (who runs what, how many backends there are), a connection that
/// goes directly to PostgreSQL takes it.
final class DemoTour {
    private static final String DATABASE = "shop";
    private static final int PREPARED_ROUNDS = 4;
    private static final int COPY_ROWS = 10_000;
    private static final Duration CANCEL_LIMIT = Duration.ofSeconds(10);

    private final DemoTarget target;
    private final DemoPostgres postgres;
    private final int poolSize;
    private final PrintStream out;

    /// @param poolSize how many backends the node may use for one user and database; 0 when there is no node in
    /// between, then nothing is
    ///     multiplexed and the tour only proves itself
    DemoTour(DemoTarget target, DemoPostgres postgres, int poolSize, PrintStream out) {
        this.target = target;
        this.postgres = postgres;
        this.poolSize = poolSize;
        this.out = out;
    }

    /// Takes all steps; the first failure ends the tour, with the step's name in its message.
    void take() throws DemoFailure, InterruptedException {
        step("1. A query", this::query);
        step("2. A transaction", this::transaction);
        step("3. A prepared statement", this::preparedStatement);
        step("4. COPY in and out", this::copy);
        step("5. A cancelled query", this::cancel);
        step("6. Many clients, few backends", this::crowd);
    }

    private void query() throws SQLException, DemoFailure {
        for (var user : DemoUser.ALL) {
            for (var database : DemoPostgres.DATABASES) {
                try (var connection = target.connect(user, database)) {
                    var seen = DemoSql.text(connection, "select current_user || ' in ' || current_database()");
                    show("select current_user, current_database()", seen);
                    DemoFailure.unless(
                            seen.equals(user.name() + " in " + database),
                            "expected " + user.name() + " in " + database + ", saw " + seen);
                }
            }
        }
        try (var connection = target.connect(DemoUser.ALICE, DATABASE)) {
            show("show server_version", DemoSql.text(connection, "show server_version"));
        }
    }

    private void transaction() throws SQLException, DemoFailure {
        try (var writer = target.connect(DemoUser.ALICE, DATABASE);
                var reader = target.connect(DemoUser.ALICE, DATABASE)) {
            DemoSql.run(writer, "create table item (id int primary key, name text not null)");
            writer.setAutoCommit(false);
            DemoSql.run(writer, "insert into item values (1, 'kept')");
            var pid = DemoSql.backendPid(writer);
            var before = DemoSql.number(reader, "select count(*) from item");
            DemoSql.run(writer, "savepoint s");
            DemoSql.run(writer, "insert into item values (2, 'given up')");
            DemoSql.run(writer, "rollback to savepoint s");
            DemoFailure.unless(DemoSql.backendPid(writer) == pid, "the backend changed inside a transaction");
            writer.commit();
            var after = DemoSql.number(reader, "select count(*) from item");
            DemoSql.run(writer, "insert into item values (3, 'given up')");
            writer.rollback();
            var end = DemoSql.number(reader, "select count(*) from item");
            show(
                    "rows another client sees before commit, after it, after a rollback",
                    before + ", " + after + ", " + end);
            DemoFailure.unless(before == 0 && after == 1 && end == 1, "expected 0, 1, 1");
        }
    }

    /// After each execution but the last another client opens a transaction on the backend that was used, so
    /// the same statement has to go to another one.
    private void preparedStatement() throws SQLException, DemoFailure {
        var options = new Properties();
        options.setProperty("prepareThreshold", "1");
        var holders = new ArrayList<Connection>();
        var pids = new ArrayList<Integer>();
        try (var connection = target.connect(DemoUser.ALICE, DATABASE, options);
                var statement = connection.prepareStatement("select pg_backend_pid(), ?::int * 2")) {
            for (int round = 1; round <= PREPARED_ROUNDS; round++) {
                var pid = execute(statement, round);
                pids.add(pid);
                if (round < PREPARED_ROUNDS && poolSize > 0) {
                    holders.add(hold(pid));
                }
            }
            DemoFailure.unless(
                    statement.unwrap(PGStatement.class).isUseServerPrepare(),
                    "the driver did not prepare the statement on the server");
            show("one statement, prepared once by the client, executed on the backends", pids.toString());
            DemoFailure.unless(poolSize == 0 || new HashSet<>(pids).size() > 1, "expected more than one backend");
        } finally {
            release(holders);
        }
    }

    /// A client with an open transaction on that backend. Clients that get another one keep it until the right
    /// one has been hit, so as many clients as the pool has backends are enough.
    private Connection hold(int pid) throws SQLException, DemoFailure {
        var others = new ArrayList<Connection>();
        try {
            for (int i = 0; i < poolSize; i++) {
                var holder = target.connect(DemoUser.ALICE, DATABASE);
                others.add(holder);
                holder.setAutoCommit(false);
                if (DemoSql.backendPid(holder) == pid) {
                    others.remove(holder);
                    return holder;
                }
            }
            throw new DemoFailure("no other client was given backend " + pid + ", though it was free");
        } finally {
            release(others);
        }
    }

    private static void release(List<Connection> holders) {
        for (var holder : holders) {
            try (holder) {
                holder.rollback();
            } catch (SQLException _) {
                // Whatever broke this connection shows in the step itself, which must not lose its own reason.
            }
        }
    }

    private static int execute(PreparedStatement statement, int value) throws SQLException, DemoFailure {
        statement.setInt(1, value);
        try (var rows = statement.executeQuery()) {
            DemoFailure.unless(rows.next() && rows.getInt(2) == 2 * value, "wrong answer to " + value + " * 2");
            return rows.getInt(1);
        }
    }

    private void copy() throws SQLException, IOException, DemoFailure {
        var rows = new StringBuilder();
        for (int i = 1; i <= COPY_ROWS; i++) {
            rows.append(i)
                    .append(",entry ")
                    .append(i)
                    .append(",")
                    .append(i * 7 % 1000)
                    .append('\n');
        }
        var sent = rows.toString();
        try (var connection = target.connect(DemoUser.CAROL, "ledger")) {
            DemoSql.run(connection, "create table entry (id int primary key, note text, amount int)");
            var copies = connection.unwrap(PGConnection.class).getCopyAPI();
            var in = copies.copyIn("copy entry from stdin with (format csv)", new StringReader(sent));
            var received = new StringWriter();
            var out = copies.copyOut("copy (select * from entry order by id) to stdout with (format csv)", received);
            show("rows copied in, rows copied out, bytes each way", in + ", " + out + ", " + sent.length());
            DemoFailure.unless(in == COPY_ROWS && out == COPY_ROWS, "expected " + COPY_ROWS + " rows each way");
            DemoFailure.unless(received.toString().equals(sent), "what came back is not what was sent");
        }
    }

    private void cancel() throws SQLException, DemoFailure, InterruptedException {
        try (var connection = target.connect(DemoUser.BOB, DATABASE);
                var statement = connection.createStatement();
                var direct = postgres.direct(DATABASE);
                var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            var start = System.nanoTime();
            var sleep = threads.submit(() -> statement.execute("select pg_sleep(30)"));
            awaitSleeper(direct);
            statement.cancel();
            try {
                sleep.get();
                throw new DemoFailure("pg_sleep(30) was not cancelled");
            } catch (ExecutionException e) {
                var elapsed = Duration.ofNanos(System.nanoTime() - start);
                if (!(e.getCause() instanceof SQLException cause)) {
                    throw new DemoFailure("expected an SQL error, saw " + e.getCause());
                }
                show(
                        "pg_sleep(30) ended after " + elapsed.toMillis() + " ms with",
                        cause.getSQLState() + " " + firstLine(cause));
                DemoFailure.unless("57014".equals(cause.getSQLState()), "expected SQLSTATE 57014");
                DemoFailure.unless(elapsed.compareTo(CANCEL_LIMIT) < 0, "that took too long");
            }
            show("the same connection afterwards, select 1", DemoSql.text(connection, "select 1"));
        }
    }

    /// Waits until PostgreSQL itself says that the query runs: a cancel that comes before it would rightly do
    /// nothing.
    private static void awaitSleeper(Connection direct) throws SQLException, DemoFailure {
        var deadline = System.nanoTime() + CANCEL_LIMIT.toNanos();
        var running = "select count(*) from pg_stat_activity, pg_sleep(0.02)"
                + " where query = 'select pg_sleep(30)' and state = 'active'";
        while (DemoSql.number(direct, running) == 0) {
            DemoFailure.unless(System.nanoTime() < deadline, "pg_sleep(30) did not reach PostgreSQL");
        }
    }

    private void crowd() throws SQLException, DemoFailure, InterruptedException {
        new DemoCrowd(target, postgres, poolSize, this::show).run();
    }

    private void step(String title, Step step) throws DemoFailure, InterruptedException {
        out.println();
        out.println(title);
        try {
            step.run();
        } catch (DemoFailure e) {
            throw new DemoFailure(title + ": " + e.getMessage());
        } catch (SQLException e) {
            throw new DemoFailure(title + ": " + e.getSQLState() + " " + e.getMessage());
        } catch (IOException e) {
            throw new DemoFailure(title + ": " + e.getMessage());
        }
        out.flush();
    }

    private void show(String what, String seen) {
        out.println("   " + what + ": " + seen);
    }

    private static String firstLine(SQLException e) {
        return String.valueOf(e.getMessage()).lines().findFirst().orElse("");
    }

    private interface Step {
        void run() throws SQLException, IOException, DemoFailure, InterruptedException;
    }
}
