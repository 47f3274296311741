package org.pgporter.node.pool;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Who waits, what is idle, what is in use: the bookkeeping of one shard of a pool, without actors and without a
/// clock of its own. `C` identifies a connection, `K` a request and `R` is the request itself. Times are nanoseconds of
/// one monotonic clock.
///
/// The connection used last is used next, so that those at the other end grow old and can be closed. Whoever
/// waits longest is served first, and a connection that comes back goes straight to him: it is never idle in
/// between.
///
/// Mutable and not safe for threads: [ShardedAssignments] keeps one for each event loop, and guards it.
final class Assignments<C, K, R> {
    /// A request in the queue.
    ///
    /// @param deadline when it has waited long enough; [Long#MAX_VALUE] for never
    record Waiting<K, R>(K key, R request, long since, long deadline) {}

    private static final class Member {
        final long born;
        final long expires;
        long idleSince;
        boolean idle;
        boolean leaving;

        Member(long born, long expires) {
            this.born = born;
            this.expires = expires;
        }
    }

    private final Map<C, Member> members = new HashMap<>();
    private final ArrayDeque<C> idle = new ArrayDeque<>();
    private final LinkedHashMap<K, Waiting<K, R>> waiting = new LinkedHashMap<>();
    private int opening;
    private int leaving;

    /// An idle connection for a request, if there is one.
    Optional<C> take() {
        C connection = idle.pollLast();
        if (connection == null) {
            return Optional.empty();
        }
        member(connection).idle = false;
        return Optional.of(connection);
    }

    /// Takes out this one.
    ///
    /// @return whether it was idle
    boolean take(C connection) {
        Member member = members.get(connection);
        if (member == null || !member.idle) {
            return false;
        }
        member.idle = false;
        return idle.removeLastOccurrence(connection);
    }

    /// The connection that has been idle longest, to be closed. It is counted until [#closed].
    Optional<C> give() {
        C connection = idle.pollFirst();
        if (connection == null) {
            return Optional.empty();
        }
        member(connection).idle = false;
        leaves(connection);
        return Optional.of(connection);
    }

    void enqueue(Waiting<K, R> request) {
        waiting.put(request.key(), request);
    }

    /// Puts a request that had been served back where it was: before everybody else. It has waited longest, so
    /// its deadline is not later than that of whoever comes next.
    void enqueueFirst(Waiting<K, R> request) {
        long deadline =
                nextDeadline().map(next -> Math.min(next, request.deadline())).orElse(request.deadline());
        waiting.putFirst(request.key(), new Waiting<>(request.key(), request.request(), request.since(), deadline));
    }

    Optional<Waiting<K, R>> withdraw(K key) {
        return Optional.ofNullable(waiting.remove(key));
    }

    /// The request that has waited longest; it leaves the queue.
    Optional<Waiting<K, R>> next() {
        Map.Entry<K, Waiting<K, R>> first = waiting.pollFirstEntry();
        return first == null ? Optional.empty() : Optional.of(first.getValue());
    }

    /// Takes all requests whose deadline has come out of the queue.
    List<Waiting<K, R>> overdue(long now) {
        List<Waiting<K, R>> overdue = new ArrayList<>();
        Iterator<Waiting<K, R>> each = waiting.values().iterator();
        while (each.hasNext()) {
            Waiting<K, R> request = each.next();
            if (request.deadline() > now) {
                break; // the queue is in the order of the deadlines
            }
            overdue.add(request);
            each.remove();
        }
        return overdue;
    }

    List<Waiting<K, R>> everybodyWaiting() {
        List<Waiting<K, R>> all = List.copyOf(waiting.values());
        waiting.clear();
        return all;
    }

    Optional<Long> nextDeadline() {
        return waiting.isEmpty()
                ? Optional.empty()
                : Optional.of(waiting.firstEntry().getValue().deadline());
    }

    void startedOpening() {
        opening++;
    }

    void openingFailed() {
        opening--;
    }

    /// Opened; it is in use until [#returned].
    void opened(C connection, long now, long expires) {
        opening--;
        members.put(connection, new Member(now, expires));
    }

