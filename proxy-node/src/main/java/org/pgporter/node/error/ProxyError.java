package org.pgporter.node.error;

import java.time.Duration;
import org.pgporter.auth.hba.HbaRequest;
import org.pgporter.protocol.message.ErrorResponse;
import org.pgporter.protocol.message.NoticeResponse;
import org.pgporter.protocol.message.ProtocolViolation;
import org.pgporter.protocol.message.Severity;
import org.pgporter.protocol.message.SqlState;

/// Every error that PgPorter makes itself. FATAL ends the session; ERROR leaves it alive.
public final class ProxyError {
    private ProxyError() {}

    // ---- before and at login

    public static ErrorResponse protocolViolation(ProtocolViolation violation) {
        return ErrorResponse.of(Severity.FATAL, violation.sqlState(), violation.getMessage());
    }

    public static ErrorResponse protocolViolation(String message) {
        return ErrorResponse.of(Severity.FATAL, SqlState.PROTOCOL_VIOLATION, message);
    }

    /// The words of PgDoorman.
    public static ErrorResponse tlsRequired() {
        return ErrorResponse.of(
                Severity.FATAL,
                SqlState.INVALID_AUTHORIZATION_SPECIFICATION,
                "Connection without SSL is not allowed by tls_mode.");
    }

    /// What PostgreSQL says to a startup packet of a version that it does not know, and to a request for
    /// encryption that comes twice.
    ///
    /// @param code as in the packet, the major version in the upper 16 bits
    public static ErrorResponse unsupportedProtocol(int code) {
        return ErrorResponse.of(
                Severity.FATAL,
                SqlState.FEATURE_NOT_SUPPORTED,
                "unsupported frontend protocol " + (code >>> 16) + "." + (code & 0xffff)
                        + ": server supports 3.0 to 3.2");
    }

    public static ErrorResponse noUserName() {
        return ErrorResponse.of(
                Severity.FATAL,
                SqlState.INVALID_AUTHORIZATION_SPECIFICATION,
                "no PostgreSQL user name specified in startup packet");
    }

    public static ErrorResponse invalidReplication(String value) {
        return ErrorResponse.of(
                        Severity.FATAL,
                        SqlState.INVALID_PARAMETER_VALUE,
                        "invalid value for parameter \"replication\": \"" + value + "\"")
                .withHint("Valid values are: \"false\", 0, \"true\", 1, \"database\".");
    }

    public static ErrorResponse replicationFromWhichServer(String user) {
        return ErrorResponse.of(
                        Severity.FATAL,
                        SqlState.INVALID_CATALOG_NAME,
                        "it is not clear which server user \"" + user + "\" wants to replicate from")
                .withHint("The pools of this user lead to several servers: give the name of one of them as database.");
    }

    public static ErrorResponse passwordRejected(String user) {
        return ErrorResponse.of(
                Severity.FATAL, SqlState.INVALID_PASSWORD, "password authentication failed for user \"" + user + "\"");
    }

    /// This and the next say what PostgreSQL says (`auth_failed` in `libpq/auth.c`; `libpq/auth-oauth.c`).
    public static ErrorResponse bearerTokenRejected(String user) {
        return ErrorResponse.of(
                Severity.FATAL,
                SqlState.INVALID_AUTHORIZATION_SPECIFICATION,
                "OAuth bearer authentication failed for user \"" + user + "\"");
    }

    public static ErrorResponse malformedAuthentication(SqlState sqlState, String message) {
        return ErrorResponse.of(Severity.FATAL, sqlState, message);
    }

    /// A token is as good as a password, and would be read by whoever listens.
    public static ErrorResponse tokenNeedsEncryption() {
        return ErrorResponse.of(
                        Severity.FATAL,
                        SqlState.INVALID_AUTHORIZATION_SPECIFICATION,
                        "token authentication is not allowed without SSL")
                .withHint("Connect with sslmode=verify-full, or at least sslmode=require.");
    }

    /// The words of PostgreSQL's administrator, and why.
    public static ErrorResponse tokenExpired() {
        return terminatedByShutdown().withDetail("The token that the session was opened with has expired.");
    }

    /// The words of PostgreSQL for a role that cannot be taken on.
    public static ErrorResponse roleNotConfirmed(String role) {
        return ErrorResponse.of(
                Severity.ERROR, new SqlState("42501"), "permission denied to set role \"" + role + "\"");
    }

