package org.pgporter.node.pool;

import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.pgporter.cluster.PoolKey;
import org.pgporter.config.UnlistedUsers;

/// Which sessions use the pools of users who do not stand in the configuration, so that a pool without any can
/// go. Confined to the registry, through which every session joins.
final class PoolUse {
    private final Map<PoolKey, Use> uses = new HashMap<>();

    /// The use of one pool, from its making to its end.
    static final class Use {
        private final UnlistedUsers terms;
        private int sessions;
        private long unusedSince;

        private Use(UnlistedUsers terms) {
            this.terms = terms;
        }

        /// A session has ended; its pool may have ended before.
        void left(long now) {
            sessions--;
            unusedSince = now;
        }

        private boolean isDue(long now) {
            return sessions == 0
                    && terms.keptFor().isPositive()
                    && now - unusedSince >= terms.keptFor().toNanos();
        }
    }

    /// @param instead pools that have to go first
    record Room(boolean granted, List<PoolKey> instead) {}

    /// Whether a user may have a pool, now or after one that nobody uses has gone.
    ///
    /// @param key of his pool
    Room room(PoolKey key, UnlistedUsers terms) {
        Map<String, List<Map.Entry<PoolKey, Use>>> byUser = uses.entrySet().stream()
                .filter(entry -> entry.getValue().terms.source().equals(terms.source()))
                .collect(Collectors.groupingBy(entry -> entry.getKey().user()));
        if (byUser.containsKey(key.user()) || byUser.size() < terms.most()) {
            return new Room(true, List.of());
        }
        // A user goes with all his pools.
        Optional<List<PoolKey>> unused = byUser.values().stream()
                .filter(its -> its.stream().allMatch(entry -> entry.getValue().sessions == 0))
                .min(Comparator.comparingLong(PoolUse::unusedSince))
                .map(its -> its.stream().map(Map.Entry::getKey).toList());
        return new Room(unused.isPresent(), unused.orElse(List.of()));
    }

    private static long unusedSince(List<Map.Entry<PoolKey, Use>> ofUser) {
        return ofUser.stream()
                .mapToLong(entry -> entry.getValue().unusedSince)
                .max()
                .orElseThrow();
    }

    /// A session joins. The answer stands for it until [Use#left].
    Use joined(PoolKey key, UnlistedUsers terms) {
        Use use = uses.computeIfAbsent(key, _ -> new Use(terms));
        use.sessions++;
        return use;
    }

    /// The pool has ended.
    void ended(PoolKey key) {
        uses.remove(key);
    }

    /// Pools that nobody has used for as long as they are kept.
    List<PoolKey> dueAt(long now) {
        return uses.entrySet().stream()
                .filter(entry -> entry.getValue().isDue(now))
                .map(Map.Entry::getKey)
                .toList();
    }
}
