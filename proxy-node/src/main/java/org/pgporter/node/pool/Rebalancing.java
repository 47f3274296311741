package org.pgporter.node.pool;

import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// On which loops connections should be opened that nobody waits for, because sessions there use those of
/// other loops all the time. While there is room that is one connection at a time; when the pool is full,
/// one in each round of housekeeping closes where others use it and is opened where they are. Confined to
/// its pool.
final class Rebalancing<C, K, R> {
    /// A connection of one loop is to be closed, so that another loop may open one.
    private record Move<C, K, R>(Shard<C, K, R> from, Shard<C, K, R> to) {}

    /// Connections borrowed in a round of housekeeping; less is not worth a login.
    private static final int WORTH_MOVING = 32;

    private final ShardedAssignments<C, K, R> assignments;
    private final LinkedHashSet<Shard<C, K, R>> growing = new LinkedHashSet<>();
    private final Map<C, Shard<C, K, R>> leavingFor = new HashMap<>();
    private @Nullable Move<C, K, R> move;

    Rebalancing(ShardedAssignments<C, K, R> assignments) {
        this.assignments = assignments;
    }

    /// The sessions of this loop borrow often.
    void grows(Shard<C, K, R> shard) {
        growing.add(shard);
    }

    /// How many connections are wanted for that.
    int wanted() {
        return growing.size();
    }

    /// Where to open the next of them.
    Optional<Shard<C, K, R>> next() {
        return Optional.ofNullable(growing.isEmpty() ? null : growing.removeFirst());
    }

    /// Forgets what could not be done, and looks whether a connection should move.
    ///
    /// @param full no more can be opened
    void look(boolean full) {
        growing.clear();
        Optional<Move<C, K, R>> imbalance = imbalance();
        move = full && leavingFor.isEmpty() ? imbalance.orElse(null) : null;
    }

    /// Whether a connection that becomes free may have to be closed.
    boolean isMoving() {
        return move != null;
    }

    /// An idle connection that must be closed for another loop.
    Optional<C> takeIdle() {
        Move<C, K, R> now = move;
        Optional<C> taken = now == null ? Optional.empty() : assignments.give(now.from());
        taken.ifPresent(this::leavesFor);
        return taken;
    }

    /// Whether this connection, which is free, must be closed for another loop.
    boolean takes(C connection) {
        Move<C, K, R> now = move;
        if (now == null || assignments.home(connection) != now.from()) {
            return false;
        }
        assignments.leaves(connection);
        leavesFor(connection);
        return true;
    }

    private void leavesFor(C connection) {
        if (move != null) {
            leavingFor.put(connection, move.to());
        }
        move = null;
    }

    /// The connection has closed; says where one should be opened in its place.
    Optional<Shard<C, K, R>> closed(C connection) {
        return Optional.ofNullable(leavingFor.remove(connection));
    }

    /// One loop uses so many connections of others as a connection serves, and another lends as many and
    /// uses none.
    private Optional<Move<C, K, R>> imbalance() {
        Shard<C, K, R> lender = null;
        Shard<C, K, R> borrower = null;
        long mostLent = 0;
        long mostBorrowed = 0;
        long served = 0;
        for (Shard<C, K, R> shard : assignments.shards()) {
            Shard.Traffic traffic = shard.takeTraffic();
            served += traffic.served();
            long borrowed = (long) traffic.borrowed() - traffic.lent();
            if (borrowed > mostBorrowed) {
                mostBorrowed = borrowed;
                borrower = shard;
            }
            if (-borrowed > mostLent) {
                mostLent = -borrowed;
                lender = shard;
            }
        }
        long worth = Math.max(WORTH_MOVING, served / Math.max(1, assignments.open()));
        return lender != null && borrower != null && Math.min(mostLent, mostBorrowed) >= worth
                ? Optional.of(new Move<>(lender, borrower))
                : Optional.empty();
    }
}
