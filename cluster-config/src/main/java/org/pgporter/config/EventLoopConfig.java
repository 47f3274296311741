package org.pgporter.config;

/// The event loops of a node; part of section `general`.
///
/// @param io how loops talk to the operating system
/// @param workerThreads number of loops; 0: one per processor
public record EventLoopConfig(IoTransport io, int workerThreads) {
    private static final EventLoopConfig DEFAULTS = new EventLoopConfig(IoTransport.AUTO, 0);

    /// More loops than any machine has processors; a larger number is a slip of the hand.
    private static final int MOST_WORKERS = 1024;

    public EventLoopConfig {
        new Checks().between("worker_threads", 0, MOST_WORKERS, workerThreads).throwIfAny();
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
}
