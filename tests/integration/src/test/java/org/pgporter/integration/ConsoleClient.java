package org.pgporter.integration;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import org.pgporter.protocol.message.BackendMessage;
import org.pgporter.protocol.message.Bytes;
import org.pgporter.protocol.message.DataRow;
import org.pgporter.protocol.message.ErrorResponse;
import org.pgporter.protocol.message.RowDescription;
import org.pgporter.protocol.message.TransactionStatus;
import org.pgporter.support.RawClient;

/// An operator at a node's console.
record ConsoleClient(RawClient wire) implements AutoCloseable {
    /// One row of a SHOW.
    record Row(Map<String, String> values) {
        /// @throws AssertionError when there is no such column
        String get(String column) {
            String value = values.get(column);
            if (value == null) {
                throw new AssertionError("no column " + column + " in " + values.keySet());
            }
            return value;
        }

        long number(String column) {
            return Long.parseLong(get(column));
        }

        boolean has(String column, Object value) {
            return get(column).equals(String.valueOf(value));
        }
    }

    static ConsoleClient at(TestNode node, String user, String password) {
        return new ConsoleClient(RawClient.connects(node.host(), node.port()).logsIn(user, password, "pgbouncer"));
    }

    /// All rows; SQL's null appears as the text `null`.
    List<Row> show(String what) {
        wire.sendsQuery("SHOW " + what);
        List<String> names = wire.expects(RowDescription.class).columns().stream()
                .map(RowDescription.Column::name)
                .toList();
        List<Row> rows = new ArrayList<>();
        BackendMessage next = wire.expectsAny();
        while (next instanceof DataRow row) {
            Map<String, String> values = new LinkedHashMap<>();
            for (int i = 0; i < names.size(); i++) {
                Optional<Bytes> value = row.values().get(i);
                values.put(names.get(i), value.map(Bytes::toText).orElse("null"));
            }
            rows.add(new Row(values));
            next = wire.expectsAny();
        }
        wire.expectsReadyForQuery(TransactionStatus.IDLE);
        return rows;
    }

    /// The first of the rows that is so.
    ///
    /// @throws AssertionError when there is none
    Row find(String what, Predicate<Row> which) {
        List<Row> rows = show(what);
        return rows.stream().filter(which).findFirst().orElseThrow(() -> new AssertionError("none of " + rows));
    }

    Row pool(String database) {
        return find("POOLS", row -> row.has("database", database));
    }

    Row client(String applicationName) {
        return find("CLIENTS", row -> row.has("application_name", applicationName));
    }

    void says(String command) {
        wire.query(command);
    }

    ErrorResponse refuses(String command) {
        return wire.queryExpectingError(command);
    }

    @Override
    public void close() {
        wire.close();
    }
}
