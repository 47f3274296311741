package org.pgporter.node.transport;

import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;

/// How long one event loop kept its sockets waiting. A turn is the time between two looks at them.
///
/// @param loop index of the loop, from 0
/// @param current length of the turn that is going on, zero while the loop waits for work
/// @param longest longest turn since this was read last, the current one included
/// @param total length of all turns that have ended, since the start
/// @param held how many turns since the start were as long as `general.loop_held_threshold` or longer, without those
///     in which the whole process stood still
/// @param turns how many turns, since the start, were at most as long as the bound of the same index in
///     [#bounds] and longer than the one before; the last has no bound
public record LoopLag(int loop, Duration current, Duration longest, Duration total, long held, List<Long> turns) {
    private static final List<Duration> UPPER_BOUNDS = IntStream.range(0, LoopClock.BOUNDS)
            .mapToObj(i -> Duration.ofNanos(LoopClock.FIRST_BOUND_NANOS << i))
            .toList();

    public LoopLag {
        turns = List.copyOf(turns);
    }

    /// The upper bounds of [#turns]: 0.1 ms, 0.2 ms and so on to 819.2 ms.
    public static List<Duration> bounds() {
        return UPPER_BOUNDS;
    }
}
