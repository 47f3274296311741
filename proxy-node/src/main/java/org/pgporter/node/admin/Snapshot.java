package org.pgporter.node.admin;

import java.util.List;
import java.util.stream.Stream;
import org.pgporter.cluster.PoolKey;
import org.pgporter.node.backend.ServerView;
import org.pgporter.node.pool.DatabasesView;
import org.pgporter.node.pool.PoolView;
import org.pgporter.node.session.ClientView;
import org.pgporter.node.session.ClientView.Activity;

/// What a node was doing when it was asked. Not of one moment: everybody has answered when he came to it.
///
/// @param servers connections of pools
/// @param missing actors that have not answered in time
record Snapshot(
        List<ClientView> clients, List<PoolView> pools, List<Server> servers, DatabasesView databases, int missing) {
    /// A backend connection, and whose it is.
    ///
    /// @param name of it among all
    record Server(PoolKey pool, String name, ServerView view) {}

    /// Clients that have logged in to a database.
    Stream<ClientView> sessions() {
        return clients.stream().filter(client -> switch (client.activity()) {
            case IDLE, WAITING, ACTIVE -> true;
            case LOGIN, CONSOLE, CANCEL, LEAVING -> false;
        });
    }

    Stream<ClientView> console() {
        return clients.stream().filter(client -> client.activity() == Activity.CONSOLE);
    }
}
