package org.pgporter.node.work;

import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;

/// A few threads for what would hold an event loop: salted passwords of SCRAM; and, on threads of their own so that
/// neither delays the other, RSA signatures, chains of certificates and all of the JDK's TLS engine. What does not
/// fit into the queue is refused, and the login or handshake with it.
public final class CpuWork implements Executor, AutoCloseable {
    /// At about a millisecond each, the last one waits for a second at most.
    static final int MOST_WAITING = 1024;

    private final ThreadPoolExecutor threads;
    private final LongAdder refused = new LongAdder();

    private CpuWork(ThreadPoolExecutor threads) {
        this.threads = threads;
    }

    /// As many threads as half the processors, at least one; each starts when it is needed and ends when it has
    /// been idle for a minute.
    ///
    /// @param name of the threads, a number follows
    public static CpuWork start(String name) {
        int count = Math.max(1, Runtime.getRuntime().availableProcessors() / 2);
        ThreadPoolExecutor threads = new ThreadPoolExecutor(
                count,
                count,
                1,
                TimeUnit.MINUTES,
                new ArrayBlockingQueue<>(MOST_WAITING),
                Thread.ofPlatform().name(name, 0).daemon().factory());
        threads.allowCoreThreadTimeOut(true);
        return new CpuWork(threads);
    }

    @Override
    public void execute(Runnable task) {
        try {
            threads.execute(task);
        } catch (RejectedExecutionException e) {
            refused.increment();
            throw e;
        }
    }

    /// Tasks that wait for a thread now, at most [#MOST_WAITING].
    public int waiting() {
        return threads.getQueue().size();
    }

    /// Tasks that found no place since the start.
    public long refused() {
        return refused.sum();
    }

    @Override
    public void close() {
        threads.shutdownNow();
    }
}
