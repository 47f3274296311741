package org.pgporter.node.pool;

import java.time.Duration;

/// The plan of the tests with something changed.
final class Plans {
    private Plans() {}

    static PoolPlan sized(PoolPlan plan, int size, int minSize, int parallelOpenings) {
        return new PoolPlan(
                plan.key(),
                plan.mode(),
                plan.backend(),
                size,
                minSize,
                parallelOpenings,
                plan.queryWaitTimeout(),
                plan.idleTimeout(),
                plan.lifetime(),
                plan.loginRetry(),
                plan.forOneSession());
    }

    static PoolPlan waiting(PoolPlan plan, Duration queryWaitTimeout) {
        return new PoolPlan(
                plan.key(),
                plan.mode(),
                plan.backend(),
                plan.size(),
                plan.minSize(),
                plan.parallelOpenings(),
                queryWaitTimeout,
                plan.idleTimeout(),
                plan.lifetime(),
                plan.loginRetry(),
                plan.forOneSession());
    }

    static PoolPlan ageing(PoolPlan plan, Duration idleTimeout, Duration lifetime) {
        return new PoolPlan(
                plan.key(),
                plan.mode(),
                plan.backend(),
                plan.size(),
                plan.minSize(),
                plan.parallelOpenings(),
                plan.queryWaitTimeout(),
                idleTimeout,
                lifetime,
                plan.loginRetry(),
                plan.forOneSession());
    }
}
