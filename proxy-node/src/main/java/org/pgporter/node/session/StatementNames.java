package org.pgporter.node.session;

import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.pgporter.node.backend.PreparedStatement;

/// What a client's names for prepared statements mean; the empty name is the unnamed statement.
///
/// A Parse or Close counts at once for what follows it in the pipeline, but is only final when the server has
/// answered: what the server refuses or skips after an error is taken back ([#settle]). So changes wait in
/// line, in the order in which they were sent, and each answer settles the oldest.
final class StatementNames {
    private record Change(String name, @Nullable PreparedStatement statement) {}

    private final Map<String, PreparedStatement> settled = new HashMap<>();
    private final ArrayDeque<Change> pending = new ArrayDeque<>();
    /// The newest pending change of each name: a pipeline may have any number of them.
    private final Map<String, Change> newest = new HashMap<>();

    Optional<PreparedStatement> get(String name) {
        Change change = newest.get(name);
        return Optional.ofNullable(change == null ? settled.get(name) : change.statement());
    }

    void parsed(String name, PreparedStatement statement) {
        changes(new Change(name, statement));
    }

    void closed(String name) {
        changes(new Change(name, null));
    }

    private void changes(Change change) {
        pending.add(change);
        newest.put(change.name(), change);
    }

    /// The oldest change has been answered.
    ///
    /// @param confirmed whether it happened
    void settle(boolean confirmed) {
        Change change = pending.remove();
        if (newest.get(change.name()) == change) {
            newest.remove(change.name());
        }
        if (!confirmed) {
            return;
        }
        PreparedStatement statement = change.statement();
        if (statement == null) {
            settled.remove(change.name());
        } else {
            settled.put(change.name(), statement);
        }
    }

    /// Everything that was changed has happened: it was answered without a backend.
    void settleAll() {
        while (!pending.isEmpty()) {
            settle(true);
        }
    }

    /// The client has thrown all of them away (DEALLOCATE ALL, DISCARD ALL). What it sent after that still
    /// counts.
    void allGone() {
        settled.clear();
    }

    /// Nothing that was sent will be answered any more.
    void dropPending() {
        pending.clear();
        newest.clear();
    }

    boolean isEmpty() {
        return settled.isEmpty() && pending.isEmpty();
    }

    int count() {
        return settled.size();
    }
}
