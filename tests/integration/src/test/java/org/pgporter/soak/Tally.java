package org.pgporter.soak;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;

/// What all clients of a soak have seen so far. Safe to use from every thread.
final class Tally {
    private static final int FAILURES_SHOWN = 5;

    private final Map<String, LongAdder> done = new ConcurrentSkipListMap<>();
    private final Map<String, LongAdder> disturbed = new ConcurrentSkipListMap<>();
    private final Map<String, LongAdder> left = new ConcurrentSkipListMap<>();
    private final List<String> failures = new ArrayList<>();
    private final LongAdder answers = new LongAdder();
    private final AtomicLong failureCount = new AtomicLong();
    private final CountDownLatch failure = new CountDownLatch(1);

    /// An answer that carried the token of its question.
    void answered() {
        answers.increment();
    }

    /// Something that a client does was done to its end.
    void did(String what) {
        count(done, what);
    }

    /// A session ended early because its backend, or the server, was gone.
    void disturbed(String sqlState) {
        count(disturbed, sqlState);
    }

    /// A session was left in this way.
    void left(String how) {
        count(left, how);
    }

    /// What must not happen.
    void failed(String what) {
        failureCount.incrementAndGet();
        failure.countDown();
        synchronized (failures) {
            if (failures.size() < FAILURES_SHOWN) {
                failures.add(what);
            }
        }
    }

    /// Returns when something has failed, or at the end of this time.
    void awaitFailure(Duration atMost) throws InterruptedException {
        failure.await(atMost.toNanos(), TimeUnit.NANOSECONDS);
    }

    private static void count(Map<String, LongAdder> counts, String name) {
        counts.computeIfAbsent(name, _ -> new LongAdder()).increment();
    }

    long answers() {
        return answers.sum();
    }

    /// The first of them in full.
    List<String> failures() {
        synchronized (failures) {
            return List.copyOf(failures);
        }
    }

    /// By name, how often.
    Map<String, LongAdder> done() {
        return done;
    }

    /// By the way it was done, how often.
    Map<String, LongAdder> left() {
        return left;
    }

    /// By SQLSTATE, how often; `closed` where nothing was said.
    Map<String, LongAdder> disturbed() {
        return disturbed;
    }

    @Override
    public String toString() {
        return answers + " answers with the token of their question\nwhat was done: " + done + "\nsessions left: "
                + left + "\nsessions cut short, by SQLSTATE: " + disturbed + "\nfailures: " + failureCount;
    }
}
