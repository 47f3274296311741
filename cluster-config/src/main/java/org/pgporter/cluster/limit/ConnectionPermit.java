package org.pgporter.cluster.limit;

/// The leave to hold one backend connection open, from [ConnectionPermits#tryAcquire] until [#release()].
public interface ConnectionPermit {
    /// Gives the leave back, after the connection has closed. Only the first call counts.
    void release();
}
