package org.pgporter.soak;

import java.util.Set;

/// A conversation cannot go on because of what was done to PostgreSQL's processes.
final class Disturbed extends Exception {
    /// The connection was closed without a word.
    static final String CLOSED = "closed";

    /// What the loss of a backend, or of the server, may be called: PostgreSQL's own words and the node's.
    private static final Set<String> LOSS = Set.of("57P01", "57P02", "57P03", "08006");

    private static final long serialVersionUID = 1;

    private final String sqlState;

    Disturbed(String sqlState, String message) {
        super(message);
        this.sqlState = sqlState;
    }

    /// Whether the loss of a backend may be reported by this SQLSTATE.
    static boolean tellsOfLoss(String sqlState) {
        return LOSS.contains(sqlState);
    }

    /// Of the error that said so, or [#CLOSED].
    String sqlState() {
        return sqlState;
    }
}
