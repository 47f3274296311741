package org.pgporter.node.pool;

import java.util.concurrent.atomic.AtomicBoolean;

/// What a pool wants to hear from its shards at the moment. Written by the pool, read on each loop for each
/// query, so only changes are written.
///
/// A shard first does what there is to do, and then looks here; the pool first writes here, and then looks
/// what there is to do. Both are volatile, so nothing falls between the two.
final class PoolWishes {
    private volatile boolean whoWaits;
    private volatile boolean whatIsFree;
    /// The pool has been told, and has not looked yet.
    private final AtomicBoolean told = new AtomicBoolean();

    /// Somebody waits, and the pool could do something about it.
    boolean whoWaits() {
        return whoWaits;
    }

    /// The same, unless somebody has told the pool already and it has not come to it yet.
    boolean tell() {
        return whoWaits && !told.get() && told.compareAndSet(false, true);
    }

    /// The pool is going to look.
    void heard() {
        told.set(false);
    }

    /// A connection has become free, and the pool may need it for something else than the next request.
    boolean whatIsFree() {
        return whatIsFree;
    }

    /// @return whether the pool must look now, because before it did not want to hear
    boolean set(boolean waiting, boolean free) {
        boolean more = waiting && !whoWaits || free && !whatIsFree;
        if (waiting != whoWaits) {
            whoWaits = waiting;
        }
        if (free != whatIsFree) {
            whatIsFree = free;
        }
        return more;
    }
}
