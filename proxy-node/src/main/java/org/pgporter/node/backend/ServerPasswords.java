package org.pgporter.node.backend;

import java.util.Optional;
import org.pgporter.auth.Secret;

/// The password of a backend role, and the one before it while a change is on its way. Remembers for all connections of
/// a pool which of the two PostgreSQL has taken last, so that each of them begins with that one and a server is asked
/// twice only around the moment of the change.
public final class ServerPasswords {
    /// One of the two.
    enum Which {
        CURRENT,
        PREVIOUS;

        Which other() {
            return this == CURRENT ? PREVIOUS : CURRENT;
        }
    }

    private final Optional<Secret> current;
    private final Optional<Secret> previous;
    private volatile Which first = Which.CURRENT;

    /// @param previous tried where the current one is refused
    public ServerPasswords(Optional<Secret> current, Optional<Secret> previous) {
        this.current = current;
        this.previous = previous;
    }

    /// Whether there is one at all.
    boolean any() {
        return current.isPresent();
    }

    /// Whether there is another one to try.
    boolean two() {
        return previous.isPresent();
    }

    /// The one to begin with.
    Which first() {
        return first;
    }

    Optional<Secret> get(Which which) {
        return which == Which.CURRENT ? current : previous;
    }

    /// PostgreSQL has refused the other one, and taken this one.
    void holds(Which which) {
        first = which;
    }
}
