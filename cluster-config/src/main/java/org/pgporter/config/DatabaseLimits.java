package org.pgporter.config;

import java.time.Duration;

/// What all pools of one database may hold together on one node. In section `general` these are the defaults of all
/// databases; a database overrides single keys ([DatabaseLimitOverrides]). How slots are shared stands in
/// `docs/limits.md`.
///
/// @param maxDbConnections backend connections of all users of the database at most; 0: no limit, and the other
///     three keys mean nothing
/// @param minConnectionLifetime a backend connection younger than this is not closed for another user's sake,
///     unless that user has less than its share; 0: none is too young
/// @param reservePoolSize connections above `maxDbConnections` for those who have waited for too long
/// @param reservePoolTimeout what is too long; 0: at once
public record DatabaseLimits(
        int maxDbConnections, Duration minConnectionLifetime, int reservePoolSize, Duration reservePoolTimeout) {
    private static final DatabaseLimits DEFAULTS =
            new DatabaseLimits(0, Duration.ofSeconds(30), 0, Duration.ofSeconds(3));

    public DatabaseLimits {
        new Checks()
                .atLeast("max_db_connections", 0, maxDbConnections)
                .notNegative("min_connection_lifetime", minConnectionLifetime)
                .atLeast("reserve_pool_size", 0, reservePoolSize)
                .notNegative("reserve_pool_timeout", reservePoolTimeout)
                .throwIfAny();
    }

    public static DatabaseLimits defaults() {
        return DEFAULTS;
    }

    /// Whether there is a cap at all.
    public boolean capped() {
        return maxDbConnections > 0;
    }

    /// These limits with the keys that `overrides` has.
    public DatabaseLimits overriddenBy(DatabaseLimitOverrides overrides) {
        return new DatabaseLimits(
                overrides.maxDbConnections().orElse(maxDbConnections),
                overrides.minConnectionLifetime().orElse(minConnectionLifetime),
                overrides.reservePoolSize().orElse(reservePoolSize),
                overrides.reservePoolTimeout().orElse(reservePoolTimeout));
    }

    public DatabaseLimits withMaxDbConnections(int changed) {
        return Records.with(this, "maxDbConnections", changed);
    }

    public DatabaseLimits withMinConnectionLifetime(Duration changed) {
        return Records.with(this, "minConnectionLifetime", changed);
    }

    public DatabaseLimits withReservePoolSize(int changed) {
        return Records.with(this, "reservePoolSize", changed);
    }

    public DatabaseLimits withReservePoolTimeout(Duration changed) {
        return Records.with(this, "reservePoolTimeout", changed);
    }
}