    public static ErrorResponse readOnlyNotConfirmed() {
        return ErrorResponse.of(
                Severity.ERROR,
                new SqlState("25006"),
                "PostgreSQL did not confirm default_transaction_read_only for a read-only user");
    }

    public static ErrorResponse noReplication(String user) {
        return ErrorResponse.of(
                Severity.FATAL,
                new SqlState("42501"),
                "permission denied to start replication for user \"" + user + "\"");
    }

    /// @param source who vouches for users that do not stand in the configuration
    public static ErrorResponse tooManyUnlisted(String source) {
        return ErrorResponse.of(
                        Severity.ERROR, SqlState.TOO_MANY_CONNECTIONS, "too many users of " + source + " are connected")
                .withHint("Raise max_users of the issuer, or max_dynamic_pools of the auth_query.");
    }

    /// What a method of authentication says in its own words.
    public static ErrorResponse refused(String message) {
        return ErrorResponse.of(Severity.FATAL, SqlState.INVALID_AUTHORIZATION_SPECIFICATION, message);
    }

    /// What PostgreSQL says when a rule demands a certificate that nobody could verify.
    public static ErrorResponse noCertificateAuthority() {
        return ErrorResponse.of(
                Severity.FATAL,
                SqlState.CONFIG_FILE_ERROR,
                "client certificates can only be checked if a root certificate store is available");
    }

    /// The words of PgDoorman: what is stored for the user fits no method that may be used.
    public static ErrorResponse methodNotSupported() {
        return ErrorResponse.of(Severity.FATAL, SqlState.INVALID_PASSWORD, "Authentication method not supported");
    }

    public static ErrorResponse noSuchRole(String user) {
        return ErrorResponse.of(
                Severity.FATAL, SqlState.INVALID_AUTHORIZATION_SPECIFICATION, "role \"" + user + "\" does not exist");
    }

    /// This and the next say what PostgreSQL says (`ClientAuthentication` in `libpq/auth.c`).
    public static ErrorResponse rejectedByRule(HbaRequest request) {
        return ErrorResponse.of(
                Severity.FATAL,
                SqlState.INVALID_AUTHORIZATION_SPECIFICATION,
                "pg_hba.conf rejects " + attempt(request));
    }

    public static ErrorResponse noRule(HbaRequest request) {
        return ErrorResponse.of(
                Severity.FATAL,
                SqlState.INVALID_AUTHORIZATION_SPECIFICATION,
                "no pg_hba.conf entry for "
                        + attempt(request)
                                .replaceFirst("^connection for ", "")
                                .replaceFirst("^replication connection for ", "replication connection from "));
    }

    private static String attempt(HbaRequest request) {
        String from = request.address().map(address -> address.getHostAddress()).orElse("[local]");
        String replication = request.physicalReplication() ? "replication " : "";
        String database = request.physicalReplication() ? "" : ", database \"" + request.database() + "\"";
        return replication + "connection for host \"" + from + "\", user \"" + request.user() + "\"" + database + ", "
                + (request.tls() ? "SSL encryption" : "no encryption");
    }

    public static ErrorResponse authenticationUnavailable() {
        return ErrorResponse.of(Severity.FATAL, SqlState.SYSTEM_ERROR, "authentication is unavailable at the moment");
    }

    public static ErrorResponse noSuchDatabase(String database) {
        return ErrorResponse.of(
                Severity.FATAL, SqlState.INVALID_CATALOG_NAME, "database \"" + database + "\" does not exist");
    }

    public static ErrorResponse loginTimeout() {
        return ErrorResponse.of(
                Severity.FATAL,
                SqlState.QUERY_CANCELED,
                "canceling authentication due to timeout (client_login_timeout)");
    }

    public static ErrorResponse tooManyClients() {
        return ErrorResponse.of(Severity.FATAL, SqlState.TOO_MANY_CONNECTIONS, "sorry, too many clients already");
    }

    public static ErrorResponse tooManyForDatabase(String database) {
        return ErrorResponse.of(
                Severity.FATAL,
                SqlState.TOO_MANY_CONNECTIONS,
                "too many connections for database \"" + database + "\"");
    }

    public static ErrorResponse tooManyForUser(String user) {
        return ErrorResponse.of(
                Severity.FATAL, SqlState.TOO_MANY_CONNECTIONS, "too many connections for role \"" + user + "\"");
    }

    public static ErrorResponse shuttingDown() {
        return ErrorResponse.of(Severity.FATAL, SqlState.CANNOT_CONNECT_NOW, "the database system is shutting down");
    }

