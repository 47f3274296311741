package org.pgporter.node.pool;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.actor.typed.Terminated;
import org.apache.pekko.actor.typed.javadsl.AbstractBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.Receive;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.jspecify.annotations.Nullable;
import org.pgporter.auth.BackendProof;
import org.pgporter.cluster.limit.ConnectionPermit;
import org.pgporter.cluster.limit.ConnectionPermits;
import org.pgporter.node.backend.AcceptedValues;
import org.pgporter.node.backend.BackendConnection;
import org.pgporter.node.backend.BackendOpening;
import org.pgporter.node.backend.ClientBatch;
import org.pgporter.node.backend.LeaseEvent;
import org.pgporter.node.backend.LeaseId;
import org.pgporter.node.backend.ServerParameters;
import org.pgporter.node.backend.StatementCatalog;
import org.pgporter.node.backend.WantedParameters;
import org.pgporter.node.error.ProxyError;
import org.pgporter.node.logging.LogKeys;
import org.pgporter.node.transport.HoldsBytes;
import org.pgporter.protocol.message.ErrorResponse;
import org.pgporter.protocol.message.SqlState;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Hands out the backend connections of one [org.pgporter.cluster.PoolKey] on this node.
///
/// A request brings the session's first batch along and is either lent a connection at once, or waits in line.
/// A connection that comes back goes to whoever waits longest. Connections are opened when somebody waits, a
/// few at a time; when PostgreSQL refuses, those who wait get its own error and new requests fail at once until
/// the next try, unless connections are there that will come back.
public final class Pool extends AbstractBehavior<Pool.Command> {
    public sealed interface Command {}

    /// A session has logged in and asks what the server is like.
    ///
    /// @param proof what its client proved itself with, for logging in to PostgreSQL likewise
    public record Join(Optional<BackendProof> proof, ActorRef<JoinReply> replyTo) implements Command {}

    /// A session needs a backend; `holder` hears of it as a [LeaseEvent].
    ///
    /// @param first what to send at once; empty to have the parameters applied and confirmed only
    public record Acquire(
            LeaseId lease, ActorRef<LeaseEvent> holder, WantedParameters wanted, Optional<ClientBatch> first)
            implements Command, HoldsBytes {
        @Override
        public void releaseBytes() {
            first.ifPresent(ClientBatch::releaseBytes);
        }
    }

    /// The session does not want what it asked for any more. Answered with [LeaseEvent.Unserved] if the request
    /// was still waiting.
    public record Withdraw(LeaseId lease, ErrorResponse reason) implements Command {}

    /// Another pool of the same key holds a connection for one session, or waits for leave to open it. It counts
    /// against the size of this one, which closes a connection for it as soon as one is free.
    record MakeRoom(ActorRef<Command> guest) implements Command {}

    record GuestGone(ActorRef<Command> guest) implements Command {}

    /// Close every connection as it becomes free, then stop.
    public record Shutdown() implements Command {}

    private record FromBackend(BackendConnection.Event event) implements Command {}

    private record FromCoordinator(DatabaseCoordinator.Reply reply) implements Command {}

    private record DeadlinePassed() implements Command {}

    private record Housekeeping() implements Command {}

    private record TryAgain() implements Command {}

    public sealed interface JoinReply {}

    /// @param parameters what a backend reported when it was opened
    public record Joined(
            ActorRef<Command> pool, ServerParameters parameters, StatementCatalog statements, AcceptedValues accepted)
            implements JoinReply {}

    public record JoinFailed(ErrorResponse error) implements JoinReply {}

    private static final Logger LOG = LoggerFactory.getLogger(Pool.class);
    private static final Duration HOUSEKEEPING = Duration.ofSeconds(1);

    private final TimerScheduler<Command> timers;
    private final PoolPlan plan;
    private final BackendOpening opening;
    private final ConnectionPermits permits;
    private final ActorRef<BackendConnection.Event> backendEvents;
    private final StatementCatalog statements = new StatementCatalog();
    private final AcceptedValues accepted = new AcceptedValues();

