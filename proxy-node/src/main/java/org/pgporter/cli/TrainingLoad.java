package org.pgporter.cli;

import java.io.IOException;
import java.io.StringReader;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.postgresql.PGConnection;

/// What a node does all day, often enough that the JVM knows which methods matter and with which types: logins with
/// SCRAM and MD5; queries simple, extended and prepared; transactions, errors, COPY, parameters, many rows.
///
/// More clients than backends, so that some wait. Bounded by numbers of rounds, so that two trainings are alike.
final class TrainingLoad {
    private static final String DATABASE = "ledger";
    private static final DemoUser MD5_USER = new DemoUser("dave", "dave-in-demo");
    private static final int CLIENTS = 12;
    private static final int LOGINS = 100;
    private static final int LOGINS_BESIDE = 4;
    private static final int ROUNDS = 240;
    private static final int ROUNDS_BESIDE = 40;
    private static final int ROWS = 1000;

    private final DemoTarget target;

    TrainingLoad(DemoTarget target) {
        this.target = target;
    }

    /// A configuration file for a node in front of this server. One user logs in with MD5, and is another one behind
    /// the node.
    static String config(DemoPostgres postgres, String host, int port, String io) throws SQLException {
        var users = new StringBuilder();
        postgres.secrets()
                .forEach((name, secret) ->
                        users.append("      - {username: %s, password: \"%s\"}\n".formatted(name, secret)));
        users.append("      - {username: %s, password: \"%s\", server_username: %s, server_password: %s}\n"
                .formatted(MD5_USER.name(), md5(MD5_USER), DemoUser.CAROL.name(), DemoUser.CAROL.password()));
        var text = new StringBuilder("""
                general:
                  host: "%s"
                  port: %d
                  io: %s
                  pool_size: %d
                pools:
                """.formatted(host, port, io, DemoNode.POOL_SIZE));
        for (var database : DemoPostgres.DATABASES) {
            text.append("  " + database + ":\n")
                    .append("    server_host: \"" + postgres.host() + "\"\n")
                    .append("    server_port: " + postgres.port() + "\n")
                    .append("    users:\n")
                    .append(users);
        }
        return text.toString();
    }

    private static String md5(DemoUser user) {
        try {
            var digest = MessageDigest.getInstance("MD5");
            return "md5"
                    + HexFormat.of()
                            .formatHex(digest.digest((user.password() + user.name()).getBytes(StandardCharsets.UTF_8)));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    /// @param thorough also for the profiles of methods; otherwise everything once or a few times, so that its
    ///     classes are known
    void run(boolean thorough) throws DemoFailure, InterruptedException {
        try (var owner = target.connect(DemoUser.ALICE, DATABASE);
                var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            DemoSql.run(owner, "create table training (client int, number int, note text)");
            DemoSql.run(owner, "grant all on training to public");
            var clients = new ArrayList<Future<?>>();
            for (int i = 0; i < CLIENTS; i++) {
                int id = i;
                clients.add(threads.submit(() -> {
                    client(id, thorough ? LOGINS : LOGINS_BESIDE, thorough ? ROUNDS : ROUNDS_BESIDE);
                    return true;
                }));
            }
            for (var client : clients) {
                client.get();
            }
            DemoSql.run(owner, "drop table training");
        } catch (ExecutionException e) {
            throw new DemoFailure("training: " + e.getCause());
        } catch (SQLException e) {
            throw new DemoFailure("training: " + e);
        }
    }

    private void client(int id, int logins, int rounds) throws SQLException, IOException, DemoFailure {
        var user = id % 2 == 0 ? DemoUser.ALICE : MD5_USER;
        var options = options(id);
        for (int i = 0; i < logins; i++) {
            try (var connection = target.connect(user, DATABASE, options)) {
                DemoSql.number(connection, "select 1");
            }
        }
        try (var connection = target.connect(user, DATABASE, options)) {
            for (int round = 1; round <= rounds; round++) {
                query(connection, round);
                if (round % 5 == 0) {
                    transaction(connection, id, round);
                }
                if (round % 10 == 0) {
                    seldom(connection, id, round);
                }
            }
        }
    }

    /// The protocol of queries: simple, extended, prepared at once.
    private static Properties options(int id) {
        var options = new Properties();
        switch (id % 3) {
            case 0 -> options.setProperty("preferQueryMode", "simple");
            case 1 -> options.setProperty("prepareThreshold", "0");
            default -> options.setProperty("prepareThreshold", "1");
        }
        return options;
    }

    private static void query(Connection connection, int round) throws SQLException, DemoFailure {
        try (var statement = connection.prepareStatement("select ?::int + 1")) {
            statement.setInt(1, round);
            try (var rows = statement.executeQuery()) {
                DemoFailure.unless(rows.next() && rows.getInt(1) == round + 1, "a wrong answer");
            }
        }
    }

    private static void transaction(Connection connection, int id, int round) throws SQLException {
        connection.setAutoCommit(false);
        try (var insert = connection.prepareStatement("insert into training values (?, ?, 'a note')")) {
            for (int i = 0; i < 3; i++) {
                insert.setInt(1, id);
                insert.setInt(2, round);
                insert.addBatch();
            }
            insert.executeBatch();
        }
        connection.commit();
        connection.setAutoCommit(true);
    }

    private static void seldom(Connection connection, int id, int round) throws SQLException, IOException, DemoFailure {
        switch (round / 10 % 4) {
            case 0 -> {
                try {
                    DemoSql.number(connection, "select 1/0");
                    throw new DemoFailure("an error was expected");
                } catch (SQLException e) {
                    DemoFailure.unless("22012".equals(e.getSQLState()), "another error was expected: " + e);
                }
            }
            case 1 -> manyRows(connection);
            case 2 -> {
                DemoSql.run(connection, "set search_path = public, s" + id % 2);
                DemoSql.text(connection, "show search_path");
            }
            default -> copy(connection, id);
        }
    }

    private static void manyRows(Connection connection) throws SQLException, DemoFailure {
        try (var statement = connection.prepareStatement("select i, 'row ' || i from generate_series(1, ?) i")) {
            statement.setInt(1, ROWS);
            try (var rows = statement.executeQuery()) {
                int seen = 0;
                while (rows.next()) {
                    seen++;
                }
                DemoFailure.unless(seen == ROWS, "rows are missing");
            }
        }
    }

    private static void copy(Connection connection, int id) throws SQLException, IOException {
        var copies = connection.unwrap(PGConnection.class).getCopyAPI();
        copies.copyIn(
                "copy training from stdin with (format csv)", new StringReader((id + ",0,copied\n").repeat(ROWS)));
        copies.copyOut("copy (select * from training limit " + ROWS + ") to stdout", new StringWriter());
    }
}