    // ---- the console

    /// What PostgreSQL says to who may not connect to a database, and the words by which PgBouncer's is known.
    public static ErrorResponse notAllowedInConsole(String database) {
        return ErrorResponse.of(
                        Severity.FATAL,
                        SqlState.INSUFFICIENT_PRIVILEGE,
                        "not allowed: permission denied for database \"" + database + "\"")
                .withDetail("It is the console, which is for admin_users and stats_users.");
    }

    public static ErrorResponse consoleFailed() {
        return ErrorResponse.of(Severity.FATAL, SqlState.INTERNAL_ERROR, "the console has failed, see the log");
    }

    /// What a client is told that an operator has thrown out; the words in brackets are PgBouncer's.
    public static ErrorResponse terminatedByOperator() {
        return ErrorResponse.of(
                Severity.FATAL,
                SqlState.ADMIN_SHUTDOWN,
                "terminating connection due to administrator command (admin forced disconnect)");
    }

    // ---- during a session

    public static ErrorResponse terminatedByShutdown() {
        return ErrorResponse.of(
                Severity.FATAL, SqlState.ADMIN_SHUTDOWN, "terminating connection due to administrator command");
    }

    public static ErrorResponse statementPoolingBlock() {
        return ErrorResponse.of(
                Severity.FATAL,
                SqlState.FEATURE_NOT_SUPPORTED,
                "transaction blocks not allowed in statement pooling mode");
    }

    public static ErrorResponse canceled() {
        return ErrorResponse.of(Severity.ERROR, SqlState.QUERY_CANCELED, "canceling statement due to user request");
    }

    /// This and the three that follow say what PostgreSQL says where it has such a timeout, and the words
    /// by which PgBouncer's are known.
    public static ErrorResponse queryTimeout() {
        return ErrorResponse.of(
                Severity.FATAL,
                SqlState.QUERY_CANCELED,
                "canceling statement and terminating connection due to query timeout (query_timeout)");
    }

    public static ErrorResponse transactionTimeout() {
        return ErrorResponse.of(
                Severity.FATAL,
                SqlState.TRANSACTION_TIMEOUT,
                "terminating connection due to transaction timeout (transaction_timeout)");
    }

    public static ErrorResponse idleTransactionTimeout() {
        return ErrorResponse.of(
                Severity.FATAL,
                SqlState.IDLE_IN_TRANSACTION_SESSION_TIMEOUT,
                "terminating connection due to idle transaction timeout (idle_transaction_timeout)");
    }

    public static ErrorResponse clientIdleTimeout() {
        return ErrorResponse.of(
                Severity.FATAL,
                SqlState.IDLE_SESSION_TIMEOUT,
                "terminating connection due to idle-session timeout (client_idle_timeout)");
    }

    /// No error, but the one notice that PgPorter makes itself; the words are PgBouncer's.
    public static NoticeResponse queued() {
        return NoticeResponse.of(
                Severity.NOTICE,
                SqlState.SUCCESSFUL_COMPLETION,
                "No server connection available in postgres backend, client being queued");
    }

    public static ErrorResponse queryWaitTimeout(Duration waited, int poolSize) {
        return ErrorResponse.of(
                        Severity.ERROR,
                        SqlState.TOO_MANY_CONNECTIONS,
                        "query_wait_timeout: no backend connection became free within " + waited.toMillis() + " ms")
                .withDetail("The pool has pool_size " + poolSize + ".");
    }

    public static ErrorResponse paused(Duration waited, String database) {
        return ErrorResponse.of(
                        Severity.ERROR,
                        SqlState.TOO_MANY_CONNECTIONS,
                        "query_wait_timeout: no backend connection became free within " + waited.toMillis() + " ms")
                .withDetail("Database \"" + database + "\" is paused.");
    }

    /// The words of PgBouncer.
    public static ErrorResponse databaseDisabled(String database) {
        return ErrorResponse.of(
                Severity.FATAL, SqlState.OBJECT_NOT_IN_PREREQUISITE_STATE, "database \"" + database + "\" is disabled");
    }

    public static ErrorResponse databaseFull(Duration waited, String database) {
        return ErrorResponse.of(
                        Severity.ERROR,
                        SqlState.TOO_MANY_CONNECTIONS,
                        "query_wait_timeout: no backend connection became free within " + waited.toMillis() + " ms")
                .withDetail("All users of database \"" + database + "\" together are at max_db_connections.");
    }

