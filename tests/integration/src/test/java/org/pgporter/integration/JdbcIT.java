package org.pgporter.integration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.io.StringReader;
import java.io.StringWriter;
import java.sql.BatchUpdateException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.pgporter.config.PoolMode;
import org.pgporter.support.PostgresMajor;
import org.postgresql.PGConnection;
import org.postgresql.largeobject.LargeObject;
import org.postgresql.largeobject.LargeObjectManager;

/// pgjdbc with its defaults, which prepares a statement under a name when it is executed for the fifth time.
class JdbcIT {
    private static final String CASES = "org.pgporter.integration.Proxied#majorsAndModes";
    private static final int POOL_SIZE = 4;
    private static final int ROUNDS = 40;
    private static final Map<String, Proxied> STARTED = new ConcurrentHashMap<>();

    @AfterAll
    static void stopNodes() {
        STARTED.values().forEach(Proxied::close);
        STARTED.clear();
    }

    private static Proxied given(PostgresMajor major, PoolMode mode) {
        return STARTED.computeIfAbsent(major + " " + mode, _ -> Proxied.start(major, mode, "jdbc", POOL_SIZE));
    }

    private static List<String> column(ResultSet rows) throws SQLException {
        List<String> values = new ArrayList<>();
        while (rows.next()) {
            values.add(rows.getString(1));
        }
        return values;
    }

