package org.pgporter.node.pool;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;
import org.pgporter.cluster.PoolKey;
import org.pgporter.cluster.limit.ConnectionPermit;
import org.pgporter.cluster.limit.ConnectionPermits;
import org.pgporter.node.backend.BackendConnection;

/// A pool's part in the cap of its database: what it has asked the [DatabaseCoordinator] for, what it has been
/// given, and what it must offer to others. A permit from here is a slot of the database and a permit of the fleet
/// in one.
///
/// Confined to its pool.
final class DatabaseShare implements ConnectionPermits {
    /// Where a pool finds its coordinator, and on which terms it takes part.
    ///
    /// @param guaranteed connections that are never offered
    /// @param minLifetime how old a connection must be to be offered, unless the other pool has less than its share
    record Terms(ActorRef<DatabaseCoordinator.Command> coordinator, int guaranteed, Duration minLifetime) {}

    /// What only the pool itself can do.
    interface Hands {
        /// Uses what was granted, or says that it is not wanted any more.
        void openWhatIsWanted();

        /// Serves the next client with the connection, or keeps it idle.
        void becameFree(ActorRef<BackendConnection.Command> connection);
    }

    /// Messages are not worth it for smaller differences in how long somebody has waited.
    private static final long NOTICEABLE = TimeUnit.MILLISECONDS.toNanos(50);

    private final Terms terms;
    private final ActorRef<DatabaseCoordinator.Reply> self;
    private final ConnectionPermits fleet;
    private final ShardedAssignments<ActorRef<BackendConnection.Command>, ?, ?> assignments;
    private final Hands hands;

    private long claims;
    private DatabaseSlots.@Nullable Claim claim;
    private int inHand;
    private DatabaseCoordinator.@Nullable Pressed pressed;
    private boolean unanswered;
    private boolean awaitsVerdict;
    private @Nullable ActorRef<BackendConnection.Command> offered;

    DatabaseShare(
            Terms terms,
            ActorRef<DatabaseCoordinator.Reply> self,
            ActorRef<?> pool,
            ConnectionPermits fleet,
            ShardedAssignments<ActorRef<BackendConnection.Command>, ?, ?> assignments,
            Hands hands) {
        this.terms = terms;
        this.self = self;
        this.fleet = fleet;
        this.assignments = assignments;
        this.hands = hands;
        terms.coordinator().tell(new DatabaseCoordinator.Enrol(self, terms.guaranteed(), pool));
    }

    // ---- slots for this pool

    /// Only with a slot that was granted before; [#claim] asks for it.
    @Override
    public Optional<ConnectionPermit> tryAcquire(PoolKey key, int limit) {
        if (inHand == 0) {
            return Optional.empty();
        }
        Optional<ConnectionPermit> permit = fleet.tryAcquire(key, limit);
        permit.ifPresent(_ -> inHand--);
        return permit.map(WithSlot::new);
    }

    private final class WithSlot implements ConnectionPermit {
        private final ConnectionPermit permit;
        private final AtomicBoolean released = new AtomicBoolean();

        private WithSlot(ConnectionPermit permit) {
            this.permit = permit;
        }

        @Override
        public void release() {
            if (released.compareAndSet(false, true)) {
                permit.release();
                terms.coordinator().tell(new DatabaseCoordinator.Release(self));
            }
        }
    }

    /// Whether the coordinator has been asked and has not answered.
    boolean claims() {
        return claim != null;
    }

    /// Says what is still wanted after everything at hand was opened.
    ///
    /// @param waiting for how many clients that wait
    /// @param wanted altogether, with those for the minimum
    /// @param since when the first of the clients began to wait
    void claim(int waiting, int wanted, long since) {
        if (inHand > 0) {
            // Not wanted any more; or the fleet says no, and asking again at once would only get the same slot.
            for (; inHand > 0; inHand--) {
                withdraw();
                terms.coordinator().tell(new DatabaseCoordinator.Release(self));
            }
            return;
        }
        if (wanted == 0) {
            withdraw();
            return;
        }
        DatabaseSlots.Claim before = claim;
        long number = before == null ? ++claims : before.number();
        if (before == null
                || before.waiting() != waiting > 0
                || (waiting > 0 && Math.abs(since - before.since()) >= NOTICEABLE)) {
            claim = new DatabaseSlots.Claim(number, waiting > 0, since);
            terms.coordinator().tell(new DatabaseCoordinator.ClaimSlot(self, claim));
        }
    }

