package org.pgporter.node.admin;

import java.util.Map;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.pgporter.cluster.PoolKey;
import org.pgporter.node.stats.PoolTotals;

/// What had been counted when a period began and when it ended, for averages. Safe to use from every thread.
final class Periods {
    /// What was counted by that moment.
    ///
    /// @param at nanoseconds of the monotonic clock
    record Reading(long at, Map<String, PoolTotals> byDatabase, Map<PoolKey, PoolTotals> byPool) {}

    /// @param nanos how long it was; 0 before the first has ended
    record Period(Map<String, PoolTotals> from, Map<String, PoolTotals> to, long nanos) {}

    private final LongSupplier nanoTime;
    private final Supplier<Map<String, PoolTotals>> byDatabase;
    private final Supplier<Map<PoolKey, PoolTotals>> byPool;
    private Reading before;
    private Reading last;

    Periods(
            LongSupplier nanoTime,
            Supplier<Map<String, PoolTotals>> byDatabase,
            Supplier<Map<PoolKey, PoolTotals>> byPool) {
        this.nanoTime = nanoTime;
        this.byDatabase = byDatabase;
        this.byPool = byPool;
        this.last = read();
        this.before = last;
    }

    private Reading read() {
        return new Reading(nanoTime.getAsLong(), byDatabase.get(), byPool.get());
    }

    /// A period has ended, and the next begins.
    synchronized void turn() {
        before = last;
        last = read();
    }

    /// The last one that has ended.
    synchronized Period last() {
        return new Period(before.byDatabase(), last.byDatabase(), last.at() - before.at());
    }

    /// What had been counted of a pool when that period began: since then is one period at least, and two at most.
    synchronized PoolTotals before(PoolKey pool) {
        return before.byPool().getOrDefault(pool, PoolTotals.none());
    }
}
