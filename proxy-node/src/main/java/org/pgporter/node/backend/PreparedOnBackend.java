package org.pgporter.node.backend;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Which statements one backend knows, most recently used last. A statement counts as known from the moment its
/// Parse is sent, so that what follows in the same pipeline need not send it again; if the server refuses or
/// skips that Parse it is forgotten ([#notPrepared()]).
///
/// Eviction happens only between leases ([#evictable()]), so it never takes a statement away from a batch in
/// flight; within a lease the number may exceed the capacity.
final class PreparedOnBackend implements RepliesOwed.StatementEvents {
    private final int capacity;
    private final LinkedHashMap<PreparedStatement, Boolean> known = new LinkedHashMap<>(16, 0.75f, true);
    private final ArrayDeque<PreparedStatement> inFlight = new ArrayDeque<>();
    private @Nullable PreparedStatement unnamed;

    /// `capacity` is how many named statements stay on the backend between leases.
    PreparedOnBackend(int capacity) {
        this.capacity = capacity;
    }

    /// Whether the backend knows the statement; a named one counts as used.
    boolean knows(PreparedStatement statement) {
        return statement.isNamed() ? known.get(statement) != null : isUnnamed(statement);
    }

    private boolean isUnnamed(PreparedStatement statement) {
        PreparedStatement current = unnamed;
        return current != null && statement.equals(current);
    }

    /// Its Parse goes out now.
    void parseSent(PreparedStatement statement) {
        if (statement.isNamed()) {
            known.put(statement, Boolean.TRUE);
        } else {
            unnamed = statement;
        }
        inFlight.add(statement);
    }

    @Override
    public void prepared() {
        inFlight.remove().accepted();
    }

    @Override
    public void notPrepared() {
        PreparedStatement refused = inFlight.remove();
        if (refused.isNamed()) {
            known.remove(refused);
        } else if (isUnnamed(refused)) {
            unnamed = null;
        }
    }

    /// The backend's unnamed statement is gone: a simple Query destroys it.
    void unnamedGone() {
        unnamed = null;
    }

    /// The backend has forgotten everything (DISCARD ALL, DEALLOCATE ALL).
    void allGone() {
        known.clear();
        unnamed = null;
    }

    /// A statement met a table that has changed since it was planned. Which one it was is not followed, so all
    /// that this backend knows are outdated: to prepare a few too many anew is cheap, and tables change rarely.
    void planOutdated() {
        known.keySet().forEach(PreparedStatement::outdated);
    }

    /// Takes the least recently used statements beyond the capacity out and returns them: they must be closed
    /// on the backend before the next lease's batch.
    List<PreparedStatement> evictable() {
        if (known.size() <= capacity) {
            return List.of();
        }
        List<PreparedStatement> evicted = new ArrayList<>();
        Iterator<PreparedStatement> oldest = known.keySet().iterator();
        while (known.size() > capacity) {
            evicted.add(oldest.next());
            oldest.remove();
        }
        return evicted;
    }

    int count() {
        return known.size();
    }
}
