package org.pgporter.node.backend;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Which statements one backend knows, most recently used last.
///
/// A statement counts as known from the moment its Parse is sent, so that what follows in the same cycle need not
/// send it again: if that Parse fails, the server skips what follows. Behind the cycle's Sync this does not hold.
/// There a statement whose Parse has not been answered is in doubt ([#inDoubt]): it may have been skipped, and
/// it may be there. A named one is then closed before it is sent again; closing what is not there is no error.
///
/// Eviction happens only between leases ([#evictable()]), so it never takes a statement away from a batch in
/// flight; within a lease the number may exceed the capacity.
final class PreparedOnBackend implements RepliesOwed.StatementEvents {
    /// What is known of one statement.
    private static final class Entry {
        final PreparedStatement statement;
        int unanswered; // Parse messages on their way
        long cycle; // in which the last of them was sent
        boolean confirmed;
        boolean sentAgain;

        @Nullable
        String clientName;

        Entry(PreparedStatement statement) {
            this.statement = statement;
        }
    }

    private final int capacity;
    private final LinkedHashMap<PreparedStatement, Entry> known = new LinkedHashMap<>(16, 0.75f, true);
    private final ArrayDeque<Entry> inFlight = new ArrayDeque<>();
    private final ArrayDeque<PreparedStatement> describing = new ArrayDeque<>();
    private @Nullable Entry unnamed;
    private long cycle = 1;

    /// `capacity` is how many named statements stay on the backend between leases.
    PreparedOnBackend(int capacity) {
        this.capacity = capacity;
    }

    /// Whether the backend knows the statement when it reads what is sent next; a named one counts as used.
    boolean knows(PreparedStatement statement) {
        return find(statement)
                .filter(entry -> entry.confirmed || entry.unanswered > 0 && entry.cycle == cycle)
                .isPresent();
    }

    /// Whether nobody can say if the backend knows the named statement, so that it must be closed first.
    boolean inDoubt(PreparedStatement statement) {
        return statement.isNamed() && find(statement).isPresent() && !knows(statement);
    }

    private Optional<Entry> find(PreparedStatement statement) {
        Entry entry = statement.isNamed() ? known.get(statement) : unnamed;
        return Optional.ofNullable(entry).filter(found -> found.statement.equals(statement));
    }

    /// A named statement goes into a Bind, in place of this name of the client.
    void bound(PreparedStatement statement, String clientName) {
        find(statement).ifPresent(entry -> entry.clientName = clientName);
    }

    /// How the client called the statement of this name on the backend when it last bound it.
    Optional<String> clientNameOf(String serverName) {
        return known.values().stream()
                .filter(entry -> entry.statement.serverName().equals(serverName))
                .findFirst()
                .flatMap(entry -> Optional.ofNullable(entry.clientName));
    }

    /// Its Parse goes out now.
    void parseSent(PreparedStatement statement) {
        Entry entry;
        if (statement.isNamed()) {
            entry = known.computeIfAbsent(statement, Entry::new);
            entry.sentAgain |= entry.cycle > 0;
        } else {
            entry = new Entry(statement);
            unnamed = entry;
        }
        entry.confirmed = false;
        entry.cycle = cycle;
        entry.unanswered++;
        inFlight.add(entry);
    }

    /// A Sync goes out: what comes behind it is read even if something before it fails.
    void cycleEnded() {
        cycle++;
    }

    @Override
    public void prepared() {
        Entry entry = inFlight.remove();
        entry.unanswered--;
        entry.confirmed = true;
        entry.statement.accepted();
    }

    @Override
    public void notPrepared() {
        Entry entry = inFlight.remove();
        entry.unanswered--;
        if (entry == unnamed) {
            unnamed = null;
        } else if (entry.sentAgain) {
            entry.confirmed = false; // Was the Close before it skipped, too? The next user closes it once more.
        } else {
            known.remove(entry.statement, entry);
        }
    }

    /// A Describe of the statement goes out whose answer is to be looked at.
    void describeSent(PreparedStatement statement) {
        describing.add(statement);
    }

    /// The statement that the server describes next.
    PreparedStatement described() {
        return describing.element();
    }

    @Override
    public void describeEnded() {
        describing.remove();
    }

    /// The backend has planned the statement for other rows than its clients know.
    void outdated(PreparedStatement statement) {
        statement.outdated();
        Entry entry = known.get(statement);
        if (entry != null) {
            doubt(entry);
        }
    }

    private static void doubt(Entry entry) {
        entry.confirmed = false;
        entry.sentAgain = true;
        entry.cycle = 0;
    }

    /// The backend's unnamed statement is gone: a simple Query destroys it.
    void unnamedGone() {
        unnamed = null;
    }

    /// The backend has forgotten everything (DISCARD ALL, DEALLOCATE ALL) but what was sent after that.
    void allGone() {
        known.values().removeIf(entry -> entry.unanswered == 0);
        Entry last = unnamed;
        if (last != null && last.unanswered == 0) {
            unnamed = null;
        }
    }

    /// A DISCARD ALL or DEALLOCATE ALL is on its way: for what is sent behind it nobody can say what is still there.
    void allInDoubt() {
        known.values().forEach(PreparedOnBackend::doubt);
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
