package org.pgporter.node.transport;

import java.util.ArrayDeque;
import java.util.Deque;

/// When the whole process stood still, as somebody noticed who wanted to look at the clock and came late. Times are
/// those of [System#nanoTime].
final class Pauses {
    /// As many as can lie within turns that are looked at together.
    private static final int KEPT = 16;

    private record Pause(long from, long to) {
        long within(long begin, long end) {
            return Math.max(0, Math.min(to, end) - Math.max(from, begin));
        }
    }

    private final long least;
    private final Deque<Pause> pauses = new ArrayDeque<>();

    /// @param least being late by less is no pause
    Pauses(long least) {
        this.least = least;
    }

    /// Somebody went to sleep, wanted to be woken after a while, and was woken now.
    ///
    /// @param wanted nanoseconds to sleep
    /// @return by how much it was late
    long woke(long sleptFrom, long wanted, long now) {
        long late = now - sleptFrom - wanted;
        if (late >= least) {
            // It may have begun at any time since.
            pauses.addLast(new Pause(sleptFrom, now));
            if (pauses.size() > KEPT) {
                pauses.removeFirst();
            }
        }
        return late;
    }

    /// How much of a time the process ran, so far as is known.
    long ran(long since, long nanos) {
        long end = since + nanos;
        return nanos
                - pauses.stream().mapToLong(pause -> pause.within(since, end)).sum();
    }
}
