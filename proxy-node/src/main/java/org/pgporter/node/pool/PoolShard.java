package org.pgporter.node.pool;

import java.util.Optional;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.pgporter.node.backend.BackendConnection;
import org.pgporter.node.backend.LeaseId;
import org.pgporter.node.backend.OwnerMessage;

/// Stands for a [Pool] on an event loop that is not the pool's own: for the sessions there it is the pool,
/// and for the backend connections there it is the owner. Lending and taking back it does itself, without a
/// word to the pool, on the assignments that they share; everything else, which is rare, it passes on.
final class PoolShard extends AbstractBehavior<OwnerMessage> {
    private final PoolPlan plan;
    private final ActorRef<OwnerMessage> pool;
    private final PoolWishes wishes;
    private final ShardedAssignments<ActorRef<BackendConnection.Command>, LeaseId, Pool.Acquire> assignments;
    private final Shard<ActorRef<BackendConnection.Command>, LeaseId, Pool.Acquire> shard;
    private final LineDeadlines deadlines;

    private PoolShard(
            ActorContext<OwnerMessage> context,
            TimerScheduler<OwnerMessage> timers,
            PoolPlan plan,
            ActorRef<OwnerMessage> pool,
            PoolWishes wishes,
            ShardedAssignments<ActorRef<BackendConnection.Command>, LeaseId, Pool.Acquire> assignments,
            Shard<ActorRef<BackendConnection.Command>, LeaseId, Pool.Acquire> shard) {
        super(context);
        this.plan = plan;
        this.pool = pool;
        this.wishes = wishes;
        this.assignments = assignments;
        this.shard = shard;
        this.deadlines = new LineDeadlines(timers, assignments, shard);
        pool.tell(new Pool.ShardReady(
                shard, context.getSelf().narrow(), context.getSelf().narrow()));
    }

    /// Must run on the dispatcher of the shard's event loop. Says [Pool.ShardReady].
    static Behavior<OwnerMessage> create(
            PoolPlan plan,
            ActorRef<OwnerMessage> pool,
            PoolWishes wishes,
            ShardedAssignments<ActorRef<BackendConnection.Command>, LeaseId, Pool.Acquire> assignments,
            Shard<ActorRef<BackendConnection.Command>, LeaseId, Pool.Acquire> shard) {
        return Behaviors.setup(context ->
                Behaviors.withTimers(timers -> new PoolShard(context, timers, plan, pool, wishes, assignments, shard)));
    }

    @Override
    public Receive<OwnerMessage> createReceive() {
        return newReceiveBuilder().onAnyMessage(this::onCommand).build();
    }

    private Behavior<OwnerMessage> onCommand(OwnerMessage command) {
        switch (command) {
            case Pool.Acquire acquire -> onAcquire(acquire);
            case BackendConnection.Available(var connection) -> onAvailable(connection);
            case Pool.Withdraw withdraw -> onWithdraw(withdraw);
            case Pool.DeadlinePassed _ -> deadlines.passed().forEach(overdue -> pool.tell(new Pool.GivesUp(overdue)));
            default -> pool.tell(command);
        }
        return this;
    }

    private void onAcquire(Pool.Acquire acquire) {
        if (assignments.acquire(shard, plan.waiting(acquire.lease(), acquire, System.nanoTime()))) {
            return;
        }
        if (plan.queryWaitTimeout().isZero()) {
            // Whether a connection is opened for it, or it is refused, is the pool's to say.
            assignments.withdraw(shard, acquire.lease()).ifPresent(waiting -> pool.tell(waiting.request()));
            return;
        }
        deadlines.watch();
        lineChanged();
    }

    private void onWithdraw(Pool.Withdraw withdraw) {
        Optional<Assignments.Waiting<LeaseId, Pool.Acquire>> waiting = assignments.withdraw(shard, withdraw.lease());
        if (waiting.isPresent()) {
            Pool.unserved(waiting.get().request(), withdraw.reason());
            lineChanged();
        } else {
            pool.tell(withdraw); // it may be on its way there
        }
    }

    private void lineChanged() {
        if (wishes.tell()) {
            pool.tell(new Pool.LineChanged());
        }
    }

    private void onAvailable(ActorRef<BackendConnection.Command> connection) {
        long now = System.nanoTime();
        if (wishes.whatIsFree() || assignments.expired(connection, now)) {
            pool.tell(new BackendConnection.Available(connection));
            return;
        }
        assignments.free(connection, now);
        if (wishes.whatIsFree()) {
            pool.tell(new Pool.SomethingIsFree());
        }
    }
}
