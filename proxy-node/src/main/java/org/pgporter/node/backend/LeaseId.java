package org.pgporter.node.backend;

/// One use of a backend connection by one session. No two are equal, so what arrives late for a lease that has ended
/// can be told apart from what belongs to the next one.
public final class LeaseId {
    private LeaseId() {}

    public static LeaseId next() {
        return new LeaseId();
    }
}
