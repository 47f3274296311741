package org.pgporter.support;

import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/// A real PostgreSQL server on this machine, from binaries that Maven downloaded: nothing has to be
/// installed, and root may
/// run it too.
///
/// ```java
/// var shared = TestPostgres.shared();                          // one per JVM and major, never stopped by
/// a test try (var own = TestPostgres.newest().maxConnections(10).start()) {
///     own.createUser("ann", "secret", "scram-sha-256");
///     own.createDatabase("shop", "ann");
/// }
/// ```
///
/// It listens on 127.0.0.1 and on a Unix socket. The superuser `postgres` is always let in without a
/// password; everybody
/// else by the method of their stored password, unless the builder says otherwise. Durability is switched
/// off: a server that is killed keeps its data, a machine that loses power does not. Closing stops the
/// server and removes its files; whatever
/// is still open when the JVM exits is closed then. A failure is an [IllegalStateException] or
/// [UncheckedIOException] with
/// the words of the server.
public final class TestPostgres implements AutoCloseable {
    static final String HOST = "127.0.0.1";

    private static final Duration BACKEND_DIES_WITHIN = Duration.ofSeconds(10);
    private static final Duration RECOVERS_WITHIN = Duration.ofSeconds(30);
    private static final Map<PostgresMajor, TestPostgres> SHARED = new EnumMap<>(PostgresMajor.class);
    private static final Set<TestPostgres> OPEN = ConcurrentHashMap.newKeySet();

    static {
        Runtime.getRuntime().addShutdownHook(new Thread(TestPostgres::closeAll, "stop-test-postgres"));
    }

    private final PostgresProcess process;
    private final int port;

    private TestPostgres(PostgresProcess process, int port) {
        this.process = process;
        this.port = port;
    }

    /// A fresh server of the newest supported major.
    public static TestPostgresBuilder newest() {
        return of(PostgresMajor.NEWEST);
    }

    /// A fresh server of the oldest supported major.
    public static TestPostgresBuilder oldest() {
        return of(PostgresMajor.OLDEST);
    }

    /// A fresh server.
    public static TestPostgresBuilder of(PostgresMajor major) {
        return new TestPostgresBuilder(major);
    }

    /// The server of the newest major that all tests of this JVM share. Use names of your own for users and
    /// databases, and leave it running.
    public static TestPostgres shared() {
        return shared(PostgresMajor.NEWEST);
    }

    /// As [#shared()], of either major.
    public static TestPostgres shared(PostgresMajor major) {
        synchronized (SHARED) {
            return SHARED.computeIfAbsent(major, it -> of(it).start());
        }
    }

    static TestPostgres started(PostgresProcess process, int port) {
        var postgres = new TestPostgres(process, port);
        OPEN.add(postgres);
        return postgres;
    }

    public String host() {
        return HOST;
    }

    /// Stays the same when the server is stopped and started.
    public int port() {
        return port;
    }

    /// The folder of the Unix socket `.s.PGSQL.<port>`.
    public Path socketDirectory() {
        return process.files().folder();
    }

    /// Where a driver finds the database; without user and password.
    public String jdbcUrl(String database) {
        return "jdbc:postgresql://" + HOST + ":" + port + "/" + database;
    }

    /// A JDBC connection of the superuser.
    public Connection connect(String database) throws SQLException {
        return DriverManager.getConnection(jdbcUrl(database)
                + "?user=postgres&sslmode=disable&connectTimeout=10&socketTimeout=60&ApplicationName=TestPostgres");
    }

    /// Runs the statements as superuser in the database `postgres`, in one session, each in its own
    /// transaction.
    public void sql(String... statements) {
        sqlIn("postgres", statements);
    }

    /// As [#sql(String...)] in another database.
    public void sqlIn(String database, String... statements) {
        try (var connection = connect(database);
                var statement = connection.createStatement()) {
            for (var sql : statements) {
                statement.execute(sql);
            }
        } catch (SQLException e) {
            throw new IllegalStateException(String.join("; ", statements) + ": " + e.getMessage(), e);
        }
    }

    /// The rows of a query of the superuser in the database `postgres`, as text; SQL's null is the word
    /// `null`. Every
    /// `?`
    /// is filled with a parameter.
    public List<List<String>> rows(String query, Object... parameters) {
        try (var connection = connect("postgres");
                var statement = connection.prepareStatement(query)) {
            for (int i = 0; i < parameters.length; i++) {
                statement.setObject(i + 1, parameters[i]);
            }
            try (var result = statement.executeQuery()) {
                var rows = new ArrayList<List<String>>();
                while (result.next()) {
                    var row = new ArrayList<String>();
                    for (int i = 1; i <= result.getMetaData().getColumnCount(); i++) {
                        row.add(String.valueOf(result.getString(i)));
                    }
                    rows.add(row);
                }
                return rows;
            }
        } catch (SQLException e) {
            throw new IllegalStateException(query + ": " + e.getMessage(), e);
        }
    }

