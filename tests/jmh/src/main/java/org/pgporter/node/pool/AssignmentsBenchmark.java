package org.pgporter.node.pool;

import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/// A pool's bookkeeping for one transaction: a connection that is idle is taken and comes back, or goes straight to
/// whoever has waited longest.
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(2)
public class AssignmentsBenchmark {
    private static final int CONNECTIONS = 40;
    private static final int WAITING = 60;

    private final Assignments<Integer, Integer, String> idle = new Assignments<>();
    private final Assignments<Integer, Integer, String> busy = new Assignments<>();
    private int next;
    private long now;

    @Setup
    public void prepare() {
        for (int i = 0; i < CONNECTIONS; i++) {
            idle.startedOpening();
            idle.opened(i, 0, Long.MAX_VALUE);
            idle.idle(i, i);
        }
        for (int i = 0; i < WAITING; i++) {
            busy.enqueue(new Assignments.Waiting<>(next++, "request", 0, Long.MAX_VALUE));
        }
    }

    /// Acquire and release while there are idle connections.
    @Benchmark
    public Optional<Integer> takeAndComeBack() {
        Optional<Integer> connection = idle.take();
        idle.idle(connection.orElseThrow(), ++now);
        return connection;
    }

    /// Acquire and release while 60 requests wait: one more goes into the line, and the first of it is served.
    @Benchmark
    public Optional<Assignments.Waiting<Integer, String>> waitAndGetOne() {
        busy.enqueue(new Assignments.Waiting<>(next++, "request", ++now, now + 1_000_000));
        return busy.next();
    }
}
