package org.pgporter.cluster.limit;

import java.util.Optional;
import org.pgporter.cluster.PoolKey;

/// Gives leave to hold backend connections, so that all nodes together stay within a pool's limit. A pool asks
/// before it opens a connection and gives back after the connection has closed. The answer comes from what this
/// node holds already: asking never blocks and never leaves the node. Safe to use from all threads.
public interface ConnectionPermits {
    /// Asks for leave to hold one more backend connection.
    ///
    /// @param limit connections of this pool in the whole fleet, at least 1; it may differ from call to call, as
    ///     after a reload
    /// @return empty when the limit is reached; the pool tries again when one of its connections has closed
    Optional<ConnectionPermit> tryAcquire(PoolKey key, int limit);
}
