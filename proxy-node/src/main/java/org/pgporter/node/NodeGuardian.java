package org.pgporter.node;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.pgporter.node.pool.PoolRegistry;
import org.pgporter.node.session.SessionServices;
import org.pgporter.node.session.Sessions;

/// The root of a node's actors.
///
/// ```
///  serving ── Drain ──► draining ── every session has ended ────────────► stopped
///     │                     │ the deadline has come, or Stop                ▲
///     │ Stop                ▼                                                │
///     └─────────────────► killing ── every session has ended, or a moment ──┘
/// ```
final class NodeGuardian {
    sealed interface Command {}

    /// @param replyTo told who takes accepted sockets, one for each loop
    record Open(ActorRef<Opened> replyTo) implements Command {}

    record Drain(Duration deadline) implements Command {}

    record Stop() implements Command {}

    private record LoopEmpty(int loop) implements Command {}

    private record DeadlineReached() implements Command {}

    record Opened(List<ActorRef<Sessions.Command>> sessions) {}

    /// How long sessions may take to say their last words when they are ended at once.
    private static final Duration LAST_WORDS = Duration.ofSeconds(2);

    private final ActorContext<Command> context;
    private final TimerScheduler<Command> timers;
    private final List<ActorRef<Sessions.Command>> sessions = new ArrayList<>();
    private final Set<Integer> emptyLoops = new HashSet<>();

    private NodeGuardian(
            ActorContext<Command> context,
            TimerScheduler<Command> timers,
            Behavior<PoolRegistry.Command> registry,
            Function<ActorRef<PoolRegistry.Command>, SessionServices> services) {
        this.context = context;
        this.timers = timers;
        context.spawn(ByteReclaimer.create(), "byte-reclaimer");
        ActorRef<PoolRegistry.Command> pools = context.spawn(registry, "pools");
        SessionServices shared = services.apply(pools);
        for (int loop = 0; loop < shared.loops().count(); loop++) {
            sessions.add(context.spawn(
                    Sessions.create(shared),
                    "sessions-" + loop,
                    DispatcherSelector.fromConfig(shared.loops().dispatcher(loop))));
        }
        shared.config()
                .pools()
                .forEach((database, pool) -> pool.users()
                        .forEach(user -> shared.config()
                                .settings(database, user.username())
                                .filter(settings -> settings.options().minPoolSize() > 0)
                                .ifPresent(settings -> pools.tell(new PoolRegistry.Prepare(settings)))));
    }

    static Behavior<Command> create(
            Behavior<PoolRegistry.Command> registry,
            Function<ActorRef<PoolRegistry.Command>, SessionServices> services) {
        return Behaviors.setup(context ->
                Behaviors.withTimers(timers -> new NodeGuardian(context, timers, registry, services).serving()));
    }

    private Behavior<Command> serving() {
        return Behaviors.receiveMessage(command -> switch (command) {
            case Open(var replyTo) -> {
                replyTo.tell(new Opened(List.copyOf(sessions)));
                yield Behaviors.same();
            }
            case Drain(var deadline) -> drain(deadline);
            case Stop _ -> kill();
            case LoopEmpty _, DeadlineReached _ -> Behaviors.same();
        });
    }

    private Behavior<Command> drain(Duration deadline) {
        timers.startSingleTimer(new DeadlineReached(), deadline);
        for (int loop = 0; loop < sessions.size(); loop++) {
            int index = loop;
            sessions.get(loop).tell(new Sessions.DrainAll(context.spawnAnonymous(Behaviors.receiveMessage(_ -> {
                context.getSelf().tell(new LoopEmpty(index));
                return Behaviors.same();
            }))));
        }
        return Behaviors.receiveMessage(command -> switch (command) {
            case LoopEmpty(var loop) -> whenAllEmpty(loop);
            case DeadlineReached _, Stop _ -> kill();
            case Drain _, Open _ -> Behaviors.same();
        });
    }

    private Behavior<Command> kill() {
        timers.startSingleTimer(new DeadlineReached(), LAST_WORDS);
        emptyLoops.clear();
        for (int loop = 0; loop < sessions.size(); loop++) {
            int index = loop;
            sessions.get(loop).tell(new Sessions.KillAll());
            sessions.get(loop).tell(new Sessions.DrainAll(context.spawnAnonymous(Behaviors.receiveMessage(_ -> {
                context.getSelf().tell(new LoopEmpty(index));
                return Behaviors.same();
            }))));
        }
        return Behaviors.receiveMessage(command -> switch (command) {
            case LoopEmpty(var loop) -> whenAllEmpty(loop);
            case DeadlineReached _ -> Behaviors.stopped();
            case Drain _, Stop _, Open _ -> Behaviors.same();
        });
    }

    private Behavior<Command> whenAllEmpty(int loop) {
        emptyLoops.add(loop);
        return emptyLoops.size() == sessions.size() ? Behaviors.stopped() : Behaviors.same();
    }
}
