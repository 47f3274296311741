package org.pgporter.node.pool;

import java.time.Duration;
import java.util.List;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.pgporter.config.DatabaseLimits;

/// Keeps all pools of one database on this node below `max_db_connections`, and fair to each other. Pools of a
/// database without that cap never hear of a coordinator; the others talk to it only when they open or close a
/// connection, or when clients wait although every slot is taken. The rules are in [DatabaseSlots].
///
/// Pools live on different event loops, so what they say can cross what they are told: claims have numbers, pressure
/// has rounds, and a slot that came too late is given back.
public final class DatabaseCoordinator extends AbstractBehavior<DatabaseCoordinator.Command> {
    public sealed interface Command {}

    /// What a pool says that takes part.
    private sealed interface FromPool extends Command {
        ActorRef<Reply> pool();
    }

    /// A pool takes part. Once, before anything else that it says.
    ///
    /// @param lifetime ends when the pool ends
    record Enrol(ActorRef<Reply> pool, int guaranteed, ActorRef<?> lifetime) implements Command {}

    /// Asks for one slot. Said again with the same number when something has changed.
    record ClaimSlot(ActorRef<Reply> pool, DatabaseSlots.Claim claim) implements FromPool {}

    /// The claim is not wanted any more; it may have been granted meanwhile.
    record WithdrawClaim(ActorRef<Reply> pool, long claim) implements FromPool {}

    /// Gives a slot back: its connection has closed, or there will be none.
    record Release(ActorRef<Reply> pool) implements FromPool {}

    /// Under pressure: this connection may go. The pool holds it back until it hears [Evict] or [Keep].
    record Offer(ActorRef<Reply> pool, long round, long idleSince) implements FromPool {}

    record NothingToOffer(ActorRef<Reply> pool, long round) implements FromPool {}

    /// What was offered has closed by itself meanwhile.
    record NotEvicted(ActorRef<Reply> pool) implements FromPool {}

    private record ReserveDue() implements Command {}

    private record Ended(ActorRef<Reply> pool) implements Command {}

    /// What a pool hears.
    sealed interface Reply {}

    record Granted(long claim) implements Reply {}

    /// Somebody else's client waits for a slot: answered with [Offer] or [NothingToOffer], and what becomes free
    /// later is offered, too, until [Relieved].
    record Pressed(long round, DatabaseSlots.Pressure pressure) implements Reply {}

    record Relieved() implements Reply {}

    record Evict() implements Reply {}

    record Keep() implements Reply {}

    private final TimerScheduler<Command> timers;
    private final DatabaseSlots<ActorRef<Reply>> slots;

    private DatabaseCoordinator(ActorContext<Command> context, TimerScheduler<Command> timers, DatabaseLimits limits) {
        super(context);
        this.timers = timers;
        this.slots = new DatabaseSlots<>(
                limits.maxDbConnections(),
                limits.reservePoolSize(),
                limits.reservePoolTimeout().toNanos());
    }

    /// @param limits with a cap
    public static Behavior<Command> create(DatabaseLimits limits) {
        return Behaviors.setup(
                context -> Behaviors.withTimers(timers -> new DatabaseCoordinator(context, timers, limits)));
    }

    @Override
    public Receive<Command> createReceive() {
        return newReceiveBuilder().onAnyMessage(this::onCommand).build();
    }

    private Behavior<Command> onCommand(Command command) {
        long now = System.nanoTime();
        List<DatabaseSlots.Decision<ActorRef<Reply>>> decisions = decide(command, now);
        decisions.forEach(DatabaseCoordinator::tell);
        watchReserve(now);
        return this;
    }

    private List<DatabaseSlots.Decision<ActorRef<Reply>>> decide(Command command, long now) {
        return switch (command) {
            case Enrol(var pool, int guaranteed, var lifetime) -> {
                slots.enrol(pool, guaranteed);
                getContext().watchWith(lifetime, new Ended(pool));
                yield List.of();
            }
            // The end of a pool may overtake what it said last.
            case FromPool from when !slots.knows(from.pool()) -> List.of();
            case ClaimSlot(var pool, var claim) -> slots.claim(pool, claim, now);
            case WithdrawClaim(var pool, long claim) -> slots.withdraw(pool, claim, now);
            case Release(var pool) -> slots.released(pool, now);
            case Offer(var pool, long round, long idleSince) -> slots.offered(pool, round, idleSince, now);
            case NothingToOffer(var pool, long round) -> slots.nothingToOffer(pool, round, now);
            case NotEvicted(var pool) -> slots.notEvicted(pool, now);
            case ReserveDue _ -> slots.timePassed(now);
            case Ended(var pool) -> slots.ended(pool, now);
        };
    }

    private static void tell(DatabaseSlots.Decision<ActorRef<Reply>> decision) {
        Reply reply = switch (decision) {
            case DatabaseSlots.Grant(var _, long claim) -> new Granted(claim);
            case DatabaseSlots.Press(var _, long round, var pressure) -> new Pressed(round, pressure);
            case DatabaseSlots.Relieve(var _) -> new Relieved();
            case DatabaseSlots.Evict(var _) -> new Evict();
            case DatabaseSlots.Keep(var _) -> new Keep();
        };
        decision.pool().tell(reply);
    }

    private void watchReserve(long now) {
        slots.nextDue()
                .ifPresentOrElse(
                        due -> timers.startSingleTimer(new ReserveDue(), Duration.ofNanos(Math.max(0, due - now))),
                        () -> timers.cancel(new ReserveDue()));
    }
}
