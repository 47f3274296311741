package org.pgporter.config;

import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// How a pool behaves. In section `general` these are the defaults of all pools; a pool and a user override single
/// keys ([PoolOverrides]), and what comes out for one pool is again such a record.
///
/// @param poolMode when a lease ends
/// @param poolSize backend connections at most, at least 1
/// @param minPoolSize backend connections kept open even when idle; not above `poolSize`
/// @param minGuaranteedPoolSize backend connections that are not closed for another user's sake and that this user
///     is given first when all users together are at `max_db_connections`; what is above `poolSize` means nothing
/// @param maxConcurrentCreates backend connections being opened at one time, at least 1
/// @param connectTimeout from opening the socket to the end of the login at the backend
/// @param queryWaitTimeout how long a client waits for a backend connection; 0: it gets one at once or an error
/// @param idleTimeout unused this long, a backend connection is closed, down to `minPoolSize`; 0: never
/// @param serverLifetime a backend connection this old is closed once it is idle; 0: never
/// @param serverLoginRetry after the backend refused a login, the next try waits this long; clients waiting get the
///     backend's error
/// @param serverCheckDelay a backend connection idle for longer is checked with an empty query before it is used;
///     0: always checked
/// @param serverResetQuery what cleans a backend connection after a session in session mode; empty: nothing
/// @param sessionStateCheck when a backend connection is asked what a session has left on it
/// @param preparedStatements whether prepared statements of the protocol are followed in transaction mode
/// @param preparedStatementsCacheSize statements remembered for each backend connection; the least recently used is
///     closed
/// @param serverPreparedStatementsCacheSize PgDoorman's second key for the same; where given it goes before the
///     other
/// @param applicationName `application_name` of backend connections until a client names its own; absent: the
///     client's
/// @param timeouts how long a client may do one thing
/// @param startupParameters settings for the StartupMessage to the backend, so that `RESET` returns to them
public record PoolOptions(
        PoolMode poolMode,
        int poolSize,
        int minPoolSize,
        int minGuaranteedPoolSize,
        int maxConcurrentCreates,
        Duration connectTimeout,
        Duration queryWaitTimeout,
        Duration idleTimeout,
        Duration serverLifetime,
        Duration serverLoginRetry,
        Duration serverCheckDelay,
        String serverResetQuery,
        StateCheck sessionStateCheck,
        boolean preparedStatements,
        int preparedStatementsCacheSize,
        Optional<Integer> serverPreparedStatementsCacheSize,
        Optional<String> applicationName,
        @Flat TimeoutOptions timeouts,
        Map<String, String> startupParameters) {
    private static final PoolOptions DEFAULTS = new PoolOptions(
            PoolMode.TRANSACTION,
            40,
            0,
            0,
            4,
            Duration.ofSeconds(3),
            Duration.ofSeconds(5),
            Duration.ofMinutes(10),
            Duration.ofMinutes(20),
            Duration.ofSeconds(1),
            Duration.ofSeconds(30),
            "DISCARD ALL",
            StateCheck.AUTO,
            true,
            8192,
            Optional.empty(),
            Optional.empty(),
            TimeoutOptions.defaults(),
            Map.of());

    public PoolOptions {
        startupParameters = Map.copyOf(startupParameters);
        Checks checks = PoolOverrides.checks(
                Optional.of(poolSize),
                Optional.of(minPoolSize),
                Optional.of(minGuaranteedPoolSize),
                Optional.of(maxConcurrentCreates),
                Optional.of(connectTimeout),
                Optional.of(queryWaitTimeout),
                Optional.of(idleTimeout),
                Optional.of(serverLifetime),
                Optional.of(serverLoginRetry),
                Optional.of(serverCheckDelay),
                Optional.of(preparedStatementsCacheSize),
                serverPreparedStatementsCacheSize,
                Optional.of(serverResetQuery),
                applicationName,
                startupParameters);
        checks.require(
                minPoolSize <= poolSize || poolSize < 1,
                "min_pool_size",
                "is " + minPoolSize + ", more than pool_size, which is " + poolSize,
                "lower min_pool_size or raise pool_size",
                Set.of("min_pool_size", "pool_size"));
        checks.throwIfAny();
    }

    public static PoolOptions defaults() {
        return DEFAULTS;
    }

    /// The connections that nobody can take from this user, never more than it can have.
    public int guaranteedSize() {
        return Math.min(minGuaranteedPoolSize, poolSize);
    }

    /// Statements remembered for each backend connection, from whichever of the two keys is given; 0 when
    /// `preparedStatements` is off.
    public int statementCacheSize() {
        return preparedStatements ? serverPreparedStatementsCacheSize.orElse(preparedStatementsCacheSize) : 0;
    }

    /// These options with the keys that `overrides` has. Startup parameters are merged name by name.
    ///
    /// @throws ConfigException when the combination contradicts itself
    public PoolOptions overriddenBy(PoolOverrides overrides) {
        return new PoolOptions(
                overrides.poolMode().orElse(poolMode),
                overrides.poolSize().orElse(poolSize),
                overrides.minPoolSize().orElse(minPoolSize),
                overrides.minGuaranteedPoolSize().orElse(minGuaranteedPoolSize),
                overrides.maxConcurrentCreates().orElse(maxConcurrentCreates),
                overrides.connectTimeout().orElse(connectTimeout),
                overrides.queryWaitTimeout().orElse(queryWaitTimeout),
                overrides.idleTimeout().orElse(idleTimeout),
                overrides.serverLifetime().orElse(serverLifetime),
                overrides.serverLoginRetry().orElse(serverLoginRetry),
                overrides.serverCheckDelay().orElse(serverCheckDelay),
                overrides.serverResetQuery().orElse(serverResetQuery),
                overrides.sessionStateCheck().orElse(sessionStateCheck),
                overrides.preparedStatements().orElse(preparedStatements),
                overrides.preparedStatementsCacheSize().orElse(preparedStatementsCacheSize),
                overrides.serverPreparedStatementsCacheSize().or(() -> serverPreparedStatementsCacheSize),
                overrides.applicationName().or(() -> applicationName),
                timeouts.overriddenBy(overrides.timeouts()),
                StartupParameters.merge(startupParameters, overrides.startupParameters()));
    }

    public PoolOptions withPoolMode(PoolMode changed) {
        return Records.with(this, "poolMode", changed);
    }

    public PoolOptions withPoolSize(int changed) {
        return Records.with(this, "poolSize", changed);
    }

    public PoolOptions withMinPoolSize(int changed) {
        return Records.with(this, "minPoolSize", changed);
    }

    public PoolOptions withMinGuaranteedPoolSize(int changed) {
        return Records.with(this, "minGuaranteedPoolSize", changed);
    }

    public PoolOptions withMaxConcurrentCreates(int changed) {
        return Records.with(this, "maxConcurrentCreates", changed);
    }

    public PoolOptions withConnectTimeout(Duration changed) {
        return Records.with(this, "connectTimeout", changed);
    }

    public PoolOptions withQueryWaitTimeout(Duration changed) {
        return Records.with(this, "queryWaitTimeout", changed);
    }

    public PoolOptions withIdleTimeout(Duration changed) {
        return Records.with(this, "idleTimeout", changed);
    }

    public PoolOptions withServerLifetime(Duration changed) {
        return Records.with(this, "serverLifetime", changed);
    }

    public PoolOptions withServerLoginRetry(Duration changed) {
        return Records.with(this, "serverLoginRetry", changed);
    }

    public PoolOptions withServerCheckDelay(Duration changed) {
        return Records.with(this, "serverCheckDelay", changed);
    }

    public PoolOptions withServerResetQuery(String changed) {
        return Records.with(this, "serverResetQuery", changed);
    }

    public PoolOptions withSessionStateCheck(StateCheck changed) {
        return Records.with(this, "sessionStateCheck", changed);
    }

    public PoolOptions withPreparedStatements(boolean changed) {
        return Records.with(this, "preparedStatements", changed);
    }

    public PoolOptions withPreparedStatementsCacheSize(int changed) {
        return Records.with(this, "preparedStatementsCacheSize", changed);
    }

    public PoolOptions withServerPreparedStatementsCacheSize(int changed) {
        return Records.with(this, "serverPreparedStatementsCacheSize", Optional.of(changed));
    }

    public PoolOptions withApplicationName(String changed) {
        return Records.with(this, "applicationName", Optional.of(changed));
    }

    public PoolOptions withTimeouts(TimeoutOptions changed) {
        return Records.with(this, "timeouts", changed);
    }

    public PoolOptions withStartupParameters(Map<String, String> changed) {
        return Records.with(this, "startupParameters", changed);
    }
}