    /// Whether the connection is older than it may become.
    boolean expired(C connection, long now) {
        return now >= member(connection).expires;
    }

    /// Nobody waits for it: it is idle.
    void idle(C connection, long now) {
        Member member = member(connection);
        member.idle = true;
        member.idleSince = now;
        idle.addLast(connection);
    }

    /// Takes out the idle connection that was used least recently of those that were open at `bornBefore`.
    Optional<C> takeLeastRecentlyUsed(long bornBefore) {
        Iterator<C> oldestFirst = idle.iterator();
        while (oldestFirst.hasNext()) {
            C connection = oldestFirst.next();
            Member member = member(connection);
            if (member.born <= bornBefore) {
                oldestFirst.remove();
                member.idle = false;
                return Optional.of(connection);
            }
        }
        return Optional.empty();
    }

    /// Since when the connection has been idle that [#takeLeastRecentlyUsed] would take out; [Long#MAX_VALUE] when
    /// there is none.
    long leastRecentlyUsedSince(long bornBefore) {
        for (C connection : idle) {
            Member member = member(connection);
            if (member.born <= bornBefore) {
                return member.idleSince;
            }
        }
        return Long.MAX_VALUE;
    }

    /// Undoes [#takeLeastRecentlyUsed]: idle as long as before, and first to go.
    void putBack(C connection) {
        member(connection).idle = true;
        idle.addFirst(connection);
    }

    /// It has been told to close. It is counted until [#closed].
    void leaves(C connection) {
        Member member = member(connection);
        if (!member.leaving) {
            member.leaving = true;
            leaving++;
        }
    }

    /// @return whether it was a member
    boolean closed(C connection) {
        Member member = members.remove(connection);
        if (member != null && member.leaving) {
            leaving--;
        }
        if (member != null && member.idle) {
            idle.remove(connection);
        }
        return member != null;
    }

    boolean isMember(C connection) {
        return members.containsKey(connection);
    }

    /// Takes out idle connections that are too old, or idle for longer than `idleTimeout` (0: never) while more
    /// than `keep` are open. They are counted until [#closed].
    List<C> retire(long now, long idleTimeout, int keep) {
        List<C> retired = new ArrayList<>();
        Iterator<C> oldestFirst = idle.iterator();
        while (oldestFirst.hasNext()) {
            C connection = oldestFirst.next();
            Member member = member(connection);
            boolean idleTooLong =
                    idleTimeout > 0 && now - member.idleSince >= idleTimeout && members.size() - retired.size() > keep;
            if (now >= member.expires || idleTooLong) {
                oldestFirst.remove();
                member.idle = false;
                leaves(connection);
                retired.add(connection);
            }
        }
        return retired;
    }

    /// How many connections should be opened now so that everybody who waits gets one and `atLeast` are there,
    /// within `limit` connections and `parallel` openings.
    int wanted(int extra, int atLeast, int limit, int parallel) {
        int forWaiters = waiting.size() + extra - opening;
        int forMinimum = atLeast - members.size() - opening;
        int room = limit - members.size() - opening;
        return Math.max(0, Math.min(Math.max(forWaiters, forMinimum), Math.min(room, parallel - opening)));
    }

    int open() {
        return members.size();
    }

    /// Open, and not told to close.
    int staying() {
        return members.size() - leaving;
    }

    int opening() {
        return opening;
    }

    long bornAt(C connection) {
        return member(connection).born;
    }

    /// Since when the connection has been idle; meaningless if it never was.
    long idleSince(C connection) {
        return member(connection).idleSince;
    }

    /// When whoever is first in the line began to wait; [Long#MAX_VALUE] when nobody does.
    long waitingSince() {
        return waiting.isEmpty()
                ? Long.MAX_VALUE
                : waiting.firstEntry().getValue().since();
    }

    int idleCount() {
        return idle.size();
    }

    int waitingCount() {
        return waiting.size();
    }

    Iterable<C> connections() {
        return List.copyOf(members.keySet());
    }

    private Member member(C connection) {
        Member member = members.get(connection);
        if (member == null) {
            throw new IllegalStateException("not a connection of this pool: " + connection);
        }
        return member;
    }
}
