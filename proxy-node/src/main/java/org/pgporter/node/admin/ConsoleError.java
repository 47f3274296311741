package org.pgporter.node.admin;

import java.util.Optional;
import org.pgporter.protocol.message.ErrorResponse;
import org.pgporter.protocol.message.Severity;
import org.pgporter.protocol.message.SqlState;

/// Errors of the console: PgBouncer's words, which tools know, with PostgreSQL's SQLSTATEs. None of them ends the
/// session.
final class ConsoleError {
    /// PgBouncer shows no more of a command, either.
    private static final int MOST_SHOWN = 127;

    private ConsoleError() {}

    /// @param nearest what was probably meant
    static ErrorResponse invalidCommand(String command, Optional<String> nearest) {
        String shown = command.length() <= MOST_SHOWN
                ? command
                : command.substring(0, command.offsetByCodePoints(0, MOST_SHOWN / 2)) + "…";
        ErrorResponse error = error(SqlState.SYNTAX_ERROR, "invalid command '" + shown + "', use SHOW HELP;");
        return nearest.map(near -> error.withHint("Did you mean " + near + "?")).orElse(error);
    }

    static ErrorResponse adminNeeded() {
        return error(SqlState.INSUFFICIENT_PRIVILEGE, "admin access needed");
    }

    static ErrorResponse noSuchDatabase(String database) {
        return error(SqlState.INVALID_CATALOG_NAME, "no such database: " + database);
    }

    static ErrorResponse noSuchClient(String client) {
        return error(SqlState.UNDEFINED_OBJECT, "no such client: " + client);
    }

    static ErrorResponse notForTheConsole(String what, String database) {
        return error(SqlState.FEATURE_NOT_SUPPORTED, "cannot " + what + " admin db: " + database);
    }

    static ErrorResponse databaseRequired() {
        return error(SqlState.SYNTAX_ERROR, "a database is required");
    }

    static ErrorResponse notPaused(String database) {
        return error(SqlState.OBJECT_NOT_IN_PREREQUISITE_STATE, "database " + database + " is not paused");
    }

    static ErrorResponse nothingPaused() {
        return error(SqlState.OBJECT_NOT_IN_PREREQUISITE_STATE, "pooler is not paused/suspended");
    }

    static ErrorResponse alreadyPaused() {
        return error(SqlState.OBJECT_NOT_IN_PREREQUISITE_STATE, "already suspended/paused");
    }

    static ErrorResponse notSupported(String command, String hint) {
        return error(SqlState.FEATURE_NOT_SUPPORTED, command + " is not supported")
                .withHint(hint);
    }

    static ErrorResponse setFailed(String key, String why) {
        return error(SqlState.INVALID_PARAMETER_VALUE, "SET failed").withDetail("\"" + key + "\" " + why);
    }

    static ErrorResponse reloadFailed(String problems) {
        return error(new SqlState("F0000"), "RELOAD failed, see logs for additional details")
                .withDetail(problems);
    }

    static ErrorResponse canceled() {
        return error(SqlState.QUERY_CANCELED, "canceling statement due to user request");
    }

    static ErrorResponse internal() {
        return error(SqlState.INTERNAL_ERROR, "the console could not answer, see the log");
    }

    static ErrorResponse error(SqlState state, String message) {
        return ErrorResponse.of(Severity.ERROR, state, message);
    }
}
