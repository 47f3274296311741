package org.pgporter.node.pool;

import java.time.Duration;
import java.util.random.RandomGenerator;
import org.pgporter.cluster.PoolKey;
import org.pgporter.config.PoolMode;
import org.pgporter.node.backend.BackendSettings;

/// Everything one pool goes by; made from the configuration once.
///
/// @param size backend connections at most
/// @param minSize backend connections kept open
/// @param parallelOpenings connections that may be on their way at one time
/// @param queryWaitTimeout how long a request waits; zero: it is served at once or refused
/// @param idleTimeout unused this long, a connection is closed; zero: never
/// @param lifetime so old a connection is closed once it is idle, give or take a fifth; zero: never
/// @param loginRetry how long after a refused opening the next one is tried
/// @param forOneSession it lends one connection to one session and ends with it
public record PoolPlan(
        PoolKey key,
        PoolMode mode,
        BackendSettings backend,
        int size,
        int minSize,
        int parallelOpenings,
        Duration queryWaitTimeout,
        Duration idleTimeout,
        Duration lifetime,
        Duration loginRetry,
        boolean forOneSession) {
    /// When a connection opened at `now` is too old, in nanoseconds of the same clock: spread by a fifth in
    /// both directions, so that connections opened together do not end together.
    long expiry(long now, RandomGenerator random) {
        return lifetime.isZero() ? Long.MAX_VALUE : now + (long) (lifetime.toNanos() * random.nextDouble(0.8, 1.2));
    }

    /// A request that begins to wait at `now`. With no patience of its own it still has to wait for the
    /// connection that is opened for it.
    <K, R> Assignments.Waiting<K, R> waiting(K key, R request, long now) {
        Duration patience = queryWaitTimeout.isZero() ? backend.connectTimeout() : queryWaitTimeout;
        return new Assignments.Waiting<>(key, request, now, now + patience.toNanos());
    }
}
