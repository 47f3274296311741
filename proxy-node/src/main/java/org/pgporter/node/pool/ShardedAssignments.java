package org.pgporter.node.pool;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.ToIntFunction;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/// Who waits, what is idle and what is in use in a pool that is used from several event loops: one [Shard]
/// for each loop, and what passes between them. Without actors and without a clock of its own; times are
/// nanoseconds of one monotonic clock.
///
/// A request is served by an idle connection of its own shard, or else by one of a sibling's, and waits in
/// the line of its own shard when there is none. A connection that becomes free serves the line of its own
/// shard, unless somebody has waited clearly longer ([#margin]) in the line of a sibling, or nobody waits
/// in its own. A connection never changes its shard, nor does a request: they are only brought together.
///
/// Each shard has a lock, which its own loop takes and nearly nobody else, and shows two things without it:
/// since when the first in its line has waited, and whether it has an idle connection. What is shown is
/// written only when it changes, so loops that serve themselves do not disturb each other. No thread holds
/// two of the locks.
///
/// Nobody waits while a connection is idle: who lines up shows that first and then looks whether somebody
/// has an idle connection, and whoever has nothing to do for a connection shows it as idle first and then
/// looks whether somebody waits. Both are volatile, so at least one of the two sees the other, takes the
/// connection out, and serves with it.
///
/// Requests and connections that are used may come from all threads ([#acquire], [#free], [#withdraw],
/// [#overdue]); the rest, which says what connections there are, belongs to the pool alone.
final class ShardedAssignments<C, K, R> {
    /// What is done with what was decided. Called from all threads.
    interface Hands<C, R> {
        /// The connection serves the request from now on. Called with a lock held, so it must only pass it
        /// on.
        void lend(C connection, R request);

        /// A request that had been given a connection waits again, because the connection was gone.
        ///
        /// @param loop where it waits
        void waitsAgain(int loop);

        /// The sessions of this loop have used connections of other loops often of late.
        void borrowsOften(int loop);
    }

    /// Where a connection is at home.
    private static final class Place<C, K, R> {
        final Shard<C, K, R> shard;
        final long born;
        final long expires;
        private boolean gone;

        Place(Shard<C, K, R> shard, long born, long expires) {
            this.shard = shard;
            this.born = born;
            this.expires = expires;
        }

        /// Nobody lends a connection of which the pool has taken leave: the request would be lost.
        synchronized boolean lend(Hands<C, R> hands, C connection, R request) {
            if (!gone) {
                hands.lend(connection, request);
            }
            return !gone;
        }

        synchronized void gone() {
            gone = true;
        }
    }

    /// About as long as a loop is busy with other things before it comes to what has arrived.
    private static final long ONE_TURN = TimeUnit.MILLISECONDS.toNanos(2);

    private final Hands<C, R> hands;
    private final Map<C, Place<C, K, R>> places = new ConcurrentHashMap<>();
    private volatile List<Shard<C, K, R>> shards = List.of();
    private int opening;

    ShardedAssignments(Hands<C, R> hands) {
        this.hands = hands;
    }

    /// How much longer a request must have waited in another line to be served first. Crossing loops costs
    /// a wake-up, and lines on loops that are equally loaded differ by chance all the time, so a turn of
    /// the loop does not count; a sixteenth of the time that has been waited does not either, because then
    /// nobody feels it.
    ///
    /// @param waited how long the first in the connection's own line has waited
    static long margin(long waited) {
        return ONE_TURN + waited / 16;
    }

    /// The shard of a loop that has none yet.
    Shard<C, K, R> addShard(int loop) {
        Shard<C, K, R> shard = new Shard<>(loop, shards.size());
        List<Shard<C, K, R>> more = new ArrayList<>(shards);
        more.add(shard);
        shards = List.copyOf(more);
        return shard;
    }

    // ---- requests, from all threads

    /// Serves the request with an idle connection, or puts it into the line.
    ///
    /// @return whether nobody waits in this line
    boolean acquire(Shard<C, K, R> at, Assignments.Waiting<K, R> request) {
        for (C idle = at.takeOrEnqueue(request); idle != null; idle = at.takeOrEnqueue(request)) {
            if (lend(idle, request.request())) {
                return true;
            }
        }
        borrow(at, request.since());
        return at.waitingSince() == Long.MAX_VALUE;
    }

    /// Puts a request that had been served back to where it was: before everybody else.
    void acquireFirst(Shard<C, K, R> at, Assignments.Waiting<K, R> request, long now) {
        Optional<C> idle = at.change(own -> {
            own.enqueueFirst(request);
            return own.take();
        });
        idle.ifPresent(connection -> free(connection, now));
        borrow(at, now);
    }

    /// Takes the request out of this line.
    Optional<Assignments.Waiting<K, R>> withdraw(Shard<C, K, R> at, K key) {
        return at.change(own -> own.withdraw(key));
    }

    /// Takes the request out of whichever line it is in.
    Optional<Assignments.Waiting<K, R>> withdraw(K key) {
        return shards.stream().flatMap(shard -> withdraw(shard, key).stream()).findFirst();
    }

