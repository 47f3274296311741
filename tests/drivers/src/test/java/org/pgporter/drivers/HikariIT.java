package org.pgporter.drivers;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.io.StringReader;
import java.io.StringWriter;
import java.math.BigDecimal;
import java.sql.BatchUpdateException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.sql.Types;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.Arrays;
import java.util.UUID;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.pgporter.drivers.Workers.Worker;
import org.postgresql.PGConnection;
import org.postgresql.PGNotification;
import org.postgresql.largeobject.LargeObject;
import org.postgresql.largeobject.LargeObjectManager;

/// pgjdbc behind HikariCP: more threads than the driver's pool has connections, and more of those than the node has
/// backends.
class HikariIT {
    private static final int THREADS = 2 * Served.CONNECTIONS;
    // pgjdbc names a statement when it is executed for the fifth time, and reads binary from then on.
    private static final int CROSSES_THRESHOLD = 8;
    private static final String INSERT = "insert into things (worker, token) values (?, ?)";

    static HikariDataSource dataSource(Served served) {
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(served.jdbcUrl());
        config.setUsername(served.name());
        config.setPassword(Served.PASSWORD);
        config.setMaximumPoolSize(Served.CONNECTIONS);
        // How long a busy machine takes is not what is tested.
        config.setConnectionTimeout(60_000);
        return new HikariDataSource(config);
    }

    @Test
    void shouldServeAnApplication() throws SQLException {
        try (Served served = Served.start("driver_hikari");
                HikariDataSource dataSource = dataSource(served)) {
            try (Connection connection = dataSource.getConnection();
                    Statement statement = connection.createStatement()) {
                statement.execute("create table things (id serial, worker int, token text unique, note text)");
                statement.execute("""
                        create function numbers() returns refcursor language plpgsql as $$
                        declare result refcursor; begin
                          open result for select n from generate_series(1, 20) n; return result;
                        end $$""");
            }
            new Workers().work(THREADS, worker -> {
                Thread thread = new Thread(worker, dataSource);
                return new Workers.Thing[] {
                    thread::asksAgainAndAgain,
                    thread::namesItself,
                    thread::rollsBack,
                    thread::returnsAnOpenTransaction,
                    thread::goesBackToASavepoint,
                    thread::goesOnAfterErrors,
                    thread::sendsBatches,
                    thread::copies,
                    thread::readsByPortions,
                    thread::readsARefcursor,
                    thread::passesTypes,
                    thread::passesLargeValues,
                    thread::keepsLargeObjects,
                    thread::runsOutOfTime,
                    thread::readsOnly,
                    thread::isolates,
                    thread::keepsATemporaryTable,
                    thread::listens,
                };
            });
        }
    }

    /// Takes a connection for each thing it does, as applications do for each request.
    private record Thread(Worker worker, HikariDataSource dataSource) {
        private void ask(Connection connection) throws SQLException {
            try (PreparedStatement question = connection.prepareStatement("select ?::text, pg_backend_pid()")) {
                String token = worker.token();
                question.setString(1, token);
                try (ResultSet rows = question.executeQuery()) {
                    rows.next();
                    worker.answered(token, rows.getString(1), rows.getInt(2));
                }
            }
        }

        private static String single(Connection connection, String sql, Object... parameters) throws SQLException {
            try (PreparedStatement statement = connection.prepareStatement(sql)) {
                for (int i = 0; i < parameters.length; i++) {
                    statement.setObject(i + 1, parameters[i]);
                }
                try (ResultSet rows = statement.executeQuery()) {
                    rows.next();
                    return rows.getString(1);
                }
            }
        }

        private void insert(Connection connection, String token) throws SQLException {
            try (PreparedStatement statement = connection.prepareStatement(INSERT)) {
                statement.setInt(1, worker.number());
                statement.setString(2, token);
                assertThat(statement.executeUpdate()).isOne();
            }
        }

        private static String count(Connection connection, String token) throws SQLException {
            return single(connection, "select count(*) from things where token = ?", token);
        }

        private static void fails(String state, ThrowingCallable what) {
            assertThatExceptionOfType(SQLException.class)
                    .isThrownBy(what)
                    .satisfies(it -> assertThat(it.getSQLState()).isEqualTo(state));
        }

        void asksAgainAndAgain() throws SQLException {
            try (Connection connection = dataSource.getConnection();
                    PreparedStatement own =
                            connection.prepareStatement("select ?, ?::text, '" + worker.number() + "'")) {
                for (int i = 0; i < CROSSES_THRESHOLD; i++) {
                    ask(connection);
                    String token = worker.token();
                    own.setInt(1, i);
                    own.setString(2, token);
                    try (ResultSet rows = own.executeQuery()) {
                        rows.next();
                        assertThat(rows.getInt(1)).isEqualTo(i);
                        worker.answered(token, rows.getString(2));
                        assertThat(rows.getInt(3)).isEqualTo(worker.number());
                    }
                }
                assertThat(connection.isValid(10)).isTrue();
            }
        }