    public static ErrorResponse poolExhausted(int poolSize) {
        return ErrorResponse.of(
                        Severity.ERROR, SqlState.TOO_MANY_CONNECTIONS, "all backend connections of the pool are in use")
                .withDetail("The pool has pool_size " + poolSize + ", and query_wait_timeout 0 allows no waiting.");
    }

    /// A table has changed under a prepared statement, so that its rows are not those that the client
    /// expects.
    ///
    /// @param harmless the statement is a query: that it has been executed in vain does not matter
    public static ErrorResponse resultChanged(boolean harmless) {
        return harmless
                ? ErrorResponse.of(
                                Severity.ERROR,
                                SqlState.FEATURE_NOT_SUPPORTED,
                                "cached plan must not change result type")
                        .with('R', "RevalidateCachedQuery")
                : ErrorResponse.of(
                                Severity.ERROR,
                                new SqlState("40003"),
                                "cached plan must not change result type, but the statement may have been executed")
                        .with('H', "A table has changed since the statement was prepared.");
    }

    public static ErrorResponse backendLost() {
        return ErrorResponse.of(
                Severity.FATAL, SqlState.CONNECTION_FAILURE, "server closed the connection unexpectedly");
    }

    // ---- opening a backend

    public static ErrorResponse backendUnreachable(Throwable cause) {
        Throwable root = cause instanceof java.util.concurrent.CompletionException && cause.getCause() != null
                ? cause.getCause()
                : cause;
        return ErrorResponse.of(
                Severity.ERROR, SqlState.CONNECTION_FAILURE, "cannot reach PostgreSQL: " + root.getMessage());
    }

    public static ErrorResponse backendSurprise(String what) {
        return ErrorResponse.of(
                Severity.ERROR, SqlState.CONNECTION_FAILURE, "PostgreSQL said something unexpected: " + what);
    }

    public static ErrorResponse backendClosedDuringLogin() {
        return ErrorResponse.of(
                Severity.ERROR, SqlState.CONNECTION_FAILURE, "PostgreSQL closed the connection during login");
    }

    public static ErrorResponse backendLoginTimedOut(Duration limit) {
        return ErrorResponse.of(
                Severity.ERROR,
                SqlState.CONNECTION_FAILURE,
                "login to PostgreSQL took longer than connect_timeout (" + limit.toMillis() + " ms)");
    }

    public static ErrorResponse backendNotProven() {
        return ErrorResponse.of(
                Severity.ERROR,
                SqlState.CONNECTION_FAILURE,
                "PostgreSQL did not prove that it knows the password's secret");
    }

    public static ErrorResponse nothingToLogInWith(String user, String asked) {
        return ErrorResponse.of(
                        Severity.ERROR,
                        SqlState.INVALID_PASSWORD,
                        "PostgreSQL asks for " + asked + " for user \"" + user
                                + "\", and PgPorter has nothing to answer that with")
                .withHint(
                        "Set server_password for this user, or store the same kind of secret here and in PostgreSQL.");
    }

    /// PostgreSQL does not take what a client has proved itself with to us.
    ///
    /// @param refusal its own words
    public static ErrorResponse secretsDiffer(ErrorResponse refusal, boolean scram) {
        return refusal.withHint(
                scram
                        ? "The SCRAM secret that PgPorter checks this user with differs from the one in PostgreSQL:"
                                + " password, salt and iterations must be the same."
                        : "The MD5 secret that PgPorter checks this user with differs from the one in PostgreSQL.");
    }

    public static ErrorResponse hashOpensOnlyMd5(String user, String asked) {
        return ErrorResponse.of(
                        Severity.ERROR,
                        SqlState.INVALID_PASSWORD,
                        "PostgreSQL asks for " + asked + " for user \"" + user
                                + "\", and the md5 hash that is configured opens only MD5 authentication")
                .withHint("Configure the plain password.");
    }

    /// Somebody tries too often. The words are the same whoever it is.
    public static ErrorResponse tooManyLogins() {
        return ErrorResponse.of(Severity.FATAL, SqlState.CONFIGURATION_LIMIT_EXCEEDED, "too many login attempts")
                .withHint("Try again later.");
    }

    /// The same error with another severity: what is an ERROR in a session is FATAL when it prevents the
    /// login.
    public static ErrorResponse withSeverity(ErrorResponse error, Severity severity) {
        return error.with('S', severity.name()).with('V', severity.name());
    }
}
