package org.pgporter.node.pool;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/// One event loop's part of [ShardedAssignments]: the line of the requests of its sessions, and the
/// connections that live on it. What is shown to everybody is written with the lock held.
final class Shard<C, K, R> {
    /// Connections of others that a shard uses before it asks for one more of its own; then it is not by
    /// chance.
    private static final int OFTEN = 32;

    private final int loop;
    private final int position;
    private final Assignments<C, K, R> assignments = new Assignments<>();
    /// Since when the first in the line has waited; [Long#MAX_VALUE] when nobody does.
    private volatile long waitingSince = Long.MAX_VALUE;
    private volatile boolean idle;
    /// Since [#takeTraffic], like `lent` and `served`.
    private final AtomicInteger borrowed = new AtomicInteger();
    private final AtomicInteger lent = new AtomicInteger();
    private long served;
    /// How far away the sibling is that was looked at last.
    private int turn;

    /// @param position among the shards of the pool
    Shard(int loop, int position) {
        this.loop = loop;
        this.position = position;
    }

    /// What a shard has done for others and others for it.
    ///
    /// @param borrowed requests of its line that were served by connections of others
    /// @param lent requests of others that were served by its connections
    /// @param served requests of its line altogether
    record Traffic(int borrowed, int lent, long served) {}

    interface Change<C, K, R, T> {
        T on(Assignments<C, K, R> assignments);
    }

    /// Does something with the assignments, and shows what has become of them. What it does must not come
    /// back to any shard.
    synchronized <T> T change(Change<C, K, R, T> change) {
        T result = change.on(assignments);
        show();
        return result;
    }

    // ---- what a query needs, without an object more than necessary

    /// An idle connection for the request; without one it goes to the end of the line.
    synchronized @Nullable C takeOrEnqueue(Assignments.Waiting<K, R> request) {
        Optional<C> connection = assignments.take();
        if (connection.isEmpty()) {
            assignments.enqueue(request);
        } else {
            served++;
        }
        show();
        return connection.orElse(null);
    }

    synchronized Optional<C> take() {
        Optional<C> connection = assignments.take();
        show();
        return connection;
    }

    /// Takes the connection out again that [#rests] had made idle.
    ///
    /// @return false if somebody has taken it meanwhile, or it has closed
    synchronized boolean takeBack(C connection) {
        boolean taken = assignments.take(connection);
        show();
        return taken;
    }

    synchronized Optional<Assignments.Waiting<K, R>> next() {
        Optional<Assignments.Waiting<K, R>> next = assignments.next();
        if (next.isPresent()) {
            served++;
        }
        show();
        return next;
    }

    /// Makes the connection idle, unless somebody waits here.
    ///
    /// @return whether there is nothing to do for it, as there is not if it has closed
    synchronized boolean rests(C connection, long now) {
        if (!assignments.isMember(connection)) {
            return true;
        }
        if (assignments.waitingCount() > 0) {
            return false;
        }
        assignments.idle(connection, now);
        show();
        return true;
    }

    private void show() {
        long since = assignments.waitingSince();
        if (since != waitingSince) {
            waitingSince = since;
        }
        boolean some = assignments.idleCount() > 0;
        if (some != idle) {
            idle = some;
        }
    }

    // ---- what is shown

    int loop() {
        return loop;
    }

    /// Since when the first in the line has waited; [Long#MAX_VALUE] when nobody does.
    long waitingSince() {
        return waitingSince;
    }

    boolean hasIdle() {
        return idle;
    }

    // ---- traffic between shards

    /// A request of this shard's line is served by a connection of `lender`.
    ///
    /// @return whether that happens often
    boolean borrowsFrom(Shard<C, K, R> lender) {
        lender.lent.incrementAndGet();
        return borrowed.incrementAndGet() % OFTEN == 0;
    }

    /// What has happened since this was asked last.
    synchronized Traffic takeTraffic() {
        Traffic traffic = new Traffic(borrowed.getAndSet(0), lent.getAndSet(0), served);
        served = 0;
        return traffic;
    }

    /// Each of its siblings in turn; itself if it has none.
    Shard<C, K, R> nextSibling(List<Shard<C, K, R>> all) {
        if (all.size() <= 2) {
            return all.get(all.size() - 1 - position);
        }
        synchronized (this) {
            turn = turn < all.size() - 1 ? turn + 1 : 1;
            return all.get((position + turn) % all.size());
        }
    }

    int position() {
        return position;
    }
}
