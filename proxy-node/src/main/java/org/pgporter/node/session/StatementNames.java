package org.pgporter.node.session;

import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.pgporter.node.backend.PreparedStatement;

/// What a client's names for prepared statements mean; the empty name is the unnamed statement.
///
/// A Parse or Close counts at once for what follows it in the pipeline, but is only final when the server has
/// answered: what the server refuses or skips after an error is taken back ([#settle]). So changes wait in
/// line, in the order in which they were sent, and each answer settles the oldest.
final class StatementNames {
    private sealed interface Change {}

    private record Means(String name, PreparedStatement statement) implements Change {}

    private record Forgets(List<String> names) implements Change {}

    private record ForgetsAll() implements Change {}

    private final Map<String, PreparedStatement> settled = new HashMap<>();
    private final ArrayDeque<Change> pending = new ArrayDeque<>();

    Optional<PreparedStatement> get(String name) {
        for (Iterator<Change> newestFirst = pending.descendingIterator(); newestFirst.hasNext(); ) {
            switch (newestFirst.next()) {
                case Means(var changed, var statement) -> {
                    if (changed.equals(name)) {
                        return Optional.of(statement);
                    }
                }
                case Forgets(var names) -> {
                    if (names.contains(name)) {
                        return Optional.empty();
                    }
                }
                case ForgetsAll() -> {
                    return Optional.empty();
                }
            }
        }
        return Optional.ofNullable(settled.get(name));
    }

    void parsed(String name, PreparedStatement statement) {
        pending.add(new Means(name, statement));
    }

    void closed(String name) {
        pending.add(new Forgets(List.of(name)));
    }

    /// DEALLOCATE of these.
    void deallocated(List<String> names) {
        pending.add(new Forgets(names));
    }

    /// DEALLOCATE ALL or DISCARD ALL.
    void allDeallocated() {
        pending.add(new ForgetsAll());
    }

    /// The oldest change has been answered.
    ///
    /// @param confirmed whether it happened
    void settle(boolean confirmed) {
        Change change = pending.remove();
        if (!confirmed) {
            return;
        }
        switch (change) {
            case Means(var name, var statement) -> settled.put(name, statement);
            case Forgets(var names) -> names.forEach(settled::remove);
            case ForgetsAll() -> settled.clear();
        }
    }

    /// The server has read the oldest change and refused it. A Parse of the unnamed statement destroys the one
    /// before it all the same (`exec_parse_message` in PostgreSQL's `postgres.c`).
    void refused() {
        if (pending.remove() instanceof Means(var name, var _) && name.isEmpty()) {
            settled.remove(name);
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

    /// The client has been told that the table under one of its statements has changed. From now on each that is
    /// outdated means what `renewal` makes of it.
    void renew(UnaryOperator<PreparedStatement> renewal) {
        settled.replaceAll((_, statement) -> statement.isOutdated() ? renewal.apply(statement) : statement);
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
