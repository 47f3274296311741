package org.pgporter.node.tls;

import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;

/// The threads for what would hold an event loop during handshakes: RSA signatures, chains of certificates, and
/// all of the JDK's engine. What does not fit into the queue is refused, and the handshake with it.
public final class TlsWork implements Executor, AutoCloseable {
    /// At about a millisecond each, the last one waits for a second at most.
    static final int MOST_WAITING = 1024;

    private final ThreadPoolExecutor threads;
    private final LongAdder refused = new LongAdder();

    private TlsWork(ThreadPoolExecutor threads) {
        this.threads = threads;
    }

    /// As many threads as half the processors, at least one; each starts when it is needed and ends when it has
    /// been idle for a minute.
    public static TlsWork start() {
        int count = Math.max(1, Runtime.getRuntime().availableProcessors() / 2);
        ThreadPoolExecutor threads = new ThreadPoolExecutor(
                count,
                count,
                1,
                TimeUnit.MINUTES,
                new ArrayBlockingQueue<>(MOST_WAITING),
                Thread.ofPlatform().name("pgporter-tls-", 0).daemon().factory());
        threads.allowCoreThreadTimeOut(true);
        return new TlsWork(threads);
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
