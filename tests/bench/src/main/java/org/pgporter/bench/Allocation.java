package org.pgporter.bench;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;

/// Measures how many bytes a JVM allocates for each transaction: what its heap has grown by in a window without a
/// collection. So that there is none, PgPorter gets a young generation that no window fills ([#OPTIONS]); where the
/// counters show one nevertheless, there is no figure. No agent, no recording: nothing changes what is measured
/// but the two questions at the ends of the window, whose own allocation is subtracted.
///
/// @param directory where configuration and output go
record Allocation(Pgbench pgbench, Database database, Path directory) {
    static final String OPTIONS = "-Xms3g -Xmx3g -Xmn2500m";

    /// @param warmUp how long the same load runs before, so that the compiler has done its work
    Measurement run(Work.Allocation work, PgPorter node, Duration window, Duration warmUp) {
        try (var pooler = node.with(OPTIONS).start(database, work.setup(), directory)) {
            if (warmUp.isPositive()) {
                pgbench.run(work.load(), pooler, warmUp);
            }
            var watch = new Watch(JavaProcess.of(pooler, directory));
            pgbench.run(work.load(), pooler, window, watch);
            return new Measurement(Map.of(Metric.ALLOCATED_KILOBYTES, watch.bytesPerTransaction() / 1000));
        }
    }

    /// What the heap held at a moment, and how often it had been collected.
    private record Reading(Instant at, long used, long collections) {}

    private static final class Watch implements Pgbench.Observer {
        // Two starts of jcmd at each end.
        private static final Duration TAKES = Duration.ofSeconds(1);

        private final JavaProcess jvm;
        private final long question;
        private Optional<Reading> first = Optional.empty();
        private Optional<Reading> last = Optional.empty();
        private int transactions;

        private Watch(JavaProcess jvm) {
            this.jvm = jvm;
            jvm.collect();
            // The first question loads classes; the second shows what a question costs while nothing else happens.
            jvm.heapUsed();
            var used = jvm.heapUsed();
            this.question = jvm.heapUsed() - used;
        }

        @Override
        public Duration takes() {
            return TAKES;
        }

        @Override
        public void begins() {
            var collections = jvm.collections();
            var used = jvm.heapUsed();
            first = Optional.of(new Reading(Instant.now(), used, collections));
        }

        @Override
        public void ends() {
            var used = jvm.heapUsed();
            last = Optional.of(new Reading(Instant.now(), used, jvm.collections()));
        }

        @Override
        public void ended(TransactionLog log) {
            transactions =
                    log.between(first.orElseThrow().at(), last.orElseThrow().at()).length;
        }

        double bytesPerTransaction() {
            var from = first.orElseThrow();
            var to = last.orElseThrow();
            if (from.collections() != to.collections()) {
                throw new BenchFailure("the heap was collected in the window; a shorter --window may help");
            }
            if (transactions == 0) {
                throw new BenchFailure("no transaction ended between the two looks at the heap");
            }
            return (to.used() - from.used() - question) / (double) transactions;
        }
    }
}
