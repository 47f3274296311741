package org.pgporter.node.session;

import java.net.SocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.apache.pekko.actor.typed.ActorRef;
import org.pgporter.node.backend.BackendConnection;
import org.pgporter.node.tls.TlsSession;

/// What a client's session is like at one moment.
///
/// @param session its id, as in the log
/// @param user who the client is; empty before it has said so
/// @param database as the client calls it
/// @param poolUser under whose name the pool is; empty before it has one
/// @param replication what stands in its startup packet; empty: nothing
/// @param connected when it was accepted
/// @param requested when it asked for a backend connection last
/// @param waiting how long it has waited for a backend connection; zero unless it waits
/// @param backend the connection that it holds, or held last if it holds none
/// @param preparedStatements names that it has
public record ClientView(
        String session,
        String user,
        String database,
        String poolUser,
        String replication,
        Activity activity,
        SocketAddress remote,
        SocketAddress local,
        Instant connected,
        Optional<Instant> requested,
        Duration waiting,
        Optional<ActorRef<BackendConnection.Command>> backend,
        Optional<TlsSession> tls,
        String applicationName,
        int preparedStatements) {
    /// What it is doing.
    public enum Activity {
        /// It has not said yet who it is, or has not proved it.
        LOGIN,
        /// Nothing is asked, and it holds no backend connection.
        IDLE,
        /// It waits for a backend connection.
        WAITING,
        /// It holds a backend connection.
        ACTIVE,
        /// It uses the console.
        CONSOLE,
        /// It is a cancel request, which waits to be delivered.
        CANCEL,
        /// It has ended for the client.
        LEAVING
    }
}