    private final Assignments<ActorRef<BackendConnection.Command>, LeaseId, Acquire> assignments = new Assignments<>();
    private final Map<ActorRef<BackendConnection.Command>, ConnectionPermit> permitOf = new HashMap<>();
    private final Set<ActorRef<BackendConnection.Command>> stillOpening = new HashSet<>();
    private final List<ActorRef<JoinReply>> joining = new ArrayList<>();
    private final Set<ActorRef<Command>> guests = new HashSet<>();
    private final @Nullable DatabaseShare share;
    private Optional<BackendProof> proof = Optional.empty();
    private @Nullable ServerParameters parameters;
    private @Nullable ErrorResponse refusal;
    private long retryAt;
    private boolean shuttingDown;
    private long joiningSince;
    private long sequence;

    private Pool(
            ActorContext<Command> context,
            TimerScheduler<Command> timers,
            PoolPlan plan,
            BackendOpening opening,
            ConnectionPermits fleet,
            Optional<DatabaseShare.Terms> cap) {
        super(context);
        this.timers = timers;
        this.plan = plan;
        this.opening = opening;
        this.backendEvents = context.messageAdapter(BackendConnection.Event.class, FromBackend::new);
        this.share = cap.map(terms -> new DatabaseShare(
                        terms,
                        context.messageAdapter(DatabaseCoordinator.Reply.class, FromCoordinator::new),
                        context.getSelf(),
                        fleet,
                        assignments,
                        new Hands()))
                .orElse(null);
        this.permits = share == null ? fleet : share;
        timers.startTimerWithFixedDelay(new Housekeeping(), HOUSEKEEPING);
        openWhatIsWanted();
    }

    /// Must run on the dispatcher of the event loop that `opening` connects on.
    ///
    /// @param cap on which terms the pool shares its database's slots with others; empty without a cap
    static Behavior<Command> create(
            PoolPlan plan, BackendOpening opening, ConnectionPermits permits, Optional<DatabaseShare.Terms> cap) {
        return Behaviors.setup(
                context -> Behaviors.withTimers(timers -> new Pool(context, timers, plan, opening, permits, cap)));
    }

    private final class Hands implements DatabaseShare.Hands {
        @Override
        public void openWhatIsWanted() {
            Pool.this.openWhatIsWanted();
        }

        @Override
        public void becameFree(ActorRef<BackendConnection.Command> connection) {
            Pool.this.becameFree(connection);
        }
    }

    @Override
    public Receive<Command> createReceive() {
        return newReceiveBuilder()
                .onAnyMessage(this::onCommand)
                .onSignal(Terminated.class, this::onTerminated)
                .build();
    }

    private Behavior<Command> onCommand(Command command) {
        switch (command) {
            case Join join -> onJoin(join);
            case Acquire acquire -> onAcquire(acquire);
            case Withdraw(var lease, var reason) ->
                assignments.withdraw(lease).ifPresent(waiting -> unserved(waiting.request(), reason));
            case FromBackend(var event) -> onBackend(event);
            case FromCoordinator(var reply) -> Optional.ofNullable(share).ifPresent(own -> own.on(reply));
            case DeadlinePassed _ -> onDeadline();
            case Housekeeping _ -> onHousekeeping();
            case TryAgain _ -> openWhatIsWanted();
            case MakeRoom(var guest) -> makeRoom(guest);
            case GuestGone(var guest) -> {
                guests.remove(guest);
                openWhatIsWanted();
            }
            case Shutdown _ -> onShutdown();
        }
        if (share != null && share.claims()) {
            openWhatIsWanted(); // fewer may wait now, or less long
        }
        return goOn();
    }

    /// Not before every connection has stopped: one that is closed may still have a request to give back.
    private Behavior<Command> goOn() {
        return shuttingDown && getContext().getChildren().isEmpty() ? Behaviors.stopped() : this;
    }