    private void withdraw() {
        if (claim != null) {
            terms.coordinator().tell(new DatabaseCoordinator.WithdrawClaim(self, claim.number()));
            claim = null;
        }
    }

    void on(DatabaseCoordinator.Reply reply) {
        switch (reply) {
            case DatabaseCoordinator.Granted(long number) -> {
                inHand++;
                if (claim != null && claim.number() == number) {
                    claim = null;
                }
                hands.openWhatIsWanted();
            }
            case DatabaseCoordinator.Pressed now -> {
                pressed = now;
                unanswered = true;
                answer();
            }
            case DatabaseCoordinator.Relieved _ -> {
                pressed = null;
                unanswered = false;
            }
            case DatabaseCoordinator.Evict _ -> evict();
            case DatabaseCoordinator.Keep _ -> keep();
        }
    }

    // ---- slots for others

    /// Whether the connection that a lease has just left is held back, because somebody of another pool has waited
    /// longer than everybody here.
    boolean holdsBack(ActorRef<BackendConnection.Command> connection, long now) {
        DatabaseCoordinator.Pressed pressure = pressed;
        if (pressure == null || awaitsVerdict || assignments.waitingCount() == 0) {
            return false;
        }
        boolean othersFirst = assignments.waitingSince() > pressure.pressure().since();
        if (!othersFirst || !mayGive() || now - assignments.bornAt(connection) < floor(pressure)) {
            return false;
        }
        offer(pressure, connection, now);
        return true;
    }

    /// Whether the pool itself must decide on each connection that becomes free.
    boolean isPressed() {
        return pressed != null;
    }

    /// Something has become idle, or older.
    void offerWhatIsIdle() {
        DatabaseCoordinator.Pressed pressure = pressed;
        if (pressure != null && !awaitsVerdict && mayGive()) {
            assignments
                    .takeLeastRecentlyUsed(System.nanoTime() - floor(pressure))
                    .ifPresent(idle -> offer(pressure, idle, assignments.idleSince(idle)));
        }
    }

    /// The connection has closed by itself. If it was on offer, the verdict comes all the same.
    void closed(ActorRef<BackendConnection.Command> connection) {
        if (connection.equals(offered)) {
            offered = null;
        }
    }

    private void offer(DatabaseCoordinator.Pressed pressure, ActorRef<BackendConnection.Command> which, long since) {
        offered = which;
        awaitsVerdict = true;
        unanswered = false;
        terms.coordinator().tell(new DatabaseCoordinator.Offer(self, pressure.round(), since));
    }

    private void answer() {
        DatabaseCoordinator.Pressed pressure = pressed;
        if (pressure == null || !unanswered || awaitsVerdict) {
            return;
        }
        offerWhatIsIdle();
        if (unanswered) {
            unanswered = false;
            terms.coordinator().tell(new DatabaseCoordinator.NothingToOffer(self, pressure.round()));
        }
    }

    private void evict() {
        ActorRef<BackendConnection.Command> connection = offered;
        offered = null;
        awaitsVerdict = false;
        if (connection == null) {
            terms.coordinator().tell(new DatabaseCoordinator.NotEvicted(self));
        } else {
            assignments.leaves(connection);
            connection.tell(new BackendConnection.Evict("max_db_connections"));
        }
        unanswered = pressed != null;
        answer();
    }

    private void keep() {
        ActorRef<BackendConnection.Command> connection = offered;
        offered = null;
        awaitsVerdict = false;
        if (connection != null) {
            if (!assignments.putBack(connection)) {
                hands.becameFree(connection);
            }
        }
        answer();
    }

    private boolean mayGive() {
        return assignments.staying() > terms.guaranteed();
    }

    private long floor(DatabaseCoordinator.Pressed pressure) {
        return pressure.pressure().anyAge() ? 0 : terms.minLifetime().toNanos();
    }
}
