package org.pgporter.node.backend;

import java.net.SocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.pgporter.node.tls.TlsSession;

/// What a backend connection is like at one moment.
///
/// @param name its own
/// @param user role at PostgreSQL
/// @param database database at PostgreSQL
/// @param connected when it began to be opened
/// @param lent when it was lent last
/// @param idle how long nobody has used it; zero unless it is idle
/// @param holder the session that uses it
/// @param backendPid process at PostgreSQL; 0 before it is known
/// @param preparedStatements how many it knows
/// @param closeNeeded it closes as soon as nobody uses it
public record ServerView(
        String name,
        String user,
        String database,
        Activity activity,
        Optional<SocketAddress> remote,
        Optional<SocketAddress> local,
        Instant connected,
        Optional<Instant> lent,
        Duration idle,
        Optional<String> holder,
        int backendPid,
        Optional<TlsSession> tls,
        String applicationName,
        int preparedStatements,
        boolean closeNeeded) {
    /// What it is doing.
    public enum Activity {
        /// It is being opened.
        NEW,
        /// It waits for somebody to use it.
        IDLE,
        /// A session holds it.
        ACTIVE,
        /// It is cleaned after its last use.
        CLEANING,
        /// It is clean, and held back until a cancel request has arrived.
        BEING_CANCELED,
        /// It is closing, or closed.
        CLOSING
    }
}