        /// The name is the session's, whichever backend answers.
        void namesItself() throws SQLException {
            try (Connection connection = dataSource.getConnection();
                    Statement statement = connection.createStatement()) {
                connection.setClientInfo("ApplicationName", "thread " + worker.number());
                statement.execute("set timezone = 'Asia/Kathmandu'");
                statement.execute("set work_mem = '" + (100 + worker.number()) + "kB'");
                for (int i = 0; i < CROSSES_THRESHOLD; i++) {
                    assertThat(single(connection, "show application_name")).isEqualTo("thread " + worker.number());
                    assertThat(single(connection, "select current_setting('timezone')"))
                            .isEqualTo("Asia/Kathmandu");
                    assertThat(single(connection, "show work_mem")).isEqualTo(100 + worker.number() + "kB");
                }
                statement.execute("reset timezone");
                statement.execute("reset work_mem");
                assertThat(single(connection, "show timezone")).isNotEqualTo("Asia/Kathmandu");
            }
        }

        void rollsBack() throws SQLException {
            String token = worker.token();
            try (Connection connection = dataSource.getConnection()) {
                connection.setAutoCommit(false);
                insert(connection, token);
                assertThat(count(connection, token)).isEqualTo("1");
                connection.rollback();
                assertThat(count(connection, token)).isEqualTo("0");
                connection.commit();
            }
        }

        /// HikariCP rolls back what an application has forgotten.
        void returnsAnOpenTransaction() throws SQLException {
            String token = worker.token();
            try (Connection connection = dataSource.getConnection()) {
                connection.setAutoCommit(false);
                insert(connection, token);
            }
            try (Connection connection = dataSource.getConnection()) {
                assertThat(connection.getAutoCommit()).isTrue();
                assertThat(count(connection, token)).isEqualTo("0");
            }
        }

        void goesBackToASavepoint() throws SQLException {
            String kept = worker.token();
            String lost = worker.token();
            try (Connection connection = dataSource.getConnection()) {
                connection.setAutoCommit(false);
                insert(connection, kept);
                Savepoint savepoint = connection.setSavepoint("here");
                insert(connection, lost);
                fails("23505", () -> insert(connection, kept));
                fails("25P02", () -> ask(connection));
                connection.rollback(savepoint);
                ask(connection);
                connection.commit();
                assertThat(count(connection, kept) + count(connection, lost)).isEqualTo("10");
                connection.commit();
            }
        }

        void goesOnAfterErrors() throws SQLException {
            String token = worker.token();
            try (Connection connection = dataSource.getConnection()) {
                insert(connection, token);
                for (int i = 0; i < CROSSES_THRESHOLD; i++) {
                    fails("23505", () -> insert(connection, token));
                    fails("42601", () -> single(connection, "selekt ?", 1));
                    fails("22012", () -> single(connection, "select 1 / ?::int", 0));
                    ask(connection);
                }
            }
        }

        void sendsBatches() throws SQLException {
            try (Connection connection = dataSource.getConnection();
                    PreparedStatement statement =
                            connection.prepareStatement(INSERT, Statement.RETURN_GENERATED_KEYS)) {
                connection.setAutoCommit(false);
                String first = worker.token();
                statement.setInt(1, worker.number());
                for (int i = 0; i < 300; i++) {
                    statement.setString(2, i == 0 ? first : worker.token());
                    statement.addBatch();
                }
                assertThat(statement.executeBatch()).hasSize(300).containsOnly(1);
                try (ResultSet keys = statement.getGeneratedKeys()) {
                    keys.next();
                    assertThat(single(connection, "select token from things where id = ?", keys.getInt(1)))
                            .isEqualTo(first);
                }
                connection.commit();
                String lost = worker.token();
                for (String token : new String[] {lost, first, worker.token()}) {
                    statement.setString(2, token);
                    statement.addBatch();
                }
                assertThatExceptionOfType(BatchUpdateException.class)
                        .isThrownBy(statement::executeBatch)
                        .satisfies(it -> assertThat(it.getSQLState()).isEqualTo("23505"));
                connection.rollback();
                assertThat(count(connection, lost)).isEqualTo("0");
            }
        }

