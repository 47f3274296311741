package org.pgporter.node.backend;

import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.pgporter.node.sql.StateKind;
import org.pgporter.protocol.message.WireText;

/// A look at what a session has left on its backend: asks PostgreSQL itself, because the text of a statement says
/// only what may have happened.
///
/// @param kinds which kinds of state to look for, as [StateKind#mask()] bits
/// @param everyParameter whether to look for all parameters that were set in the session; it costs about a
///     millisecond of the backend, because PostgreSQL makes up the whole of `pg_settings` for it
/// @param parameters which parameters to look at besides; PostgreSQL lists those of applications nowhere
public record Inspection(int kinds, boolean everyParameter, List<String> parameters) {
    /// The type OID of `text` (`pg_type.dat`).
    private static final int TEXT = 25;

    private static final String IDENTITY = """
            SELECT 'p', n, pg_catalog.current_setting(n)
            FROM (VALUES ('role'), ('session_authorization')) AS v (n)""";

    /// Operators are named with their schema: the session may have put another before `pg_catalog`. `SET TRANSACTION`
    /// outside of a transaction leaves its parameters marked as set in the session, but they begin anew with each
    /// transaction, and cannot be reset.
    private static final String SETTINGS = """
            SELECT 'p', name, pg_catalog.current_setting(name) FROM pg_catalog.pg_settings
            WHERE source OPERATOR(pg_catalog.=) 'session' AND name OPERATOR(pg_catalog.!~) '^transaction_'""";

    private static String exists(StateKind kind, String from) {
        return "SELECT 'k', '" + kind.name() + "', '' WHERE EXISTS (SELECT FROM " + from + ")";
    }

    private static String inTemporarySchema(String catalog, String namespace) {
        return exists(
                StateKind.TEMPORARY_OBJECT,
                "pg_catalog." + catalog + " WHERE " + namespace
                        + " OPERATOR(pg_catalog.=) pg_catalog.pg_my_temp_schema()");
    }

    private boolean looksFor(StateKind kind) {
        return (kinds & kind.mask()) != 0;
    }

    private String query() {
        List<String> parts = new ArrayList<>();
        if (everyParameter) {
            parts.add(SETTINGS);
            parts.add(IDENTITY);
        }
        for (int i = 1; i <= parameters.size(); i++) {
            parts.add("SELECT 'p', $" + i + ", pg_catalog.current_setting($" + i + ", true)");
        }
        if (looksFor(StateKind.TEMPORARY_OBJECT)) {
            parts.add(inTemporarySchema("pg_class", "relnamespace"));
            parts.add(inTemporarySchema("pg_proc", "pronamespace"));
            parts.add(inTemporarySchema("pg_type", "typnamespace"));
        }
        if (looksFor(StateKind.PREPARED_STATEMENT)) {
            parts.add(exists(StateKind.PREPARED_STATEMENT, "pg_catalog.pg_prepared_statements WHERE from_sql"));
        }
        if (looksFor(StateKind.HELD_CURSOR)) {
            parts.add(exists(StateKind.HELD_CURSOR, "pg_catalog.pg_cursors WHERE is_holdable"));
        }
        if (looksFor(StateKind.LISTEN)) {
            parts.add(exists(StateKind.LISTEN, "pg_catalog.pg_listening_channels()"));
        }
        if (looksFor(StateKind.ADVISORY_LOCK)) {
            parts.add(exists(
                    StateKind.ADVISORY_LOCK,
                    "pg_catalog.pg_locks WHERE locktype OPERATOR(pg_catalog.=) 'advisory'"
                            + " AND pid OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid()"));
        }
        return String.join(" UNION ALL ", parts);
    }

    /// Writes the question, with the Sync that ends it.
    void write(ByteBuf out) {
        OwnMessages.writeParse(out, query().getBytes(StandardCharsets.UTF_8), TEXT, parameters.size());
        OwnMessages.writeBind(out, parameters.stream().map(WireText::encode).toArray(byte[][]::new));
        OwnMessages.writeExecute(out);
        OwnMessages.writeSync(out);
    }
}
