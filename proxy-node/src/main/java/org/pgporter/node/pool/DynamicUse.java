package org.pgporter.node.pool;

import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.pgporter.cluster.PoolKey;

/// Which sessions use the pools of users who are not configured, so that a pool without any can go.
/// Confined to the registry, through which every session joins.
final class DynamicUse {
    private final Map<PoolKey, Use> uses = new HashMap<>();

    /// The use of one pool, from its making to its end.
    static final class Use {
        private int sessions;
        private long idleSince;
    }

    /// A session joins. The answer stands for it until [#left].
    Use joined(PoolKey key) {
        Use use = uses.computeIfAbsent(key, _ -> new Use());
        use.sessions++;
        return use;
    }

    /// A session has ended; its pool may have ended before.
    void left(Use use, long now) {
        use.sessions--;
        use.idleSince = now;
    }

    /// The pool has ended.
    void ended(PoolKey key) {
        uses.remove(key);
    }

    /// Pools of a database.
    long count(String database) {
        return uses.keySet().stream()
                .filter(key -> key.database().equals(database))
                .count();
    }

    /// The pool of a database that has been without sessions for longest, if there is one.
    Optional<PoolKey> longestIdle(String database) {
        return uses.entrySet().stream()
                .filter(entry -> entry.getKey().database().equals(database) && entry.getValue().sessions == 0)
                .min(Comparator.comparingLong(entry -> entry.getValue().idleSince))
                .map(Map.Entry::getKey);
    }

    /// Pools without sessions, with the time since when.
    List<Map.Entry<PoolKey, Long>> idle() {
        return uses.entrySet().stream()
                .filter(entry -> entry.getValue().sessions == 0)
                .map(entry -> Map.entry(entry.getKey(), entry.getValue().idleSince))
                .toList();
    }
}
