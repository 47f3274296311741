package org.pgporter.config;

import java.time.Duration;

/// The event loops of a node; part of section `general`.
///
/// @param io how loops talk to the operating system
/// @param workerThreads number of loops; 0: one per processor
/// @param loopHeldThreshold how long a loop may keep its sockets waiting before that is logged, at least
///     10 ms; zero: never
public record EventLoopConfig(IoTransport io, int workerThreads, Duration loopHeldThreshold) {
    /// Below, what the operating system's scheduler does between threads would be reported.
    private static final Duration LEAST_THRESHOLD = Duration.ofMillis(10);

    private static final EventLoopConfig DEFAULTS = new EventLoopConfig(IoTransport.AUTO, 0, Duration.ofMillis(100));

    /// More loops than any machine has processors; a larger number is a slip of the hand.
    private static final int MOST_WORKERS = 1024;

    public EventLoopConfig {
        new Checks()
                .between("worker_threads", 0, MOST_WORKERS, workerThreads)
                .require(
                        loopHeldThreshold.isZero() || loopHeldThreshold.compareTo(LEAST_THRESHOLD) >= 0,
                        "loop_held_threshold",
                        "must be 0 or at least " + Durations.format(LEAST_THRESHOLD) + ", was "
                                + Durations.format(loopHeldThreshold))
                .throwIfAny();
    }

    public static EventLoopConfig defaults() {
        return DEFAULTS;
    }

    /// The number of loops to start, with 0 resolved.
    public int loops() {
        return workerThreads == 0 ? Runtime.getRuntime().availableProcessors() : workerThreads;
    }

    public EventLoopConfig withIo(IoTransport changed) {
        return Records.with(this, "io", changed);
    }

    public EventLoopConfig withWorkerThreads(int changed) {
        return Records.with(this, "workerThreads", changed);
    }

    public EventLoopConfig withLoopHeldThreshold(Duration changed) {
        return Records.with(this, "loopHeldThreshold", changed);
    }
}