        void copies() throws Exception {
            try (Connection connection = dataSource.getConnection()) {
                var copies = connection.unwrap(PGConnection.class).getCopyAPI();
                StringBuilder lines = new StringBuilder();
                for (int i = 0; i < 1_000; i++) {
                    lines.append(worker.number())
                            .append('\t')
                            .append(worker.token())
                            .append('\n');
                }
                String into = "copy things (worker, token) from stdin";
                assertThat(copies.copyIn(into, new StringReader(lines.toString())))
                        .isEqualTo(1_000);
                fails("23505", () -> copies.copyIn(into, new StringReader(lines.toString())));
                StringWriter out = new StringWriter();
                String rows = "copy (select " + worker.number() + ", n from generate_series(1, 2000) n) to stdout";
                assertThat(copies.copyOut(rows, out)).isEqualTo(2_000);
                assertThat(out.toString().lines()).hasSize(2_000).allMatch(it -> it.startsWith(worker.number() + "\t"));
                ask(connection);
            }
        }

        void readsByPortions() throws SQLException {
            try (Connection connection = dataSource.getConnection()) {
                connection.setAutoCommit(false);
                try (PreparedStatement statement =
                        connection.prepareStatement("select n, ?::text from generate_series(1, 100) n")) {
                    statement.setFetchSize(7);
                    String token = worker.token();
                    statement.setString(1, token);
                    try (ResultSet rows = statement.executeQuery()) {
                        int last = 0;
                        while (rows.next()) {
                            assertThat(rows.getInt(1)).isEqualTo(++last);
                            worker.answered(token, rows.getString(2));
                            if (last % 30 == 0) {
                                ask(connection);
                            }
                        }
                        assertThat(last).isEqualTo(100);
                    }
                }
                connection.commit();
            }
        }

        void readsARefcursor() throws SQLException {
            try (Connection connection = dataSource.getConnection()) {
                connection.setAutoCommit(false);
                try (var call = connection.prepareCall("{? = call numbers()}")) {
                    call.registerOutParameter(1, Types.REF_CURSOR);
                    call.execute();
                    try (ResultSet rows = call.getObject(1, ResultSet.class)) {
                        int count = 0;
                        while (rows.next()) {
                            assertThat(rows.getInt(1)).isEqualTo(++count);
                        }
                        assertThat(count).isEqualTo(20);
                    }
                }
                connection.commit();
            }
        }

        void passesTypes() throws SQLException {
            OffsetDateTime moment = OffsetDateTime.of(2026, 1, 2, 3, 4, 5, 678_901_000, ZoneOffset.UTC);
            byte[] bytes = new byte[256];
            for (int i = 0; i < bytes.length; i++) {
                bytes[i] = (byte) i;
            }
            try (Connection connection = dataSource.getConnection();
                    PreparedStatement statement = connection.prepareStatement(
                            "select ?::int[], ?::text[], ?::jsonb, ?::timestamptz, ?::date, ?::numeric, ?::uuid, ?::bytea,"
                                    + " ?::text, ?::float8, ?::bool")) {
                for (int i = 0; i < CROSSES_THRESHOLD; i++) {
                    Integer[] numbers = {1, null, worker.number()};
                    String[] words = {"a", "with \"quotes\"", null, worker.token()};
                    statement.setArray(1, connection.createArrayOf("int4", numbers));
                    statement.setArray(2, connection.createArrayOf("text", words));
                    statement.setObject(3, "{\"worker\": " + worker.number() + "}", Types.OTHER);
                    statement.setObject(4, moment);
                    statement.setObject(5, LocalDate.of(2026, 2, 28));
                    statement.setBigDecimal(6, new BigDecimal("12345678901234567890.0987654321"));
                    statement.setObject(7, new UUID(0, worker.number()));
                    statement.setBytes(8, bytes);
                    statement.setNull(9, Types.VARCHAR);
                    statement.setDouble(10, Double.NEGATIVE_INFINITY);
                    statement.setBoolean(11, true);
                    try (ResultSet rows = statement.executeQuery()) {
                        rows.next();
                        assertThat((Object[]) rows.getArray(1).getArray()).containsExactly((Object[]) numbers);
                        assertThat((Object[]) rows.getArray(2).getArray()).containsExactly((Object[]) words);
                        assertThat(rows.getString(3)).isEqualTo("{\"worker\": " + worker.number() + "}");
                        assertThat(rows.getObject(4, OffsetDateTime.class)).isEqualTo(moment);
                        assertThat(rows.getObject(5, LocalDate.class)).isEqualTo("2026-02-28");
                        assertThat(rows.getBigDecimal(6)).isEqualTo("12345678901234567890.0987654321");
                        assertThat(rows.getObject(7)).isEqualTo(new UUID(0, worker.number()));
                        assertThat(rows.getBytes(8)).isEqualTo(bytes);
                        assertThat(rows.getString(9)).isNull();
                        assertThat(rows.getDouble(10)).isEqualTo(Double.NEGATIVE_INFINITY);
                        assertThat(rows.getBoolean(11)).isTrue();
                    }
                }
            }
        }

