package org.pgporter.node.pool;

import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.pgporter.config.PoolKind;

/// Counts the pools of users who are not configured, for each database. For many threads.
public final class DynamicPools {
    /// @param created since the start
    /// @param destroyed of these
    public record Count(long created, long destroyed) {
        private static final Count NONE = new Count(0, 0);
    }

    private final ConcurrentMap<String, Count> counts = new ConcurrentHashMap<>();

    /// What has been counted for a database.
    public Count count(String database) {
        return counts.getOrDefault(database, Count.NONE);
    }

    static boolean counts(PoolKind kind) {
        return kind == PoolKind.DYNAMIC || kind == PoolKind.SHARED;
    }

    void created(String database) {
        counts.merge(database, new Count(1, 0), DynamicPools::sum);
    }

    void destroyed(String database) {
        counts.merge(database, new Count(0, 1), DynamicPools::sum);
    }

    private static Count sum(Count one, Count other) {
        return new Count(one.created() + other.created(), one.destroyed() + other.destroyed());
    }
}
