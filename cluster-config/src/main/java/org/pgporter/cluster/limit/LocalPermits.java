package org.pgporter.cluster.limit;

import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicBoolean;
import org.pgporter.cluster.PoolKey;

/// The permits of a node that is alone: it owns every pool's whole limit.
public final class LocalPermits implements ConnectionPermits {
    /// Permits that are out; a pool without any has no entry.
    private final ConcurrentMap<PoolKey, Integer> held = new ConcurrentHashMap<>();

    @Override
    public Optional<ConnectionPermit> tryAcquire(PoolKey key, int limit) {
        if (limit < 1) {
            throw new IllegalArgumentException("a limit is at least 1, was " + limit);
        }
        AtomicBoolean granted = new AtomicBoolean();
        held.compute(key, (_, before) -> {
            int now = before == null ? 0 : before;
            granted.set(now < limit);
            return granted.get() ? Integer.valueOf(now + 1) : before;
        });
        return granted.get() ? Optional.of(new LocalPermit(key)) : Optional.empty();
    }

    /// How many permits of a pool are out.
    public int held(PoolKey key) {
        return held.getOrDefault(key, 0);
    }

    private final class LocalPermit implements ConnectionPermit {
        private final PoolKey key;
        private final AtomicBoolean released = new AtomicBoolean();

        private LocalPermit(PoolKey key) {
            this.key = key;
        }

        @Override
        public void release() {
            if (released.compareAndSet(false, true)) {
                held.computeIfPresent(key, (_, before) -> before > 1 ? before - 1 : null);
            }
        }
    }
}
