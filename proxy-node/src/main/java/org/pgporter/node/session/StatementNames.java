package org.pgporter.node.session;

import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Iterator;
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

    Optional<PreparedStatement> get(String name) {
        for (Iterator<Change> newestFirst = pending.descendingIterator(); newestFirst.hasNext(); ) {
            Change change = newestFirst.next();
            if (change.name().equals(name)) {
                return Optional.ofNullable(change.statement());
            }
        }
        return Optional.ofNullable(settled.get(name));
    }

    void parsed(String name, PreparedStatement statement) {
        pending.add(new Change(name, statement));
    }

    void closed(String name) {
        pending.add(new Change(name, null));
    }

    /// The oldest change has been answered.
    ///
    /// @param confirmed whether it happened
    void settle(boolean confirmed) {
        Change change = pending.remove();
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
    }

    boolean isEmpty() {
        return settled.isEmpty() && pending.isEmpty();
    }

    int count() {
        return settled.size();
    }
}
