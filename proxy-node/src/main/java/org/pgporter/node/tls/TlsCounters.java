package org.pgporter.node.tls;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.IntStream;

/// What is counted of TLS on one leg: all clients of the node, or the backend connections of one pool. The metrics
/// of `server_tls_connections`, `server_tls_handshake_duration_seconds` and `server_tls_handshake_errors_total`
/// are made of it. For many threads.
public final class TlsCounters {
    /// Upper bounds of the classes of handshake durations; the last class has none.
    public static final List<Duration> BOUNDS = IntStream.of(1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000)
            .mapToObj(Duration::ofMillis)
            .toList();

    private final AtomicLong connections = new AtomicLong();
    private final LongAdder errors = new LongAdder();
    private final LongAdder nanos = new LongAdder();
    private final LongAdder[] classes = IntStream.rangeClosed(0, BOUNDS.size())
            .mapToObj(_ -> new LongAdder())
            .toArray(LongAdder[]::new);

    void opened(Duration handshake) {
        connections.incrementAndGet();
        nanos.add(handshake.toNanos());
        int index = 0;
        while (index < BOUNDS.size() && handshake.compareTo(BOUNDS.get(index)) > 0) {
            index++;
        }
        classes[index].increment();
    }

    void closed() {
        connections.decrementAndGet();
    }

    void failed() {
        errors.increment();
    }

    /// Connections with TLS that are open now.
    public long connections() {
        return connections.get();
    }

    /// Handshakes that did not succeed.
    public long errors() {
        return errors.sum();
    }

    /// Handshakes that succeeded.
    public long handshakes() {
        return IntStream.range(0, classes.length)
                .mapToLong(i -> classes[i].sum())
                .sum();
    }

    /// How long all successful handshakes took together.
    public Duration handshakeTime() {
        return Duration.ofNanos(nanos.sum());
    }

    /// Successful handshakes by duration: one number for each of [#BOUNDS], and one for what took longer. Not
    /// cumulated.
    public List<Long> handshakesByDuration() {
        return IntStream.range(0, classes.length)
                .mapToObj(i -> classes[i].sum())
                .toList();
    }
}
