package org.pgporter.node.admin;

import java.util.List;
import java.util.Optional;

/// What the console does to the node as a whole. May be called from every thread; nothing here waits.
public interface Operations {
    /// How a node ends.
    enum Shutdown {
        /// Every session ends now.
        AT_ONCE,
        /// A session ends when it holds no backend connection.
        WAIT_FOR_SERVERS,
        /// Sessions end when their clients leave; nobody new comes in.
        WAIT_FOR_CLIENTS
    }

    /// @param done what has been read again
    /// @param problems what could not be used, without secrets
    record Reloaded(List<String> done, List<String> problems) {}

    Reloaded reload();

    void shutDown(Shutdown how);

    /// Forgets credentials that `auth_query` has looked up: of everybody, of a database, or of one user of it.
    void invalidateAuth(Optional<String> database, Optional<String> user);
}
