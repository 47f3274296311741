package org.pgporter.config;

import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/// The keys of [PoolOptions] that a pool or a user sets for itself. What is absent is inherited: a user's from its
/// pool, a pool's from section `general`. The meaning of each key stands there.
public record PoolOverrides(
        Optional<PoolMode> poolMode,
        Optional<Integer> poolSize,
        Optional<Integer> minPoolSize,
        Optional<Integer> minGuaranteedPoolSize,
        Optional<Integer> maxConcurrentCreates,
        Optional<Duration> connectTimeout,
        Optional<Duration> queryWaitTimeout,
        Optional<Duration> idleTimeout,
        Optional<Duration> serverLifetime,
        Optional<Duration> serverLoginRetry,
        Optional<Duration> serverCheckDelay,
        Optional<String> serverResetQuery,
        Optional<StateCheck> sessionStateCheck,
        Optional<Boolean> preparedStatements,
        Optional<Integer> preparedStatementsCacheSize,
        Optional<Integer> serverPreparedStatementsCacheSize,
        Optional<String> applicationName,
        @Flat TimeoutOverrides timeouts,
        Map<String, String> startupParameters) {
    private static final PoolOverrides NONE = new PoolOverrides(
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            TimeoutOverrides.none(),
            Map.of());

    public PoolOverrides {
        startupParameters = Map.copyOf(startupParameters);
        checks(
                        poolSize,
                        minPoolSize,
                        minGuaranteedPoolSize,
                        maxConcurrentCreates,
                        connectTimeout,
                        queryWaitTimeout,
                        idleTimeout,
                        serverLifetime,
                        serverLoginRetry,
                        serverCheckDelay,
                        preparedStatementsCacheSize,
                        serverPreparedStatementsCacheSize,
                        serverResetQuery,
                        applicationName,
                        startupParameters)
                .throwIfAny();
    }

    /// The ranges of all keys, for this record and for [PoolOptions].
    static Checks checks(
            Optional<Integer> poolSize,
            Optional<Integer> minPoolSize,
            Optional<Integer> minGuaranteedPoolSize,
            Optional<Integer> maxConcurrentCreates,
            Optional<Duration> connectTimeout,
            Optional<Duration> queryWaitTimeout,
            Optional<Duration> idleTimeout,
            Optional<Duration> serverLifetime,
            Optional<Duration> serverLoginRetry,
            Optional<Duration> serverCheckDelay,
            Optional<Integer> preparedStatementsCacheSize,
            Optional<Integer> serverPreparedStatementsCacheSize,
            Optional<String> serverResetQuery,
            Optional<String> applicationName,
            Map<String, String> startupParameters) {
        Checks checks = new Checks()
                .atLeast("pool_size", 1, poolSize)
                .atLeast("min_pool_size", 0, minPoolSize)
                .atLeast("min_guaranteed_pool_size", 0, minGuaranteedPoolSize)
                .atLeast("max_concurrent_creates", 1, maxConcurrentCreates)
                .positive("connect_timeout", connectTimeout)
                .notNegative("query_wait_timeout", queryWaitTimeout)
                .notNegative("idle_timeout", idleTimeout)
                .notNegative("server_lifetime", serverLifetime)
                .notNegative("server_login_retry", serverLoginRetry)
                .notNegative("server_check_delay", serverCheckDelay)
                .atLeast("prepared_statements_cache_size", 1, preparedStatementsCacheSize)
                .atLeast("server_prepared_statements_cache_size", 1, serverPreparedStatementsCacheSize);
        serverResetQuery.ifPresent(query -> checks.noZero("server_reset_query", query));
        applicationName.ifPresent(name -> checks.noZero("application_name", name));
        StartupParameters.check(checks, startupParameters);
        return checks;
    }

    /// Everything is inherited.
    public static PoolOverrides none() {
        return NONE;
    }

    public PoolOverrides withPoolMode(PoolMode changed) {
        return Records.with(this, "poolMode", Optional.of(changed));
    }

    public PoolOverrides withPoolSize(int changed) {
        return Records.with(this, "poolSize", Optional.of(changed));
    }

    public PoolOverrides withMinPoolSize(int changed) {
        return Records.with(this, "minPoolSize", Optional.of(changed));
    }

    public PoolOverrides withMinGuaranteedPoolSize(int changed) {
        return Records.with(this, "minGuaranteedPoolSize", Optional.of(changed));
    }

    public PoolOverrides withMaxConcurrentCreates(int changed) {
        return Records.with(this, "maxConcurrentCreates", Optional.of(changed));
    }

    public PoolOverrides withConnectTimeout(Duration changed) {
        return Records.with(this, "connectTimeout", Optional.of(changed));
    }

    public PoolOverrides withQueryWaitTimeout(Duration changed) {
        return Records.with(this, "queryWaitTimeout", Optional.of(changed));
    }

    public PoolOverrides withIdleTimeout(Duration changed) {
        return Records.with(this, "idleTimeout", Optional.of(changed));
    }

    public PoolOverrides withServerLifetime(Duration changed) {
        return Records.with(this, "serverLifetime", Optional.of(changed));
    }

    public PoolOverrides withServerLoginRetry(Duration changed) {
        return Records.with(this, "serverLoginRetry", Optional.of(changed));
    }

    public PoolOverrides withServerCheckDelay(Duration changed) {
        return Records.with(this, "serverCheckDelay", Optional.of(changed));
    }

    public PoolOverrides withServerResetQuery(String changed) {
        return Records.with(this, "serverResetQuery", Optional.of(changed));
    }

    public PoolOverrides withSessionStateCheck(StateCheck changed) {
        return Records.with(this, "sessionStateCheck", Optional.of(changed));
    }

    public PoolOverrides withPreparedStatements(boolean changed) {
        return Records.with(this, "preparedStatements", Optional.of(changed));
    }

    public PoolOverrides withPreparedStatementsCacheSize(int changed) {
        return Records.with(this, "preparedStatementsCacheSize", Optional.of(changed));
    }

    public PoolOverrides withServerPreparedStatementsCacheSize(int changed) {
        return Records.with(this, "serverPreparedStatementsCacheSize", Optional.of(changed));
    }

    public PoolOverrides withApplicationName(String changed) {
        return Records.with(this, "applicationName", Optional.of(changed));
    }

    public PoolOverrides withTimeouts(TimeoutOverrides changed) {
        return Records.with(this, "timeouts", changed);
    }

    public PoolOverrides withStartupParameters(Map<String, String> changed) {
        return Records.with(this, "startupParameters", changed);
    }
}
