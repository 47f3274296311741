package org.pgporter.config;

import java.time.Duration;
import java.util.Optional;

/// The keys of [DatabaseLimits] that a database sets for itself; what is absent is inherited from section `general`.
/// The meaning of each key stands there.
public record DatabaseLimitOverrides(
        Optional<Integer> maxDbConnections,
        Optional<Duration> minConnectionLifetime,
        Optional<Integer> reservePoolSize,
        Optional<Duration> reservePoolTimeout) {
    private static final DatabaseLimitOverrides NONE =
            new DatabaseLimitOverrides(Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty());

    public DatabaseLimitOverrides {
        new Checks()
                .atLeast("max_db_connections", 0, maxDbConnections)
                .notNegative("min_connection_lifetime", minConnectionLifetime)
                .atLeast("reserve_pool_size", 0, reservePoolSize)
                .notNegative("reserve_pool_timeout", reservePoolTimeout)
                .throwIfAny();
    }

    /// Everything is inherited.
    public static DatabaseLimitOverrides none() {
        return NONE;
    }

    public DatabaseLimitOverrides withMaxDbConnections(int changed) {
        return Records.with(this, "maxDbConnections", Optional.of(changed));
    }

    public DatabaseLimitOverrides withMinConnectionLifetime(Duration changed) {
        return Records.with(this, "minConnectionLifetime", Optional.of(changed));
    }

    public DatabaseLimitOverrides withReservePoolSize(int changed) {
        return Records.with(this, "reservePoolSize", Optional.of(changed));
    }

    public DatabaseLimitOverrides withReservePoolTimeout(Duration changed) {
        return Records.with(this, "reservePoolTimeout", Optional.of(changed));
    }
}