    /// Takes all requests of this line whose deadline has come out of it.
    List<Assignments.Waiting<K, R>> overdue(Shard<C, K, R> at, long now) {
        return at.change(own -> own.overdue(now));
    }

    Optional<Long> nextDeadline(Shard<C, K, R> at) {
        return at.change(Assignments::nextDeadline);
    }

    // ---- connections that become free, from all threads

    /// Whether the connection is older than it may become, or none of this pool any more.
    boolean expired(C connection, long now) {
        Place<C, K, R> place = places.get(connection);
        return place == null || now >= place.expires;
    }

    /// Serves whoever is next with the connection, or keeps it idle.
    void free(C connection, long now) {
        Place<C, K, R> place = places.get(connection);
        if (place == null) {
            return;
        }
        Shard<C, K, R> home = place.shard;
        while (true) {
            Shard<C, K, R> next = nextToServe(home, now);
            if (next == null) {
                if (staysIdle(home, connection, now)) {
                    return;
                }
                continue;
            }
            Optional<Assignments.Waiting<K, R>> first = next.next();
            if (first.isPresent()) {
                serve(place, connection, next, first.get(), now);
                return;
            }
        }
    }

    private void serve(
            Place<C, K, R> place, C connection, Shard<C, K, R> next, Assignments.Waiting<K, R> first, long now) {
        if (!place.lend(hands, connection, first.request())) {
            acquireFirst(next, first, now);
            hands.waitsAgain(next.loop());
            return;
        }
        if (next != place.shard && next.borrowsFrom(place.shard)) {
            hands.borrowsOften(next.loop());
        }
    }

    /// Whose first it is that a connection of `home` should serve; null when nobody waits.
    private @Nullable Shard<C, K, R> nextToServe(Shard<C, K, R> home, long now) {
        long own = home.waitingSince();
        if (own == Long.MAX_VALUE) {
            return longestWaiting();
        }
        // With many loops it would cost more to look at all of them each time than it brings: one after the other.
        Shard<C, K, R> sibling = home.nextSibling(shards);
        long other = sibling.waitingSince();
        return other != Long.MAX_VALUE && own - other > margin(now - own) ? sibling : home;
    }

    private @Nullable Shard<C, K, R> longestWaiting() {
        List<Shard<C, K, R>> all = shards;
        Shard<C, K, R> longest = null;
        long since = Long.MAX_VALUE;
        for (int i = 0; i < all.size(); i++) {
            long waiting = all.get(i).waitingSince();
            if (waiting < since) {
                longest = all.get(i);
                since = waiting;
            }
        }
        return longest;
    }

    /// @return false when it must be given to somebody
    private boolean staysIdle(Shard<C, K, R> home, C connection, long now) {
        if (!home.rests(connection, now)) {
            return false;
        }
        return longestWaiting() == null || !home.takeBack(connection);
    }

    /// Serves those who wait here with what is idle elsewhere.
    private void borrow(Shard<C, K, R> at, long now) {
        while (at.waitingSince() != Long.MAX_VALUE) {
            Shard<C, K, R> lender = withIdle(at);
            if (lender == null) {
                return;
            }
            lender.take().ifPresent(connection -> free(connection, now));
        }
    }

    private @Nullable Shard<C, K, R> withIdle(Shard<C, K, R> at) {
        List<Shard<C, K, R>> all = shards;
        for (int i = 1; i <= all.size(); i++) {
            Shard<C, K, R> sibling = all.get((at.position() + i) % all.size());
            if (sibling.hasIdle()) {
                return sibling;
            }
        }
        return null;
    }

    private boolean lend(C connection, R request) {
        Place<C, K, R> place = places.get(connection);
        return place != null && place.lend(hands, connection, request);
    }

    // ---- the line as a whole

    List<Assignments.Waiting<K, R>> everybodyWaiting() {
        return shards.stream()
                .flatMap(shard -> shard.change(Assignments::everybodyWaiting).stream())
                .toList();
    }

    /// When whoever has waited longest began to wait; [Long#MAX_VALUE] when nobody does.
    long waitingSince() {
        Shard<C, K, R> longest = longestWaiting();
        return longest == null ? Long.MAX_VALUE : longest.waitingSince();
    }

    int waitingCount() {
        return sum(Assignments::waitingCount);
    }

    // ---- connections come and go; the pool's own from here on

    void startedOpening(Shard<C, K, R> at) {
        at.change(own -> {
            own.startedOpening();
            return own;
        });
        opening++;
    }

    void openingFailed(Shard<C, K, R> at) {
        at.change(own -> {
            own.openingFailed();
            return own;
        });
        opening--;
    }

    /// Opened; it is in use until [#free].
    void opened(Shard<C, K, R> at, C connection, long now, long expires) {
        at.change(own -> {
            own.opened(connection, now, expires);
            return own;
        });
        opening--;
        places.put(connection, new Place<>(at, now, expires));
    }