    // ---- requests

    private void onJoin(Join join) {
        if (shuttingDown) {
            join.replyTo().tell(new JoinFailed(ProxyError.shuttingDown()));
            return;
        }
        join.proof().ifPresent(learned -> proof = Optional.of(learned));
        ServerParameters known = parameters;
        if (known != null) {
            join.replyTo().tell(new Joined(getContext().getSelf(), known, statements, accepted));
        } else if (refusal != null && backingOff() && isLasting(refusal)) {
            join.replyTo().tell(new JoinFailed(refusal));
        } else {
            joiningSince = joining.isEmpty() ? System.nanoTime() : joiningSince;
            joining.add(join.replyTo());
            openWhatIsWanted();
        }
    }

    private void onAcquire(Acquire acquire) {
        if (shuttingDown) {
            unserved(acquire, ProxyError.shuttingDown());
            return;
        }
        Optional<ActorRef<BackendConnection.Command>> idle = assignments.take();
        if (idle.isPresent()) {
            lend(idle.get(), acquire);
            return;
        }
        if (refusal != null && backingOff() && assignments.open() == 0 && isLasting(refusal)) {
            unserved(acquire, refusal);
            return;
        }
        long now = System.nanoTime();
        assignments.enqueue(new Assignments.Waiting<>(acquire.lease(), acquire, now, now + patience()));
        openWhatIsWanted();
        if (plan.queryWaitTimeout().isZero() && assignments.waitingCount() > room() - assignments.open()) {
            assignments
                    .withdraw(acquire.lease())
                    .ifPresent(waiting -> unserved(waiting.request(), ProxyError.poolExhausted(plan.size())));
            return;
        }
        if (assignments.waitingCount() == 1) {
            watchDeadline();
        }
    }

    /// With no patience of its own a request still has to wait for the connection that is opened for it.
    private long patience() {
        return plan.queryWaitTimeout().isZero()
                ? plan.backend().connectTimeout().toNanos()
                : plan.queryWaitTimeout().toNanos();
    }

    private void lend(ActorRef<BackendConnection.Command> connection, Acquire acquire) {
        connection.tell(
                new BackendConnection.Lend(acquire.lease(), acquire.holder(), acquire.wanted(), acquire.first()));
    }

    private static void unserved(Acquire acquire, ErrorResponse error) {
        acquire.holder().tell(new LeaseEvent.Unserved(acquire.lease(), acquire.first(), error));
    }

    private void watchDeadline() {
        assignments.nextDeadline().ifPresent(deadline -> {
            long delay = Math.max(0, deadline - System.nanoTime());
            timers.startSingleTimer(new DeadlinePassed(), Duration.ofNanos(delay));
        });
    }

    private void onDeadline() {
        for (var overdue : assignments.overdue(System.nanoTime())) {
            unserved(overdue.request(), whyNoConnection());
        }
        watchDeadline();
    }

    private ErrorResponse whyNoConnection() {
        if (refusal != null) {
            return refusal;
        }
        return share != null && share.claims()
                ? ProxyError.databaseFull(plan.queryWaitTimeout(), plan.key().database())
                : ProxyError.queryWaitTimeout(plan.queryWaitTimeout(), plan.size());
    }

    // ---- connections

