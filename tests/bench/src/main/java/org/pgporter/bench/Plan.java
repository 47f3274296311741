package org.pgporter.bench;

import java.time.Duration;
import java.util.List;

/// How much is measured, and for how long.
///
/// @param rounds in each round every pooler does every work once
/// @param window how long one run is measured
/// @param warmUp how long each pooler runs each protocol before anything counts; zero: not at all
/// @param scale pgbench's scale factor
/// @param limit no round is begun that would probably end later than this after the start
record Plan(int rounds, Duration window, Duration warmUp, int scale, Duration limit, List<Workload> workloads) {
    /// Below five minutes with three poolers.
    static Plan usual() {
        return new Plan(3, Duration.ofSeconds(2), Duration.ofSeconds(3), 10, Duration.ofMinutes(5), Workload.all());
    }

    /// Below forty seconds with three poolers.
    static Plan quick() {
        return new Plan(1, Duration.ofSeconds(1), Duration.ofSeconds(2), 10, Duration.ofSeconds(40), Workload.few());
    }

    Plan withRounds(int number) {
        return new Plan(number, window, warmUp, scale, limit, workloads);
    }

    Plan withWindow(Duration time) {
        return new Plan(rounds, time, warmUp, scale, limit, workloads);
    }

    Plan withLimit(Duration time) {
        return new Plan(rounds, window, warmUp, scale, time, workloads);
    }
}
