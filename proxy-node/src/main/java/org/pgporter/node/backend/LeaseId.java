package org.pgporter.node.backend;

/// One use of a backend connection by one session. Numbers are never used twice on a node, so what arrives late
/// for a lease that has ended can be told apart from what belongs to the next one.
public record LeaseId(long number) {
    private static final java.util.concurrent.atomic.AtomicLong SEQUENCE = new java.util.concurrent.atomic.AtomicLong();

    public static LeaseId next() {
        return new LeaseId(SEQUENCE.incrementAndGet());
    }

    @Override
    public String toString() {
        return Long.toString(number);
    }
}
