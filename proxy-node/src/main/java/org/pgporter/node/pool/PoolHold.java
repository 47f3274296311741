package org.pgporter.node.pool;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.function.BooleanSupplier;

/// What an operator has asked of a pool, and who waits until it is so. Confined to the pool.
///
/// ```
///  serving ── Pause ──► pausing ── the last connection has closed ──► paused
///     ▲                    │ Resume                                    │ Resume
///     └────────────────────┴───────────────────────────────────────────┘
/// ```
///
/// A paused pool lends nothing and opens nothing; who asks waits. Its connections close as they become free.
final class PoolHold {
    private record Waiting(BooleanSupplier reached, Runnable then) {}

    private final List<Waiting> waiting = new ArrayList<>();
    private boolean paused;

    PoolHold(boolean paused) {
        this.paused = paused;
    }

    boolean isPaused() {
        return paused;
    }

    void pause() {
        paused = true;
    }

    /// @return false if it was not paused
    boolean resume() {
        boolean was = paused;
        paused = false;
        return was;
    }

    /// Does something once this has come to be, which may be so already.
    void whenReached(BooleanSupplier reached, Runnable then) {
        waiting.add(new Waiting(reached, then));
    }

    /// Something has changed.
    void look() {
        if (waiting.isEmpty()) {
            return;
        }
        Iterator<Waiting> each = waiting.iterator();
        while (each.hasNext()) {
            Waiting one = each.next();
            if (one.reached().getAsBoolean()) {
                each.remove();
                one.then().run();
            }
        }
    }
}
