package org.pgporter.node;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.function.BiFunction;
import java.util.function.Supplier;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.pgporter.config.AuthQueryConfig;
import org.pgporter.config.PoolSettings;
import org.pgporter.node.pool.PoolRegistry;
import org.pgporter.node.session.SessionServices;
import org.pgporter.node.session.Sessions;

/// The root of a node's actors.
///
/// ```
///  serving ── Drain ──► draining ── every session has ended ────────────► closing ──► stopped
///     │                     │ the deadline has come, or Stop                ▲
///     │ Stop                ▼                                                │
///     └─────────────────► killing ── every session has ended, or a moment ──┘
/// ```
///
/// Closing means: the listeners first, so that nobody is accepted whom nobody would answer, then the pools,
/// which say Terminate to their backends.
final class NodeGuardian {
    sealed interface Command {}

    /// @param replyTo told who takes accepted sockets, one for each loop
    record Open(ActorRef<Opened> replyTo) implements Command {}

    /// @param deadline counts only with [Patience#UNTIL_DEADLINE]
    record Drain(Patience patience, Duration deadline) implements Command {}

    /// How long sessions may take to end.
    enum Patience {
        /// Until their transactions are over, or the deadline has come.
        UNTIL_DEADLINE,
        /// Until their transactions are over.
        FOR_TRANSACTIONS,
        /// Until their clients leave.
        FOR_CLIENTS
    }

    record Stop() implements Command {}

    private record LoopEmpty(int loop) implements Command {}

    private record DeadlineReached() implements Command {}

    private record ListenersClosed() implements Command {}

    private record PoolsClosed() implements Command {}

    record Opened(List<ActorRef<Sessions.Command>> sessions, ActorRef<PoolRegistry.Command> pools) {}

    /// How long sessions may take to say their last words when they are ended at once.
    private static final Duration LAST_WORDS = Duration.ofSeconds(2);

    private final ActorContext<Command> context;
    private final TimerScheduler<Command> timers;
    private final List<ActorRef<Sessions.Command>> sessions = new ArrayList<>();
    private final Set<Integer> emptyLoops = new HashSet<>();
    private final ActorRef<PoolRegistry.Command> pools;
    private final Supplier<CompletionStage<Void>> closeListeners;

    private NodeGuardian(
            ActorContext<Command> context,
            TimerScheduler<Command> timers,
            Behavior<PoolRegistry.Command> registry,
            DispatcherSelector registryOn,
            BiFunction<ActorContext<?>, ActorRef<PoolRegistry.Command>, SessionServices> services,
            Supplier<CompletionStage<Void>> closeListeners) {
        this.context = context;
        this.timers = timers;
        this.closeListeners = closeListeners;
        context.spawn(ByteReclaimer.create(), "byte-reclaimer");
        pools = context.spawn(registry, "pools", registryOn);
        context.watchWith(pools, new PoolsClosed());
        SessionServices shared = services.apply(context, pools);
        for (int loop = 0; loop < shared.loops().count(); loop++) {
            sessions.add(context.spawn(
                    Sessions.create(shared),
                    "sessions-" + loop,
                    DispatcherSelector.fromConfig(shared.loops().dispatcher(loop))));
        }
        shared.config().pools().forEach((database, pool) -> {
            pool.users()
                    .forEach(user ->
                            shared.config().settings(database, user.username()).ifPresent(this::prepare));
            pool.authQuery()
                    .flatMap(AuthQueryConfig::serverUser)
                    .flatMap(role -> shared.config().foundByLookup(database, role, Map.of()))
                    .ifPresent(this::prepare);
        });
    }

    private void prepare(PoolSettings settings) {
        if (settings.options().minPoolSize() > 0) {
            pools.tell(new PoolRegistry.Prepare(settings));
        }
    }

    /// @param registryOn where the pools are looked up: each login passes there, so not on threads that sleep between
    ///     two of them
    /// @param services may start actors of their own
    /// @param closeListeners ends accepting, when the last session has ended
    static Behavior<Command> create(
            Behavior<PoolRegistry.Command> registry,
            DispatcherSelector registryOn,
            BiFunction<ActorContext<?>, ActorRef<PoolRegistry.Command>, SessionServices> services,
            Supplier<CompletionStage<Void>> closeListeners) {
        return Behaviors.setup(context -> Behaviors.withTimers(
                timers -> new NodeGuardian(context, timers, registry, registryOn, services, closeListeners).serving()));
    }

    private Behavior<Command> serving() {
        return Behaviors.receiveMessage(command -> switch (command) {
            case Open(var replyTo) -> {
                replyTo.tell(new Opened(List.copyOf(sessions), pools));
                yield Behaviors.same();
            }
            case Drain(var patience, var deadline) -> drain(patience, deadline);
            case Stop _ -> kill();
            case LoopEmpty _, DeadlineReached _, ListenersClosed _, PoolsClosed _ -> Behaviors.same();
        });
    }

    private Behavior<Command> drain(Patience patience, Duration deadline) {
        timers.cancelAll();
        if (patience == Patience.UNTIL_DEADLINE) {
            timers.startSingleTimer(new DeadlineReached(), deadline);
        }
        emptyLoops.clear();
        askWhenEmpty(patience != Patience.FOR_CLIENTS);
        return Behaviors.receiveMessage(command -> switch (command) {
            case LoopEmpty(var loop) -> whenAllEmpty(loop);
            case DeadlineReached _, Stop _ -> kill();
            // Who has less patience now goes before who had more.
            case Drain(var other, var limit) -> other.compareTo(patience) < 0 ? drain(other, limit) : Behaviors.same();
            case Open _, ListenersClosed _, PoolsClosed _ -> Behaviors.same();
        });
    }

    private Behavior<Command> kill() {
        timers.startSingleTimer(new DeadlineReached(), LAST_WORDS);
        emptyLoops.clear();
        sessions.forEach(loop -> loop.tell(new Sessions.KillAll()));
        askWhenEmpty(true);
        return Behaviors.receiveMessage(command -> switch (command) {
            case LoopEmpty(var loop) -> whenAllEmpty(loop);
            case DeadlineReached _ -> closing();
            case Drain _, Stop _, Open _, ListenersClosed _, PoolsClosed _ -> Behaviors.same();
        });
    }

    private void askWhenEmpty(boolean drains) {
        for (int loop = 0; loop < sessions.size(); loop++) {
            int index = loop;
            sessions.get(loop).tell(new Sessions.DrainAll(drains, context.spawnAnonymous(Behaviors.receiveMessage(_ -> {
                context.getSelf().tell(new LoopEmpty(index));
                return Behaviors.same();
            }))));
        }
    }

    private Behavior<Command> whenAllEmpty(int loop) {
        emptyLoops.add(loop);
        return emptyLoops.size() == sessions.size() ? closing() : Behaviors.same();
    }

    private Behavior<Command> closing() {
        timers.startSingleTimer(new DeadlineReached(), LAST_WORDS);
        context.pipeToSelf(closeListeners.get(), (_, _) -> new ListenersClosed());
        return Behaviors.receiveMessage(command -> switch (command) {
            case ListenersClosed _ -> {
                sessions.forEach(loop -> loop.tell(new Sessions.KillAll()));
                pools.tell(new PoolRegistry.Shutdown());
                yield Behaviors.same();
            }
            case PoolsClosed _, DeadlineReached _ -> Behaviors.stopped();
            case LoopEmpty _, Drain _, Stop _, Open _ -> Behaviors.same();
        });
    }
}
