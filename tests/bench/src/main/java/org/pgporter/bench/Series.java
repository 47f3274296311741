package org.pgporter.bench;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/// Warms the poolers up and measures them in rounds. Within a round they take turns at each work, and each
/// round begins with another of them, so that what else the machine does meets all of them alike.
///
/// @param started [System#nanoTime()] when the program began
record Series(Plan plan, List<Pooler> poolers, Pgbench pgbench, PrintStream progress, long started) {
    Results run() {
        if (plan.warmUp().isPositive()) {
            warmUp();
        }
        var results = new Results();
        var order = new ArrayList<>(poolers);
        for (int round = 1; round <= plan.rounds(); round++) {
            var begun = System.nanoTime();
            progress.printf("round %d of %d%n", round, plan.rounds());
            measure(results, order);
            Collections.rotate(order, 1);
            var now = System.nanoTime();
            if (round < plan.rounds()
                    && now - started + now - begun > plan.limit().toNanos()) {
                progress.printf(
                        "another round would not end within %d s%n",
                        plan.limit().toSeconds());
                break;
            }
        }
        return results;
    }

    private void measure(Results results, List<Pooler> order) {
        for (var workload : plan.workloads()) {
            for (var pooler : order) {
                if (pooler.serves(workload)) {
                    results.add(workload, pooler, pgbench.run(workload, pooler, plan.window()));
                }
            }
        }
    }

    private void warmUp() {
        var seen = new ArrayList<Workload.Protocol>();
        for (var workload : plan.workloads()) {
            if (!seen.contains(workload.protocol())) {
                seen.add(workload.protocol());
                progress.printf("warming up: %s%n", workload.protocol().option());
                poolers.stream()
                        .filter(pooler -> pooler.serves(workload))
                        .forEach(pooler -> pgbench.run(workload, pooler, plan.warmUp()));
            }
        }
    }
}
