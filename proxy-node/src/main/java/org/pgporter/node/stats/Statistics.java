package org.pgporter.node.stats;

import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import org.pgporter.cluster.PoolKey;
import org.pgporter.config.PoolKind;

/// What the node has counted of each pool since it started. Safe to use from every thread.
public final class Statistics {
    /// SQLSTATEs told apart for each pool. PostgreSQL has some 260; functions may make up their own without end.
    static final int MOST_SQL_STATES = 500;

    private static final String OTHER_SQL_STATES = "other";

    private final int loops;
    private final Map<PoolKey, PoolCounters[]> pools = new ConcurrentHashMap<>();
    private final Map<PoolKey, Map<String, LongAdder>> errors = new ConcurrentHashMap<>();
    /// What pools have counted that are gone, by database: a sum never goes down.
    private final Map<String, PoolTotals> gone = new HashMap<>();

    /// @param loops how many event loops there are
    public Statistics(int loops) {
        this.loops = loops;
    }

    /// The counters of a pool on one event loop, for that loop's thread.
    public PoolCounters of(PoolKey pool, int loop) {
        return pools.computeIfAbsent(pool, _ -> {
            PoolCounters[] fresh = new PoolCounters[loops];
            for (int i = 0; i < loops; i++) {
                fresh[i] = new PoolCounters();
            }
            return fresh;
        })[loop];
    }

    /// PostgreSQL has answered with an error.
    public void error(PoolKey pool, String sqlState) {
        Map<String, LongAdder> ofPool = errors.computeIfAbsent(pool, _ -> new ConcurrentHashMap<>());
        String known = ofPool.containsKey(sqlState) || ofPool.size() < MOST_SQL_STATES ? sqlState : OTHER_SQL_STATES;
        ofPool.computeIfAbsent(known, _ -> new LongAdder()).increment();
    }

    /// Errors of PostgreSQL by SQLSTATE, of each pool that had any.
    public Map<PoolKey, Map<String, Long>> errors() {
        Map<PoolKey, Map<String, Long>> read = new HashMap<>();
        errors.forEach((pool, states) -> {
            Map<String, Long> counts = new HashMap<>();
            states.forEach((state, count) -> counts.put(state, count.sum()));
            read.put(pool, counts);
        });
        return read;
    }

    /// The pool is closed for good: what it has counted goes on to count for its database.
    public synchronized void forget(PoolKey pool) {
        PoolCounters[] its = pools.remove(pool);
        errors.remove(pool);
        if (its != null && isOfClients(pool)) {
            gone.merge(pool.database(), sum(its), PoolTotals::plus);
        }
    }

    /// Of each pool that there is.
    public Map<PoolKey, PoolTotals> byPool() {
        Map<PoolKey, PoolTotals> read = new HashMap<>();
        pools.forEach((pool, its) -> read.put(pool, sum(its)));
        return read;
    }

    /// Of each database, with what its closed pools have counted. What the node asks for itself, to look users up,
    /// is not among it: the sums are what clients did.
    public synchronized Map<String, PoolTotals> byDatabase() {
        Map<String, PoolTotals> read = new HashMap<>(gone);
        pools.forEach((pool, its) -> {
            if (isOfClients(pool)) {
                read.merge(pool.database(), sum(its), PoolTotals::plus);
            }
        });
        return read;
    }

    private static boolean isOfClients(PoolKey pool) {
        return pool.kind() != PoolKind.LOOKUP;
    }

    private static PoolTotals sum(PoolCounters[] ofLoops) {
        VarHandle.fullFence(); // the loops write plain fields: what this thread has read before may be old
        List<PoolTotals> read = new ArrayList<>(ofLoops.length);
        for (PoolCounters ofLoop : ofLoops) {
            read.add(ofLoop.totals());
        }
        return read.stream().reduce(PoolTotals.none(), PoolTotals::plus);
    }
}
