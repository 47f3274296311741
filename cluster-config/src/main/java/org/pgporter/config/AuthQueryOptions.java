package org.pgporter.config;

import java.time.Duration;
import java.util.Set;

/// How often `auth_query` asks, what it remembers, and what it makes of it.
///
/// @param workers backend connections for lookups, at least 1; opened when they are needed
/// @param lookupTimeout how long one lookup may take, the wait for its turn included
/// @param maxWaitingLookups lookups that wait for a worker at most; more end with 58000
/// @param maxLookupsPerSecond lookups that begin in one second at most, others wait for their turn; 0: no
///     limit
/// @param cacheTtl how long a user who was found is remembered; 0: not at all
/// @param cacheFailureTtl how long it is remembered that a user was not found; 0: not at all
/// @param cacheSize users remembered at most, and as many names that are none
/// @param minInterval how long after a lookup of a user a wrong password does not lead to another one
/// @param poolSize backend connections at most of one user in passthrough mode, of all together in
///     dedicated mode
/// @param minPoolSize backend connections kept open even when idle; not above `poolSize`
/// @param maxDynamicPools pools of users who were found at most, at least 1; one without clients makes room
///     for another
/// @param dynamicPoolIdleTimeout a pool that no client has used for so long is closed; 0: never
public record AuthQueryOptions(
        int workers,
        Duration lookupTimeout,
        int maxWaitingLookups,
        int maxLookupsPerSecond,
        Duration cacheTtl,
        Duration cacheFailureTtl,
        int cacheSize,
        Duration minInterval,
        int poolSize,
        int minPoolSize,
        int maxDynamicPools,
        Duration dynamicPoolIdleTimeout) {
    private static final AuthQueryOptions DEFAULTS = new AuthQueryOptions(
            2,
            Duration.ofSeconds(5),
            1000,
            500,
            Duration.ofHours(1),
            Duration.ofSeconds(30),
            10_000,
            Duration.ofSeconds(1),
            40,
            0,
            1000,
            Duration.ofMinutes(10));

    public AuthQueryOptions {
        new Checks()
                .atLeast("workers", 1, workers)
                .positive("lookup_timeout", lookupTimeout)
                .atLeast("max_waiting_lookups", 1, maxWaitingLookups)
                .atLeast("max_lookups_per_second", 0, maxLookupsPerSecond)
                .notNegative("cache_ttl", cacheTtl)
                .notNegative("cache_failure_ttl", cacheFailureTtl)
                .atLeast("cache_size", 1, cacheSize)
                .notNegative("min_interval", minInterval)
                .atLeast("pool_size", 1, poolSize)
                .atLeast("min_pool_size", 0, minPoolSize)
                .require(
                        minPoolSize <= poolSize || poolSize < 1,
                        "min_pool_size",
                        "is " + minPoolSize + ", more than pool_size, which is " + poolSize,
                        "lower min_pool_size or raise pool_size",
                        Set.of("min_pool_size", "pool_size"))
                .atLeast("max_dynamic_pools", 1, maxDynamicPools)
                .notNegative("dynamic_pool_idle_timeout", dynamicPoolIdleTimeout)
                .throwIfAny();
    }

    public static AuthQueryOptions defaults() {
        return DEFAULTS;
    }

    public AuthQueryOptions withWorkers(int changed) {
        return Records.with(this, "workers", changed);
    }

    public AuthQueryOptions withLookupTimeout(Duration changed) {
        return Records.with(this, "lookupTimeout", changed);
    }

    public AuthQueryOptions withMaxWaitingLookups(int changed) {
        return Records.with(this, "maxWaitingLookups", changed);
    }

    public AuthQueryOptions withMaxLookupsPerSecond(int changed) {
        return Records.with(this, "maxLookupsPerSecond", changed);
    }

    public AuthQueryOptions withCacheTtl(Duration changed) {
        return Records.with(this, "cacheTtl", changed);
    }

    public AuthQueryOptions withCacheFailureTtl(Duration changed) {
        return Records.with(this, "cacheFailureTtl", changed);
    }

    public AuthQueryOptions withCacheSize(int changed) {
        return Records.with(this, "cacheSize", changed);
    }

    public AuthQueryOptions withMinInterval(Duration changed) {
        return Records.with(this, "minInterval", changed);
    }

    public AuthQueryOptions withPoolSize(int changed) {
        return Records.with(this, "poolSize", changed);
    }

    public AuthQueryOptions withMinPoolSize(int changed) {
        return Records.with(this, "minPoolSize", changed);
    }

    public AuthQueryOptions withMaxDynamicPools(int changed) {
        return Records.with(this, "maxDynamicPools", changed);
    }

    public AuthQueryOptions withDynamicPoolIdleTimeout(Duration changed) {
        return Records.with(this, "dynamicPoolIdleTimeout", changed);
    }
}