    private static String single(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            rows.next();
            return rows.getString(1);
        }
    }

    private static void execute(Connection connection, String... statements) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
        }
    }

    /// A hundred threads over four backends: the same statement text with another meaning in each thread would show up
    /// at once, and so would an answer that went astray.
    @ParameterizedTest
    @EnumSource(PostgresMajor.class)
    void shouldGiveEachOfManyThreadsItsOwnAnswers(PostgresMajor major) throws Exception {
        // Given
        Proxied proxied = given(major, PoolMode.TRANSACTION);
        try (ExecutorService threads = Executors.newFixedThreadPool(100)) {
            // When
            List<Future<Set<Integer>>> answers = new ArrayList<>();
            for (int i = 0; i < 100; i++) {
                int thread = i;
                answers.add(threads.submit(asksForItsTokens(proxied, thread)));
            }
            // Then
            Set<Integer> backends = new HashSet<>();
            for (Future<Set<Integer>> answer : answers) {
                backends.addAll(answer.get(60, TimeUnit.SECONDS));
            }
            // Not of at most the size of the pool: a connection may be replaced by one on another loop.
            assertThat(backends).hasSizeGreaterThan(1);
        }
        assertThat(proxied.postgres().backends(proxied.name())).isLessThanOrEqualTo(POOL_SIZE);
    }

    /// @return the backends that answered
    private static Callable<Set<Integer>> asksForItsTokens(Proxied proxied, int thread) {
        return () -> {
            Set<Integer> backends = new HashSet<>();
            // Statements of different threads have the same name at the driver (S_1, S_2) and different texts.
            String text = "select ?::text, pg_backend_pid(), 'of thread " + thread % 10 + "'";
            try (Connection connection = proxied.connect();
                    PreparedStatement own = connection.prepareStatement(text);
                    PreparedStatement other = connection.prepareStatement("select ?::int + " + thread)) {
                for (int round = 0; round < ROUNDS; round++) {
                    String token = thread + "/" + round;
                    own.setString(1, token);
                    try (ResultSet rows = own.executeQuery()) {
                        rows.next();
                        assertThat(rows.getString(1)).isEqualTo(token);
                        assertThat(rows.getString(3)).isEqualTo("of thread " + thread % 10);
                        backends.add(rows.getInt(2));
                    }
                    other.setInt(1, round);
                    try (ResultSet rows = other.executeQuery()) {
                        rows.next();
                        assertThat(rows.getInt(1)).isEqualTo(round + thread);
                    }
                }
            }
            return backends;
        };
    }

    @ParameterizedTest
    @MethodSource(CASES)
    void shouldReplaceAStatementWhoseTypesChange(PostgresMajor major, PoolMode mode)
            throws SQLException { // checklist 87
        try (Connection connection = given(major, mode).connect();
                PreparedStatement statement = connection.prepareStatement("select pg_typeof(?)::text")) {
            for (int round = 0; round < 20; round++) {
                if (round % 2 == 0) {
                    statement.setInt(1, round);
                } else {
                    statement.setString(1, "text");
                }
                try (ResultSet rows = statement.executeQuery()) {
                    assertThat(column(rows)).containsExactly(round % 2 == 0 ? "integer" : "character varying");
                }
            }
        }
    }

    /// The driver reads `cached plan must not change result type`, prepares anew and tries once more: on any backend,
    /// and every one of them may have the old plan.
    @ParameterizedTest
    @MethodSource(CASES)
    void shouldSurviveAChangedTable(PostgresMajor major, PoolMode mode) throws SQLException { // checklist 93
        Proxied proxied = given(major, mode);
        List<Connection> connections = new ArrayList<>();
        try {
            // Given: every backend of the pool has prepared the statement.
            for (int i = 0; i < POOL_SIZE; i++) {
                connections.add(proxied.connect());
            }
            execute(connections.getFirst(), "drop table if exists changing", "create table changing (a int)");
            execute(connections.getFirst(), "insert into changing values (1)");
            List<PreparedStatement> statements = new ArrayList<>();
            for (Connection connection : connections) {
                connection.setAutoCommit(false);
                statements.add(connection.prepareStatement("select * from changing"));
                for (int round = 0; round < 7; round++) {
                    try (ResultSet rows = statements.getLast().executeQuery()) {
                        assertThat(column(rows)).containsExactly("1");
                    }
                }
            }
            for (Connection connection : connections) {
                connection.commit();
                connection.setAutoCommit(true);
            }
            // When
            proxied.sql("alter table changing add b int default 2");
            // Then
            for (int round = 0; round < 5; round++) {
                for (PreparedStatement statement : statements) {
                    try (ResultSet rows = statement.executeQuery()) {
                        assertThat(rows.getMetaData().getColumnCount()).isEqualTo(2);
                        assertThat(column(rows)).containsExactly("1");
                    }
                }
            }
        } finally {
            for (Connection connection : connections) {
                connection.close();
            }
        }
    }

    @ParameterizedTest
    @MethodSource(CASES)
    void shouldRunBatches(PostgresMajor major, PoolMode mode) throws SQLException {
        for (String rewrite : List.of("false", "true")) {
            try (Connection connection = given(major, mode).connect("reWriteBatchedInserts", rewrite)) {
                // Given
                execute(connection, "drop table if exists batched", "create table batched (id serial, n int unique)");
                try (PreparedStatement insert = connection.prepareStatement("insert into batched (n) values (?)")) {
                    // When
                    for (int n = 0; n < 1_000; n++) {
                        insert.setInt(1, n);
                        insert.addBatch();
                    }
                    assertThat(insert.executeBatch()).hasSize(1_000);
                    // Then
                    assertThat(single(connection, "select count(*) || ' ' || sum(n) from batched"))
                            .isEqualTo("1000 499500");
                    // An error in the middle, and on with the same statement.
                    for (int n : List.of(2_000, 5, 2_001)) {
                        insert.setInt(1, n);
                        insert.addBatch();
                    }
                    BatchUpdateException failure =
                            catchThrowableOfType(BatchUpdateException.class, insert::executeBatch);
                    assertThat(failure.getSQLState()).isEqualTo("23505");
                    insert.setInt(1, 3_000);
                    assertThat(insert.executeUpdate()).isEqualTo(1);
                    assertThat(single(connection, "select max(n) from batched")).isEqualTo("3000");
                }
                try (Statement mixed = connection.createStatement()) {
                    mixed.addBatch("insert into batched (n) values (4000)");
                    mixed.addBatch("update batched set n = n + 1 where n = 4000");
                    mixed.addBatch("delete from batched where n = 4001");
                    assertThat(mixed.executeBatch()).containsExactly(1, 1, 1);
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource(CASES)
    void shouldReturnGeneratedKeys(PostgresMajor major, PoolMode mode) throws SQLException {
        try (Connection connection = given(major, mode).connect()) {
            execute(connection, "drop table if exists keyed", "create table keyed (id serial primary key, n int)");
            try (PreparedStatement insert =
                    connection.prepareStatement("insert into keyed (n) values (?)", Statement.RETURN_GENERATED_KEYS)) {
                for (int n = 1; n <= 10; n++) {
                    insert.setInt(1, n);
                    insert.executeUpdate();
                    try (ResultSet keys = insert.getGeneratedKeys()) {
                        assertThat(column(keys)).containsExactly(Integer.toString(n));
                    }
                }
                for (int n = 11; n <= 100; n++) {
                    insert.setInt(1, n);
                    insert.addBatch();
                }
                insert.executeBatch();
                try (ResultSet keys = insert.getGeneratedKeys()) {
                    assertThat(column(keys)).hasSize(90).endsWith("100");
                }
            }
        }
    }

    /// Large objects speak FunctionCall.
    @ParameterizedTest
    @MethodSource(CASES)
    void shouldReadAndWriteLargeObjects(PostgresMajor major, PoolMode mode) throws SQLException { // checklist 77
        byte[] content = new byte[300_000];
        for (int i = 0; i < content.length; i++) {
            content[i] = (byte) (i * 31 >> 3);
        }
        try (Connection connection = given(major, mode).connect()) {
            connection.setAutoCommit(false);
            LargeObjectManager objects = connection.unwrap(PGConnection.class).getLargeObjectAPI();
            long oid = objects.createLO(LargeObjectManager.READWRITE);
            try (LargeObject object = objects.open(oid, LargeObjectManager.WRITE)) {
                object.write(content);
            }
            try (LargeObject object = objects.open(oid, LargeObjectManager.READ)) {
                assertThat(object.size()).isEqualTo(content.length);
                object.seek(1_000);
                assertThat(object.read(content.length))
                        .startsWith(content[1_000])
                        .hasSize(content.length - 1_000);
            }
            connection.commit();
            objects.delete(oid);
            connection.commit();
        }
    }

    @ParameterizedTest
    @MethodSource(CASES)
    void shouldCopy(PostgresMajor major, PoolMode mode) throws SQLException, IOException {
        try (Connection connection = given(major, mode).connect()) {
            execute(connection, "drop table if exists copied", "create table copied (n int, t text)");
            var copies = connection.unwrap(PGConnection.class).getCopyAPI();
            StringBuilder lines = new StringBuilder();
            for (int n = 0; n < 20_000; n++) {
                lines.append(n).append('\t').append("line ").append(n).append('\n');
            }
            assertThat(copies.copyIn("copy copied from stdin", new StringReader(lines.toString())))
                    .isEqualTo(20_000);
            StringWriter out = new StringWriter();
            assertThat(copies.copyOut("copy (select * from copied order by n) to stdout", out))
                    .isEqualTo(20_000);
            assertThat(out.toString()).isEqualTo(lines.toString());

            SQLException failure = catchThrowableOfType(
                    SQLException.class, () -> copies.copyIn("copy copied from stdin", new StringReader("x\ty\n")));
            assertThat(failure.getSQLState()).isEqualTo("22P02");
            var cancelled = copies.copyIn("copy copied from stdin");
            cancelled.writeToCopy("1\tone\n".getBytes(java.nio.charset.StandardCharsets.UTF_8), 0, 6);
            cancelled.cancelCopy();
            assertThat(single(connection, "select count(*) from copied")).isEqualTo("20000");
        }
    }

    @ParameterizedTest
    @MethodSource(CASES)
    void shouldFetchThroughACursor(PostgresMajor major, PoolMode mode) throws SQLException {
        try (Connection connection = given(major, mode).connect()) {
            connection.setAutoCommit(false);
            try (PreparedStatement statement =
                    connection.prepareStatement("select n from generate_series(1, ?) n order by n")) {
                statement.setFetchSize(7);
                for (int round = 0; round < 10; round++) {
                    statement.setInt(1, 100);
                    try (ResultSet rows = statement.executeQuery()) {
                        assertThat(column(rows)).hasSize(100).endsWith("100");
                    }
                }
                // Two of them at once, read in turn, and one left half read.
                try (PreparedStatement second =
                        connection.prepareStatement("select -n from generate_series(1, 50) n")) {
                    second.setFetchSize(3);
                    try (ResultSet ones = statement.executeQuery();
                            ResultSet others = second.executeQuery()) {
                        for (int n = 1; n <= 30; n++) {
                            assertThat(ones.next()).isTrue();
                            assertThat(others.next()).isTrue();
                            assertThat(ones.getInt(1)).isEqualTo(n);
                            assertThat(others.getInt(1)).isEqualTo(-n);
                        }
                    }
                }
            }
            connection.commit();
        }
    }

    @ParameterizedTest
    @MethodSource(CASES)
    void shouldRollBackToSavepoints(PostgresMajor major, PoolMode mode) throws SQLException {
        try (Connection connection = given(major, mode).connect()) {
            execute(connection, "drop table if exists saved", "create table saved (n int primary key)");
            connection.setAutoCommit(false);
            execute(connection, "insert into saved values (1)");
            Savepoint savepoint = connection.setSavepoint("before");
            SQLException failure =
                    catchThrowableOfType(SQLException.class, () -> execute(connection, "insert into saved values (1)"));
            assertThat(failure.getSQLState()).isEqualTo("23505");
            SQLException refused = catchThrowableOfType(SQLException.class, () -> single(connection, "select 1"));
            assertThat(refused.getSQLState()).isEqualTo("25P02");
            connection.rollback(savepoint);
            execute(connection, "insert into saved values (2)");
            connection.releaseSavepoint(connection.setSavepoint());
            connection.commit();
            connection.setAutoCommit(true);
            assertThat(single(connection, "select string_agg(n::text, ',' order by n) from saved"))
                    .isEqualTo("1,2");
            connection.setAutoCommit(false);
            execute(connection, "delete from saved");
            connection.rollback();
            assertThat(single(connection, "select count(*) from saved")).isEqualTo("2");
            connection.rollback();
        }
    }

    @ParameterizedTest
    @MethodSource(CASES)
    void shouldKeepWhatTheSessionIsSetTo(PostgresMajor major, PoolMode mode) throws SQLException { // checklist 99
        Proxied proxied = given(major, mode);
        try (Connection connection = proxied.connect("ApplicationName", "jdbc one");
                Connection second = proxied.connect("ApplicationName", "jdbc two")) {
            connection.setAutoCommit(false);
            connection.setReadOnly(true);
            SQLException failure =
                    catchThrowableOfType(SQLException.class, () -> execute(connection, "create table never (n int)"));
            assertThat(failure.getSQLState()).isEqualTo("25006");
            connection.rollback();
            connection.setReadOnly(false);
            for (String level : List.of("serializable", "repeatable read", "read committed")) {
                execute(connection, "set transaction isolation level " + level);
                assertThat(single(connection, "show transaction_isolation")).isEqualTo(level);
                connection.commit();
            }
            connection.setAutoCommit(true);
            for (int round = 0; round < 10; round++) {
                assertThat(single(connection, "show application_name")).isEqualTo("jdbc one");
                assertThat(single(second, "show application_name")).isEqualTo("jdbc two");
            }
            second.setClientInfo("ApplicationName", "jdbc three");
            assertThat(single(connection, "show application_name")).isEqualTo("jdbc one");
            assertThat(single(second, "show application_name")).isEqualTo("jdbc three");
        }
    }

    /// The driver says SET SESSION CHARACTERISTICS, and PostgreSQL does not report what that changes. In transaction
    /// mode
    /// it would be another session's as well, so clients there say it in each transaction.
    @ParameterizedTest
    @EnumSource(PostgresMajor.class)
    void shouldKeepTheIsolationLevelOfASession(PostgresMajor major) throws SQLException {
        Proxied proxied = given(major, PoolMode.SESSION);
        try (Connection connection = proxied.connect()) {
            for (int level : List.of(
                    Connection.TRANSACTION_READ_COMMITTED,
                    Connection.TRANSACTION_REPEATABLE_READ,
                    Connection.TRANSACTION_SERIALIZABLE)) {
                connection.setTransactionIsolation(level);
                assertThat(connection.getTransactionIsolation()).isEqualTo(level);
            }
        }
        for (int round = 0; round < 2 * POOL_SIZE; round++) {
            try (Connection next = proxied.connect()) {
                assertThat(next.getTransactionIsolation()).isEqualTo(Connection.TRANSACTION_READ_COMMITTED);
            }
        }
    }

    @ParameterizedTest
    @MethodSource(CASES)
    void shouldCancel(PostgresMajor major, PoolMode mode) throws Exception {
        Proxied proxied = given(major, mode);
        try (Connection connection = proxied.connect();
                Statement sleeping = connection.createStatement();
                ExecutorService other = Executors.newSingleThreadExecutor()) {
            // By the statement, from another thread.
            Future<SQLException> failure = other.submit(() -> catchThrowableOfType(
                    SQLException.class, () -> sleeping.execute("select pg_sleep(60) /* to be cancelled */")));
            org.awaitility.Awaitility.await()
                    .until(() -> !proxied.postgres()
                            .rows(
                                    "select 1 from pg_stat_activity where usename = ? and state = 'active' and query like '%to be cancelled%'",
                                    proxied.name())
                            .isEmpty());
            sleeping.cancel();
            assertThat(failure.get(10, TimeUnit.SECONDS).getSQLState()).isEqualTo("57014");
            // By the driver's own clock.
            sleeping.setQueryTimeout(1);
            SQLException late = catchThrowableOfType(SQLException.class, () -> sleeping.execute("select pg_sleep(60)"));
            assertThat(late.getSQLState()).isEqualTo("57014");
            // A cancel that comes too late harms nobody.
            sleeping.setQueryTimeout(0);
            for (int round = 0; round < 20; round++) {
                sleeping.cancel();
                assertThat(single(connection, "select " + round)).isEqualTo(Integer.toString(round));
            }
        }
    }

    @ParameterizedTest
    @MethodSource(CASES)
    void shouldDescribeTheDatabase(PostgresMajor major, PoolMode mode) throws SQLException {
        try (Connection connection = given(major, mode).connect()) {
            execute(
                    connection,
                    "drop table if exists described",
                    "create table described (id int primary key, name varchar(20) not null)");
            var meta = connection.getMetaData();
            assertThat(meta.getDatabaseMajorVersion()).isEqualTo(major == PostgresMajor.OLDEST ? 14 : 18);
            try (ResultSet columns = meta.getColumns(null, "public", "described", null)) {
                List<String> names = new ArrayList<>();
                while (columns.next()) {
                    names.add(columns.getString("COLUMN_NAME"));
                }
                assertThat(names).containsExactly("id", "name");
            }
            try (ResultSet keys = meta.getPrimaryKeys(null, "public", "described")) {
                assertThat(keys.next()).isTrue();
                assertThat(keys.getString("COLUMN_NAME")).isEqualTo("id");
            }
            try (ResultSet types = meta.getTypeInfo();
                    ResultSet tables = meta.getTables(null, null, "%", null);
                    ResultSet functions = meta.getFunctions(null, "pg_catalog", "pg_%")) {
                assertThat(column(types)).contains("int4");
                assertThat(column(tables)).isNotEmpty();
                assertThat(column(functions)).isNotEmpty();
            }
        }
    }

    @ParameterizedTest
    @MethodSource(CASES)
    void shouldStayValidAfterErrors(PostgresMajor major, PoolMode mode) throws SQLException { // checklist 89
        try (Connection connection = given(major, mode).connect()) {
            for (int round = 0; round < 10; round++) {
                SQLException failure = catchThrowableOfType(SQLException.class, () -> single(connection, "select 1/0"));
                assertThat(failure.getSQLState()).isEqualTo("22012");
                assertThat(connection.isValid(5)).isTrue();
                try (PreparedStatement wrong = connection.prepareStatement("select no_such_column where ? > 0")) {
                    wrong.setInt(1, round);
                    SQLException unknown = catchThrowableOfType(SQLException.class, wrong::executeQuery);
                    assertThat(unknown.getSQLState()).isEqualTo("42703");
                }
                assertThat(connection.isValid(5)).isTrue();
            }
        }
    }

    @ParameterizedTest
    @MethodSource(CASES)
    void shouldReadNoticesArraysAndLargeValues(PostgresMajor major, PoolMode mode) throws SQLException {
        try (Connection connection = given(major, mode).connect();
                PreparedStatement statement = connection.prepareStatement("select ?::text, ?::int[]")) {
            String large = "x".repeat(3_000_000);
            for (int round = 0; round < 7; round++) {
                statement.setString(1, large);
                statement.setArray(2, connection.createArrayOf("int4", new Integer[] {1, round, null}));
                try (ResultSet rows = statement.executeQuery()) {
                    rows.next();
                    assertThat(rows.getString(1)).isEqualTo(large);
                    assertThat((Integer[]) rows.getArray(2).getArray()).containsExactly(1, round, null);
                }
            }
            try (Statement noisy = connection.createStatement()) {
                noisy.execute("do $$ begin raise warning 'once'; end $$");
                assertThat(noisy.getWarnings().getMessage()).isEqualTo("once");
            }
        }
    }
}
