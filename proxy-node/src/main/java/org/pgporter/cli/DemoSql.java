package org.pgporter.cli;

import java.sql.Connection;
import java.sql.SQLException;

/// Short forms for statements that answer with one value.
final class DemoSql {
    private DemoSql() {}

    static String text(Connection connection, String sql) throws SQLException {
        try (var statement = connection.createStatement();
                var rows = statement.executeQuery(sql)) {
            if (!rows.next()) {
                throw new SQLException("no row from: " + sql);
            }
            return String.valueOf(rows.getString(1));
        }
    }

    static int number(Connection connection, String sql) throws SQLException {
        return Integer.parseInt(text(connection, sql));
    }

    static void run(Connection connection, String sql) throws SQLException {
        try (var statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    /// The process that serves this connection just now.
    static int backendPid(Connection connection) throws SQLException {
        return number(connection, "select pg_backend_pid()");
    }
}