    /// It has been told to close. It is counted until [#closed].
    void leaves(C connection) {
        home(connection).change(own -> {
            own.leaves(connection);
            return own;
        });
    }

    /// The connection is gone, and nobody will be lent it from now on.
    ///
    /// @return whether it was a member
    boolean closed(C connection) {
        Place<C, K, R> place = places.remove(connection);
        if (place == null) {
            return false;
        }
        place.gone();
        return place.shard.change(own -> own.closed(connection));
    }

    boolean isMember(C connection) {
        return places.containsKey(connection);
    }

    /// Takes out the connection that has been idle longest, to be closed. It is counted until [#closed].
    Optional<C> give() {
        return takeFrom(own -> own.leastRecentlyUsedSince(Long.MAX_VALUE), Assignments::give);
    }

    /// The same, of those of one shard.
    Optional<C> give(Shard<C, K, R> from) {
        return from.change(Assignments::give);
    }

    /// Takes out the idle connection that was used least recently of those that were open at `bornBefore`.
    Optional<C> takeLeastRecentlyUsed(long bornBefore) {
        return takeFrom(own -> own.leastRecentlyUsedSince(bornBefore), own -> own.takeLeastRecentlyUsed(bornBefore));
    }

    /// Takes from the shard where the value is least.
    private Optional<C> takeFrom(ToLongFunction<Assignments<C, K, R>> value, Shard.Change<C, K, R, Optional<C>> take) {
        while (true) {
            Shard<C, K, R> best = null;
            long least = Long.MAX_VALUE;
            for (Shard<C, K, R> shard : shards) {
                long here = shard.change(value::applyAsLong);
                if (here < least) {
                    best = shard;
                    least = here;
                }
            }
            Optional<C> taken = best == null ? Optional.empty() : best.change(take);
            if (best == null || taken.isPresent()) {
                return taken;
            }
        }
    }

    /// Undoes [#takeLeastRecentlyUsed]: idle as long as before, and first to go.
    ///
    /// @return false when somebody waits, whom it must serve instead
    boolean putBack(C connection) {
        if (waitingCount() > 0) {
            return false;
        }
        Shard<C, K, R> home = home(connection);
        home.change(own -> {
            own.putBack(connection);
            return own;
        });
        return longestWaiting() == null || !home.takeBack(connection);
    }

    /// Takes out idle connections that are too old, or idle for longer than `idleTimeout` (0: never) while
    /// more than `keep` are open in all. They are counted until [#closed].
    List<C> retire(long now, long idleTimeout, int keep) {
        List<C> retired = new ArrayList<>();
        for (Shard<C, K, R> shard : shards) {
            int others = open() - retired.size();
            retired.addAll(shard.change(own -> own.retire(now, idleTimeout, keep - (others - own.open()))));
        }
        return retired;
    }

    /// How many connections should be opened now so that everybody who waits gets one and `atLeast` are
    /// there, within `limit` connections and `parallel` openings.
    int wanted(int extra, int atLeast, int limit, int parallel) {
        int room = Math.min(limit - open() - opening, parallel - opening);
        if (room <= 0) {
            return 0; // without touching the lines of other loops
        }
        int forWaiters = waitingCount() + extra - opening;
        int forMinimum = atLeast - open() - opening;
        return Math.max(0, Math.min(Math.max(forWaiters, forMinimum), room));
    }

    /// Where the next connection should be opened: where most wait for one, or else where fewest are.
    ///
    /// @param ready where connections can be opened, at least one
    Shard<C, K, R> nextToOpen(List<Shard<C, K, R>> ready) {
        return Collections.max(
                ready,
                Comparator.<Shard<C, K, R>>comparingInt(
                                shard -> shard.change(own -> Math.max(0, own.waitingCount() - own.opening())))
                        .thenComparingInt(shard -> shard.change(own -> -own.open() - own.opening())));
    }

    /// Where connections live, the pool's own loop first.
    List<Shard<C, K, R>> shards() {
        return shards;
    }

    int open() {
        return places.size();
    }

    /// Open, and not told to close.
    int staying() {
        return sum(Assignments::staying);
    }

    int opening() {
        return opening;
    }

    long bornAt(C connection) {
        return place(connection).born;
    }

    /// Since when the connection has been idle; meaningless if it never was.
    long idleSince(C connection) {
        return home(connection).change(own -> own.idleSince(connection));
    }

    Iterable<C> connections() {
        return List.copyOf(places.keySet());
    }

    /// Where the connection lives.
    Shard<C, K, R> home(C connection) {
        return place(connection).shard;
    }

    private Place<C, K, R> place(C connection) {
        Place<C, K, R> place = places.get(connection);
        if (place == null) {
            throw new IllegalStateException("not a connection of this pool: " + connection);
        }
        return place;
    }

    private int sum(ToIntFunction<Assignments<C, K, R>> count) {
        int sum = 0;
        for (Shard<C, K, R> shard : shards) {
            sum += shard.change(count::applyAsInt);
        }
        return sum;
    }
}