        void passesLargeValues() throws SQLException {
            try (Connection connection = dataSource.getConnection();
                    PreparedStatement statement = connection.prepareStatement("select ?::text, ?::bytea")) {
                String text = worker.token() + "é".repeat(500_000);
                byte[] bytes = new byte[2_000_000];
                Arrays.fill(bytes, (byte) worker.number());
                statement.setString(1, text);
                statement.setBytes(2, bytes);
                try (ResultSet rows = statement.executeQuery()) {
                    rows.next();
                    assertThat(rows.getString(1).equals(text)).isTrue();
                    assertThat(Arrays.equals(rows.getBytes(2), bytes)).isTrue();
                }
            }
        }

        /// Large objects speak FunctionCall, and a descriptor belongs to its transaction.
        void keepsLargeObjects() throws SQLException {
            try (Connection connection = dataSource.getConnection()) {
                connection.setAutoCommit(false);
                LargeObjectManager objects =
                        connection.unwrap(PGConnection.class).getLargeObjectAPI();
                byte[] content = worker.token().repeat(20_000).getBytes(java.nio.charset.StandardCharsets.US_ASCII);
                long oid = objects.createLO(LargeObjectManager.READWRITE);
                try (LargeObject object = objects.open(oid, LargeObjectManager.WRITE)) {
                    object.write(content);
                }
                connection.commit();
                try (LargeObject object = objects.open(oid, LargeObjectManager.READ)) {
                    assertThat(object.size()).isEqualTo(content.length);
                    assertThat(Arrays.equals(object.read(content.length), content))
                            .isTrue();
                }
                objects.delete(oid);
                connection.commit();
            }
        }

        void runsOutOfTime() throws SQLException {
            if (worker.number() % 8 != 0) {
                // It holds a backend for a second.
                return;
            }
            try (Connection connection = dataSource.getConnection()) {
                // pgjdbc counts in seconds and sends a cancel request.
                try (Statement statement = connection.createStatement()) {
                    statement.setQueryTimeout(1);
                    fails("57014", () -> statement.execute("select pg_sleep(60)"));
                }
                ask(connection);
            }
        }

        /// HikariCP says SET SESSION CHARACTERISTICS, and puts it back when the connection returns.
        void isolates() throws SQLException {
            try (Connection connection = dataSource.getConnection()) {
                connection.setTransactionIsolation(Connection.TRANSACTION_SERIALIZABLE);
                for (int i = 0; i < 3; i++) {
                    assertThat(single(connection, "show transaction_isolation")).isEqualTo("serializable");
                    ask(connection);
                }
            }
            try (Connection connection = dataSource.getConnection()) {
                assertThat(single(connection, "show transaction_isolation")).isEqualTo("read committed");
            }
        }

        void keepsATemporaryTable() throws SQLException {
            if (!worker.mayWait()) {
                return;
            }
            try (Connection connection = dataSource.getConnection();
                    Statement statement = connection.createStatement()) {
                statement.execute("create temporary table mine as select " + worker.number() + " as number");
                for (int i = 0; i < CROSSES_THRESHOLD; i++) {
                    ask(connection);
                    assertThat(single(connection, "select number from mine"))
                            .isEqualTo(Integer.toString(worker.number()));
                }
                statement.execute("drop table mine");
                ask(connection);
            }
        }

        /// Who listens hears what was said, and nobody else.
        void listens() throws SQLException {
            if (!worker.mayWait()) {
                return;
            }
            String channel = "channel_" + worker.number();
            try (Connection connection = dataSource.getConnection();
                    Statement statement = connection.createStatement()) {
                statement.execute("listen " + channel);
                for (int i = 0; i < 3; i++) {
                    String token = worker.token();
                    try (Connection other = dataSource.getConnection()) {
                        single(other, "select pg_notify(?, ?)", channel, token);
                    }
                    PGNotification[] heard =
                            connection.unwrap(PGConnection.class).getNotifications(30_000);
                    assertThat(heard)
                            .extracting(it -> it.getName() + " " + it.getParameter())
                            .containsExactly(channel + " " + token);
                    ask(connection);
                }
                statement.execute("unlisten *");
                ask(connection);
            }
        }

        void readsOnly() throws SQLException {
            try (Connection connection = dataSource.getConnection()) {
                connection.setReadOnly(true);
                connection.setAutoCommit(false);
                fails("25006", () -> insert(connection, worker.token()));
                connection.rollback();
                ask(connection);
                connection.commit();
            }
            // HikariCP has put it back.
            try (Connection connection = dataSource.getConnection()) {
                insert(connection, worker.token());
            }
        }
    }
}
