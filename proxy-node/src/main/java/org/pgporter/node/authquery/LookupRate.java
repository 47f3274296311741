package org.pgporter.node.authquery;

import java.time.Duration;

/// How many lookups may begin: as many as in one second at once, and then one after the other. Confined to
/// its desk.
final class LookupRate {
    private final long nanosEach;
    private final long burst;
    /// When all places would be free again.
    private long freeAt;

    /// @param perSecond 0: no limit
    LookupRate(int perSecond, long now) {
        this.nanosEach = perSecond == 0 ? 0 : Duration.ofSeconds(1).toNanos() / perSecond;
        this.burst = nanosEach * perSecond;
        this.freeAt = now;
    }

    /// @return whether one may begin now; it is counted
    boolean take(long now) {
        if (untilNext(now).isPositive()) {
            return false;
        }
        freeAt = now + Math.max(freeAt - now, 0) + nanosEach;
        return true;
    }

    /// How long until the next may begin.
    Duration untilNext(long now) {
        return Duration.ofNanos(Math.max(0, Math.max(freeAt - now, 0) + nanosEach - burst));
    }
}
