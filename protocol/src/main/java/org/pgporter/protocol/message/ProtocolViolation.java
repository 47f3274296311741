package org.pgporter.protocol.message;

/// The peer broke the protocol. The connection cannot go on: the answer is FATAL with this SQLSTATE and message,
/// then close; or nothing but close when [#quiet] says so. Carries no stack trace, so that garbage from outside
/// costs little. It stands in this package because decoding a message throws it, and `codec` builds on messages.
@SuppressWarnings("serial")
public final class ProtocolViolation extends RuntimeException {

    private final SqlState sqlState;
    private final boolean quiet;

    /// A violation that is answered with an ErrorResponse.
    public ProtocolViolation(SqlState sqlState, String message) {
        this(sqlState, message, false);
    }

    private ProtocolViolation(SqlState sqlState, String message, boolean quiet) {
        super(message, null, false, false);
        this.sqlState = sqlState;
        this.quiet = quiet;
    }

    /// A violation by somebody who most likely speaks no PostgreSQL at all: close without an answer.
    public static ProtocolViolation quiet(String message) {
        return new ProtocolViolation(SqlState.PROTOCOL_VIOLATION, message, true);
    }

    /// What to put into the field C of the answer.
    public SqlState sqlState() {
        return sqlState;
    }

    /// True: close without an answer.
    public boolean quiet() {
        return quiet;
    }

    /// The message; never missing.
    @Override
    public String getMessage() {
        return String.valueOf(super.getMessage());
    }
}