    private void onBackend(BackendConnection.Event event) {
        switch (event) {
            case BackendConnection.Opened(var connection, var reported, int pid) -> {
                LOG.atDebug()
                        .addKeyValue(LogKeys.POOL, plan.key())
                        .addKeyValue(LogKeys.BACKEND_PID, pid)
                        .log("backend connection opened");
                stillOpening.remove(connection);
                refusal = null;
                parameters = reported;
                assignments.opened(connection, System.nanoTime(), expiry());
                joining.forEach(
                        waiting -> waiting.tell(new Joined(getContext().getSelf(), reported, statements, accepted)));
                joining.clear();
                becameFree(connection);
                openWhatIsWanted();
            }
            case BackendConnection.OpenFailed(var connection, var error) -> {
                if (stillOpening.remove(connection)) {
                    assignments.openingFailed();
                    giveBackPermit(connection);
                    refused(error);
                }
            }
            case BackendConnection.Available(var connection) -> {
                if (assignments.isMember(connection)) {
                    becameFree(connection);
                }
            }
            case BackendConnection.Closed(var connection, var reason) -> {
                LOG.atDebug()
                        .addKeyValue(LogKeys.POOL, plan.key())
                        .addKeyValue(LogKeys.REASON, reason)
                        .log("backend connection closed");
                connection.tell(new BackendConnection.Farewell());
                gone(connection);
            }
            case BackendConnection.Declined(var _, var lend) ->
                serveAgain(new Acquire(lend.lease(), lend.holder(), lend.wanted(), lend.first()));
        }
    }

    /// The connection died before it could serve this request, so it is the first in line again.
    private void serveAgain(Acquire acquire) {
        if (shuttingDown) {
            unserved(acquire, ProxyError.shuttingDown());
            return;
        }
        if (refusal != null && backingOff() && assignments.open() == 0 && isLasting(refusal)) {
            unserved(acquire, refusal);
            return;
        }
        long now = System.nanoTime();
        assignments.enqueueFirst(new Assignments.Waiting<>(acquire.lease(), acquire, now, now + patience()));
        assignments.take().ifPresent(this::becameFree);
        openWhatIsWanted();
        watchDeadline();
    }

    private void becameFree(ActorRef<BackendConnection.Command> connection) {
        long now = System.nanoTime();
        if (shuttingDown || assignments.expired(connection, now)) {
            assignments.leaves(connection);
            connection.tell(new BackendConnection.Retire(shuttingDown ? "shutdown" : "server_lifetime"));
            return;
        }
        if (crowded()) {
            connection.tell(new BackendConnection.Retire("room for a session that needs its own"));
            return;
        }
        if (share != null && share.holdsBack(connection, now)) {
            return;
        }
        Optional<Assignments.Waiting<LeaseId, Acquire>> next = assignments.next();
        if (next.isPresent()) {
            lend(connection, next.get().request());
        } else {
            assignments.idle(connection, now);
            if (share != null) {
                share.offerWhatIsIdle();
            }
        }
    }

    private void gone(ActorRef<BackendConnection.Command> connection) {
        if (assignments.closed(connection)) {
            if (share != null) {
                share.closed(connection);
            }
            giveBackPermit(connection);
            guests.forEach(guest -> guest.tell(new TryAgain()));
            openWhatIsWanted();
        }
    }

    /// How many connections this pool itself may have.
    private int room() {
        return Math.max(0, plan.size() - guests.size());
    }

    private boolean crowded() {
        return !guests.isEmpty() && assignments.open() + assignments.opening() > room();
    }

    private void makeRoom(ActorRef<Command> guest) {
        guests.add(guest);
        if (crowded()) {
            assignments
                    .give()
                    .ifPresent(
                            idle -> idle.tell(new BackendConnection.Retire("room for a session that needs its own")));
        }
    }

    private void giveBackPermit(ActorRef<BackendConnection.Command> connection) {
        ConnectionPermit permit = permitOf.remove(connection);
        if (permit != null) {
            permit.release();
        }
    }

    /// A connection that ended without saying so: a defect of ours, but no reason to lose count.
    private Behavior<Command> onTerminated(Terminated signal) {
        ActorRef<BackendConnection.Command> connection = signal.getRef().unsafeUpcast();
        if (stillOpening.remove(connection)) {
            assignments.openingFailed();
            giveBackPermit(connection);
            refused(ProxyError.backendSurprise("the connection ended unexpectedly"));
        }
        gone(connection);
        return goOn();
    }

