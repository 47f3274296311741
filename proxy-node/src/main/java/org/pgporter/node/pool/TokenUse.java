package org.pgporter.node.pool;

import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.pgporter.cluster.PoolKey;

/// Which sessions use the pools of users that came with a token and that the configuration does not know,
/// so that a pool without any can go. Confined to the registry, through which every session joins.
final class TokenUse {
    private final Map<PoolKey, Use> uses = new HashMap<>();

    /// The use of one pool, from its making to its end.
    static final class Use {
        private int sessions;
        private long unusedSince;
    }

    /// Whether a user may have a pool, now or after one that nobody uses has gone.
    ///
    /// @param key of his pool
    /// @param most users of his issuer
    Room room(PoolKey key, int most) {
        String issuer = issuer(key);
        Set<String> users = new HashSet<>();
        for (PoolKey other : uses.keySet()) {
            if (issuer(other).equals(issuer)) {
                users.add(other.user());
            }
        }
        if (users.contains(key.user()) || users.size() < most) {
            return new Room(true, List.of());
        }
        // A user goes with all his pools.
        Map<String, List<Map.Entry<PoolKey, Use>>> byUser = uses.entrySet().stream()
                .filter(entry -> issuer(entry.getKey()).equals(issuer))
                .collect(Collectors.groupingBy(entry -> entry.getKey().user()));
        Optional<List<PoolKey>> unused = byUser.values().stream()
                .filter(its -> its.stream().allMatch(entry -> entry.getValue().sessions == 0))
                .min(Comparator.comparingLong(its -> its.stream()
                        .mapToLong(entry -> entry.getValue().unusedSince)
                        .max()
                        .orElseThrow()))
                .map(its -> its.stream().map(Map.Entry::getKey).toList());
        return new Room(unused.isPresent(), unused.orElse(List.of()));
    }

    /// @param instead pools that have to go first
    record Room(boolean granted, List<PoolKey> instead) {}

    /// A session joins. The answer stands for it until [#left].
    Use joined(PoolKey key) {
        Use use = uses.computeIfAbsent(key, _ -> new Use());
        use.sessions++;
        return use;
    }

    /// A session has ended; its pool may have ended before.
    void left(Use use, long now) {
        use.sessions--;
        use.unusedSince = now;
    }

    /// The pool has ended.
    void ended(PoolKey key) {
        uses.remove(key);
    }

    /// Pools that nobody has used since this time.
    List<PoolKey> unusedSince(long time) {
        return uses.entrySet().stream()
                .filter(entry -> entry.getValue().sessions == 0 && entry.getValue().unusedSince - time <= 0)
                .map(Map.Entry::getKey)
                .toList();
    }

    private static String issuer(PoolKey key) {
        return key.grant().orElseThrow().issuer();
    }
}
