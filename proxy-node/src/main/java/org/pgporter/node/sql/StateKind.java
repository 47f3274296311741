package org.pgporter.node.sql;

import java.util.EnumSet;
import java.util.Set;

/// What PostgreSQL keeps for a session beyond its transactions. Parameters can be taken along to another backend;
/// the rest binds a session to the backend that has it.
public enum StateKind {
    /// Run-time parameters, `role` and `session_authorization` among them.
    PARAMETER("parameter"),
    /// Tables, views, sequences, types and functions in the session's temporary schema.
    TEMPORARY_OBJECT("temporary object"),
    /// Statements of SQL-level PREPARE. Those of the protocol are known and go along.
    PREPARED_STATEMENT("SQL-level PREPARE"),
    /// Cursors declared WITH HOLD.
    HELD_CURSOR("WITH HOLD cursor"),
    LISTEN("LISTEN"),
    /// Advisory locks of the session; those of a transaction end with it.
    ADVISORY_LOCK("session advisory lock"),
    /// A library that LOAD has brought into the backend's process. Nothing takes it out again.
    LIBRARY("LOAD"),
    /// The backend could not be asked, so anything may be there.
    UNKNOWN("state unknown");

    private final String text;

    StateKind(String text) {
        this.text = text;
    }

    /// How it is called in logs and in what operators see.
    public String text() {
        return text;
    }

    /// Its bit in a set of kinds that is kept as a number.
    public int mask() {
        return 1 << ordinal();
    }

    /// Every kind that the backend itself can be asked about.
    public static final int EVERY_KIND = PARAMETER.mask()
            | TEMPORARY_OBJECT.mask()
            | PREPARED_STATEMENT.mask()
            | HELD_CURSOR.mask()
            | LISTEN.mask()
            | ADVISORY_LOCK.mask();

    public static Set<StateKind> of(int masks) {
        Set<StateKind> kinds = EnumSet.noneOf(StateKind.class);
        for (StateKind kind : values()) {
            if ((masks & kind.mask()) != 0) {
                kinds.add(kind);
            }
        }
        return kinds;
    }
}