    private void refused(ErrorResponse error) {
        LOG.atWarn()
                .addKeyValue(LogKeys.POOL, plan.key())
                .addKeyValue(LogKeys.SQL_STATE, error.sqlState().code())
                .addKeyValue(LogKeys.REASON, error.message())
                .log("backend connection could not be opened");
        refusal = error;
        retryAt = System.nanoTime() + plan.loginRetry().toNanos();
        timers.startSingleTimer(new TryAgain(), plan.loginRetry());
        if (!isLasting(error) && !plan.forOneSession()) {
            return;
        }
        joinFailed(error);
        if (assignments.open() == 0) {
            assignments.everybodyWaiting().forEach(waiting -> unserved(waiting.request(), error));
        }
    }

    private void joinFailed(ErrorResponse error) {
        joining.forEach(waiting -> waiting.tell(new JoinFailed(error)));
        joining.clear();
    }

    /// A server that starts up or has no slot free at the moment is worth waiting for.
    private static boolean isLasting(ErrorResponse error) {
        return !error.sqlState().equals(SqlState.TOO_MANY_CONNECTIONS)
                && !error.sqlState().equals(SqlState.CANNOT_CONNECT_NOW);
    }

    private boolean backingOff() {
        return System.nanoTime() - retryAt < 0;
    }

    private void openWhatIsWanted() {
        boolean mayOpen = !shuttingDown && (refusal == null || !backingOff());
        int forJoining = parameters == null && !joining.isEmpty() ? 1 : 0;
        int minimum = opening.canLogIn(proof) ? plan.minSize() : 0;
        int wanted = mayOpen
                ? assignments.wanted(forJoining, Math.min(minimum, room()), room(), plan.parallelOpenings())
                : 0;
        int forClients = mayOpen ? assignments.wanted(forJoining, 0, room(), plan.parallelOpenings()) : 0;
        int opened = 0;
        while (opened < wanted && open()) {
            opened++;
        }
        if (share != null) {
            long since = Math.min(assignments.waitingSince(), forJoining > 0 ? joiningSince : Long.MAX_VALUE);
            share.claim(forClients - opened, wanted - opened, since);
        }
    }

    /// @return whether there was a permit for it
    private boolean open() {
        Optional<ConnectionPermit> permit = permits.tryAcquire(plan.key(), plan.size());
        if (permit.isEmpty()) {
            return false;
        }
        ActorRef<BackendConnection.Command> connection = getContext()
                .spawn(
                        BackendConnection.create(plan.backend(), opening.with(proof), accepted, backendEvents),
                        "backend-" + ++sequence,
                        DispatcherSelector.fromConfig(opening.dispatcher()));
        getContext().watch(connection);
        permitOf.put(connection, permit.get());
        stillOpening.add(connection);
        assignments.startedOpening();
        return true;
    }

    /// Spread by a fifth in both directions, so that connections opened together do not end together.
    private long expiry() {
        if (plan.lifetime().isZero()) {
            return Long.MAX_VALUE;
        }
        double jitter = 0.8 + 0.4 * ThreadLocalRandom.current().nextDouble();
        return System.nanoTime() + (long) (plan.lifetime().toNanos() * jitter);
    }

    private void onHousekeeping() {
        long now = System.nanoTime();
        for (var connection : assignments.retire(now, plan.idleTimeout().toNanos(), plan.minSize())) {
            connection.tell(new BackendConnection.Retire("idle_timeout or server_lifetime"));
        }
        if (share != null) {
            share.offerWhatIsIdle(); // connections have come of age
        }
        openWhatIsWanted();
    }

    private void onShutdown() {
        shuttingDown = true;
        joinFailed(ProxyError.shuttingDown());
        assignments.everybodyWaiting().forEach(waiting -> unserved(waiting.request(), ProxyError.shuttingDown()));
        assignments.connections().forEach(connection -> connection.tell(new BackendConnection.Retire("shutdown")));
        stillOpening.forEach(connection -> connection.tell(new BackendConnection.Retire("shutdown")));
    }
}
