package org.pgporter.node.session;

import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.pgporter.node.backend.PreparedStatement;

/// What a client's names for prepared statements mean; the empty name is the unnamed statement.
///
/// A Parse or Close counts at once for what follows it in the pipeline, but is only final when the server has
/// answered: what the server refuses or skips after an error is taken back ([#settle]). So changes wait in
/// line, in the order in which they were sent, and each answer settles the oldest.
///
/// Behind a Sync even that does not hold: there a change that has not been answered may or may not have happened
/// ([#inDoubt]).
final class StatementNames {
    /// @param names which names change; null: all of them
    /// @param statement what they mean from now on; null: nothing
    /// @param cycle in which it was sent
    private record Change(
            @Nullable List<String> names, @Nullable PreparedStatement statement, long number, long cycle) {}

    private final Map<String, PreparedStatement> settled = new HashMap<>();
    private final ArrayDeque<Change> pending = new ArrayDeque<>(1);
    /// The newest pending change of each name: a pipeline may have any number of them.
    private final Map<String, Change> newest = new HashMap<>();
    private @Nullable Change newestOfAll;
    private long cycle;
    private long number;

    Optional<PreparedStatement> get(String name) {
        Change change = pendingFor(name);
        return Optional.ofNullable(change == null ? settled.get(name) : change.statement());
    }

    private @Nullable Change pendingFor(String name) {
        Change own = newest.get(name);
        Change all = name.isEmpty() ? null : newestOfAll;
        return own == null || all != null && all.number() > own.number() ? all : own;
    }

    /// Whether nobody can say what the name means to the server when it reads what is sent now.
    boolean inDoubt(String name) {
        Change change = pendingFor(name);
        return change != null && change.cycle() != cycle;
    }

    /// Whether a change has not been answered yet.
    boolean anythingPending() {
        return !pending.isEmpty();
    }

    /// What follows is read even if something before it fails: a Sync or a Query has been sent.
    void cycleEnded() {
        cycle++;
    }

    void parsed(String name, PreparedStatement statement) {
        changes(List.of(name), statement);
    }

    void closed(String name) {
        changes(List.of(name), null);
    }

    /// DEALLOCATE of these.
    void deallocated(List<String> names) {
        changes(names, null);
    }

    /// DEALLOCATE ALL or DISCARD ALL.
    void allDeallocated() {
        Change change = new Change(null, null, ++number, cycle);
        pending.add(change);
        newestOfAll = change;
    }

    private void changes(List<String> names, @Nullable PreparedStatement statement) {
        Change change = new Change(names, statement, ++number, cycle);
        pending.add(change);
        names.forEach(name -> newest.put(name, change));
    }

    /// The oldest change has been answered.
    ///
    /// @param confirmed whether it happened
    void settle(boolean confirmed) {
        Change change = removeOldest();
        if (!confirmed) {
            return;
        }
        List<String> names = change.names();
        PreparedStatement statement = change.statement();
        if (names == null) {
            allGone();
        } else if (statement == null) {
            names.forEach(settled::remove);
        } else {
            names.forEach(name -> settled.put(name, statement));
        }
    }

    /// The server has read the oldest change and refused it. A Parse of the unnamed statement destroys the one
    /// before it all the same (`exec_parse_message` in PostgreSQL's `postgres.c`).
    void refused() {
        Change change = removeOldest();
        if (change.statement() != null && List.of("").equals(change.names())) {
            settled.remove("");
        }
    }

    private Change removeOldest() {
        Change change = pending.remove();
        List<String> names = change.names();
        if (names != null) {
            names.forEach(name -> newest.remove(name, change));
        } else if (newestOfAll == change) {
            newestOfAll = null;
        }
        return change;
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
        settled.keySet().removeIf(name -> !name.isEmpty()); // PostgreSQL keeps the unnamed statement
    }

    /// The client has been told that the table under one of its statements has changed. From now on each that is
    /// outdated means what `renewal` makes of it.
    void renew(UnaryOperator<PreparedStatement> renewal) {
        settled.replaceAll((_, statement) -> statement.isOutdated() ? renewal.apply(statement) : statement);
    }

    /// Nothing that was sent will be answered any more.
    void dropPending() {
        pending.clear();
        newest.clear();
        newestOfAll = null;
    }

    boolean isEmpty() {
        return settled.isEmpty() && pending.isEmpty();
    }

    int count() {
        return settled.size();
    }
}
