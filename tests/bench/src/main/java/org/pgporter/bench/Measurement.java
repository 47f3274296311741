package org.pgporter.bench;

import java.time.Duration;
import java.util.Arrays;

/// One run of pgbench against one pooler. Times are of the window in which pgbench and pooler ran undisturbed by
/// logins.
///
/// @param cpuMicros processor time of the pooler per transaction
/// @param residentMegabytes memory of the pooler at the end of the window
record Measurement(
        double cpuMicros,
        double transactionsPerSecond,
        double averageMillis,
        double p50Millis,
        double p99Millis,
        double worstMillis,
        double residentMegabytes) {

    /// @param durations in microseconds, shortest first
    static Measurement of(ProcessUsage before, ProcessUsage after, long[] durations) {
        if (durations.length == 0) {
            throw new BenchFailure("pgbench finished no transaction in the window of the measurement");
        }
        var seconds = Duration.between(before.at(), after.at()).toNanos() / 1e9;
        return new Measurement(
                after.cpu().minus(before.cpu()).toNanos() / 1e3 / durations.length,
                durations.length / seconds,
                Arrays.stream(durations).average().orElseThrow() / 1e3,
                percentile(durations, 50) / 1e3,
                percentile(durations, 99) / 1e3,
                durations[durations.length - 1] / 1e3,
                after.residentKilobytes() / 1024.0);
    }

    /// The smallest duration that `percent` of all do not exceed.
    static long percentile(long[] sorted, int percent) {
        var rank = (int) Math.ceil(sorted.length * percent / 100.0);
        return sorted[Math.max(rank, 1) - 1];
    }
}
