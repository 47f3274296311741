package org.pgporter.node.work;

import java.time.Duration;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Supplier;

/// Threads for calls that block, and cannot be interrupted, with a queue that has an end. What takes too long is given
/// up by whoever waits for it; its thread stays with it until it comes back.
public final class BlockingWork implements AutoCloseable {
    private final ThreadPoolExecutor threads;
    private final LongAdder refused = new LongAdder();
    private final LongAdder late = new LongAdder();

    private BlockingWork(ThreadPoolExecutor threads) {
        this.threads = threads;
    }

    /// Threads start when they are needed, and end when they have been idle for a minute.
    ///
    /// @param name of the threads, a number follows
    /// @param most threads at one time
    /// @param mostWaiting tasks that wait for one
    public static BlockingWork start(String name, int most, int mostWaiting) {
        ThreadPoolExecutor threads = new ThreadPoolExecutor(
                most,
                most,
                1,
                TimeUnit.MINUTES,
                new ArrayBlockingQueue<>(mostWaiting),
                Thread.ofPlatform().name(name, 0).daemon().factory());
        threads.allowCoreThreadTimeOut(true);
        return new BlockingWork(threads);
    }

    /// Completes on one of the threads with the result or the exception of the task; on another one with a
    /// [java.util.concurrent.TimeoutException] when the limit is over, in the queue or in the task; at once with a
    /// [RejectedExecutionException] when there is no place left.
    public <T> CompletionStage<T> submit(Supplier<T> task, Duration limit) {
        CompletableFuture<T> result = new CompletableFuture<>();
        try {
            threads.execute(() -> {
                // Whoever asked has given up while this was waiting.
                if (result.isDone()) {
                    return;
                }
                try {
                    result.complete(task.get());
                } catch (RuntimeException | Error e) {
                    result.completeExceptionally(e);
                }
            });
        } catch (RejectedExecutionException e) {
            refused.increment();
            return CompletableFuture.failedStage(e);
        }
        result.orTimeout(limit.toMillis(), TimeUnit.MILLISECONDS).whenComplete((_, failure) -> {
            if (failure instanceof java.util.concurrent.TimeoutException) {
                late.increment();
            }
        });
        return result.minimalCompletionStage();
    }

    /// Tasks that wait for a thread now.
    public int waiting() {
        return threads.getQueue().size();
    }

    /// Tasks that are being done now, also those that nobody waits for any more.
    public int busy() {
        return threads.getActiveCount();
    }

    /// Tasks that found no place since the start.
    public long refused() {
        return refused.sum();
    }

    /// Tasks that took too long since the start.
    public long late() {
        return late.sum();
    }

    @Override
    public void close() {
        threads.shutdownNow();
    }
}
