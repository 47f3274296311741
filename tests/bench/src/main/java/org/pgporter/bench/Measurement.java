package org.pgporter.bench;

import java.time.Duration;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;

/// What one run of one work against one contender has shown; each work knows some of the metrics.
record Measurement(Map<Metric, Double> values) {
    Measurement {
        values = Map.copyOf(values);
    }

    /// What can be known of a window in which transactions ran, undisturbed by logins.
    ///
    /// @param pooler what the pooler had used before and after the window; none where there is no pooler
    /// @param server the same of PostgreSQL
    /// @param durations of the transactions that ended in the window, in microseconds, shortest first
    static Measurement of(Optional<Used> pooler, Used server, long[] durations) {
        if (durations.length == 0) {
            throw new BenchFailure("pgbench finished no transaction in the window of the measurement");
        }
        var values = new EnumMap<Metric, Double>(Metric.class);
        pooler.ifPresent(it -> {
            values.put(Metric.CPU_MICROS, it.cpuNanos() / 1e3 / durations.length);
            values.put(Metric.RESIDENT_MEGABYTES, it.after().residentKilobytes() / 1024.0);
        });
        var timed = pooler.orElse(server);
        var p50 = percentile(durations, 50);
        var p99 = percentile(durations, 99);
        values.put(Metric.SERVER_CPU_MICROS, server.cpuNanos() / 1e3 / durations.length);
        values.put(Metric.TRANSACTIONS_PER_SECOND, durations.length / timed.seconds());
        values.put(Metric.AVERAGE_MILLIS, Arrays.stream(durations).average().orElseThrow() / 1e3);
        values.put(Metric.P50_MILLIS, p50 / 1e3);
        values.put(Metric.P99_MILLIS, p99 / 1e3);
        values.put(Metric.P999_MILLIS, percentile(durations, 99.9) / 1e3);
        values.put(Metric.WORST_MILLIS, durations[durations.length - 1] / 1e3);
        values.put(Metric.P99_OVER_P50, p99 / (double) Math.max(p50, 1));
        return new Measurement(values);
    }

    Optional<Double> value(Metric metric) {
        return Optional.ofNullable(values.get(metric));
    }

    /// The smallest duration that `percent` of all do not exceed.
    static long percentile(long[] sorted, double percent) {
        // Of 1,000 the 99.9th percentile is the 999th: a product in floating point may lie just above it.
        var rank = (int) Math.ceil(sorted.length * percent / 100.0 - 1e-9);
        return sorted[Math.max(rank, 1) - 1];
    }

    /// What processes had used before and after something.
    record Used(ProcessUsage before, ProcessUsage after) {
        double cpuNanos() {
            return after.cpu().minus(before.cpu()).toNanos();
        }

        double seconds() {
            return Duration.between(before.at(), after.at()).toNanos() / 1e9;
        }
    }
}
