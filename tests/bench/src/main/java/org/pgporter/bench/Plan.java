package org.pgporter.bench;

import java.time.Duration;
import java.util.List;

/// How much is measured, and for how long.
///
/// @param rounds in each round every contender does every work once
/// @param window how long one run is measured
/// @param warmUp how long each contender runs each protocol before anything counts; zero: not at all
/// @param scale pgbench's scale factor
/// @param limit no round is begun that would probably end later than this after the start
/// @param megabytes how much [Work.Bulk] moves, in units of a million bytes
/// @param idle how many clients [Work.Idle] has
record Plan(
        int rounds,
        Duration window,
        Duration warmUp,
        int scale,
        Duration limit,
        int megabytes,
        int idle,
        List<Work> works) {
    static Plan usual(List<Work> works) {
        return new Plan(3, Duration.ofSeconds(3), Duration.ofSeconds(5), 10, Duration.ofHours(3), 1000, 2000, works);
    }

    static Plan quick(List<Work> works) {
        return new Plan(1, Duration.ofSeconds(1), Duration.ofSeconds(1), 1, Duration.ofSeconds(40), 20, 50, works);
    }
}