    /// Creates a role that may log in.
    ///
    /// @param encryption `scram-sha-256` or `md5`: how its password is stored
    public void createUser(String name, String password, String encryption) {
        sql(
                "set password_encryption = " + literal(encryption),
                "create role " + identifier(name) + " login password " + literal(password));
    }

    public void createDatabase(String name, String owner) {
        sql("create database " + identifier(name) + " owner " + identifier(owner));
    }

    /// What `pg_authid` stores as the role's password: the SCRAM secret or the MD5 hash.
    public String secretOf(String role) {
        var rows = rows("select rolpassword from pg_authid where rolname = ? and rolpassword is not null", role);
        if (rows.isEmpty()) {
            throw new IllegalStateException("there is no role " + role + " with a password");
        }
        return rows.getFirst().getFirst();
    }

    /// The process ids of the backends that serve clients in the database, but for the one that answers
    /// this question.
    public List<Integer> backendPids(String database) {
        return rows("""
                        select pid from pg_stat_activity
                        where datname = ? and backend_type = 'client backend' and pid <> pg_backend_pid() order by pid
                        """, database).stream()
                .map(row -> Integer.valueOf(row.getFirst()))
                .toList();
    }

    public int backends(String database) {
        return backendPids(database).size();
    }

    /// Kills one backend with SIGKILL and returns when it is gone. PostgreSQL then ends all other backends
    /// and recovers:
    /// [#awaitReady()] waits for that.
    public void killBackend(int pid) {
        var backend = ProcessHandle.of(pid)
                .filter(it -> it.parent().map(ProcessHandle::pid).equals(Optional.of(process.pid())))
                .orElseThrow(() -> new IllegalStateException(pid + " is no backend of this server"));
        backend.destroyForcibly();
        await().atMost(BACKEND_DIES_WITHIN)
                .pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(5))
                .until(() -> !backend.isAlive());
    }

    /// Waits until the superuser can connect, for example after [#killBackend(int)].
    public void awaitReady() {
        await().atMost(RECOVERS_WITHIN)
                .pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(20))
                .ignoreException(IllegalStateException.class)
                .until(() -> rows("select 1").size() == 1);
    }

    /// Replaces the lines of `pg_hba.conf`, as [TestPostgresBuilder#hba] does before the start, and returns
    /// when new connections meet them.
    public void useHba(String... lines) {
        try (var connection = connect("postgres");
                var statement = connection.createStatement()) {
            process.useHba(TestPostgresBuilder.hbaWithSuperuser(List.of(lines)));
            var errors = statement.executeQuery("""
                    select string_agg(line_number || ': ' || error, '; ') from pg_hba_file_rules where error is not null
                    """);
            if (errors.next() && errors.getString(1) != null) {
                throw new IllegalStateException("the server does not understand line " + errors.getString(1));
            }
            var reloaded = statement.executeQuery("select pg_conf_load_time()::text, pg_reload_conf()");
            reloaded.next();
            var before = reloaded.getString(1);
            await().atMost(RECOVERS_WITHIN)
                    .pollDelay(Duration.ZERO)
                    .pollInterval(Duration.ofMillis(5))
                    .until(() -> !rows("select pg_conf_load_time()::text")
                            .getFirst()
                            .getFirst()
                            .equals(before));
        } catch (SQLException e) {
            throw new IllegalStateException("the rules cannot be reloaded: " + e.getMessage(), e);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    public boolean isRunning() {
        return process.isRunning();
    }

    /// Starts a server that was stopped or killed: same data, same port.
    public void start() {
        try {
            process.start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Stops the server and returns when its process is gone. Files and port stay reserved for [#start()].
    public void stop(StopMode mode) {
        process.stop(mode);
    }

    /// Kills the server and all its backends with SIGKILL; [#start()] recovers.
    public void kill() {
        process.kill();
    }

    public void restart() {
        stop(StopMode.FAST);
        start();
    }

    /// Everything the server has written to its log.
    public String log() {
        return process.log();
    }

    /// Stops the server and removes its files. The shared servers close when the JVM exits, and not earlier.
    @Override
    public void close() {
        synchronized (SHARED) {
            if (SHARED.containsValue(this)) {
                throw new IllegalStateException("a shared server is not closed by a test");
            }
        }
        closeNow();
    }

    private void closeNow() {
        if (OPEN.remove(this)) {
            process.stop(StopMode.IMMEDIATE);
            try {
                process.files().delete();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }

    private static void closeAll() {
        List.copyOf(OPEN).forEach(TestPostgres::closeNow);
    }

    static String identifier(String name) {
        return '"' + name.replace("\"", "\"\"") + '"';
    }

    static String literal(String text) {
        return "'" + text.replace("'", "''") + "'";
    }
}
