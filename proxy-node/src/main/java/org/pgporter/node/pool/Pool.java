package org.pgporter.node.pool;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Consumer;
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
import org.pgporter.cluster.PoolKey;
import org.pgporter.cluster.limit.ConnectionPermit;
import org.pgporter.cluster.limit.ConnectionPermits;
import org.pgporter.node.backend.AcceptedValues;
import org.pgporter.node.backend.BackendConnection;
import org.pgporter.node.backend.BackendOpening;
import org.pgporter.node.backend.ClientBatch;
import org.pgporter.node.backend.LeaseEvent;
import org.pgporter.node.backend.LeaseId;
import org.pgporter.node.backend.OwnerMessage;
import org.pgporter.node.backend.ServerParameters;
import org.pgporter.node.backend.StatementCatalog;
import org.pgporter.node.backend.WantedParameters;
import org.pgporter.node.error.ProxyError;
import org.pgporter.node.logging.LogKeys;
import org.pgporter.node.pool.PoolBranches.Branch;
import org.pgporter.node.transport.HoldsBytes;
import org.pgporter.node.work.Gathering;
import org.pgporter.protocol.message.ErrorResponse;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Hands out the backend connections of one [org.pgporter.cluster.PoolKey] on this node.
///
/// A request brings the session's first batch along and is either lent a connection at once, or waits in
/// line. A connection that comes back goes to whoever waits longest. Connections are opened when somebody
/// waits, a few at a time; when PostgreSQL refuses, those who wait get its own error and new requests fail
/// at once until the next try, unless connections are there that will come back.
///
/// Sessions of several event loops use one pool. On the loop where it lives it serves them itself, on each
/// other one a [PoolShard] does, which is made when the first session of that loop joins. All of them lend
/// and take back on the same [ShardedAssignments]; which connections are opened and closed, and why, only
/// the pool decides, so whatever bounds them holds for all shards together.
public final class Pool extends AbstractBehavior<OwnerMessage> {
    public sealed interface Command extends OwnerMessage {}

    /// A session has logged in and asks what the server is like.
    ///
    /// @param loop the index of the session's event loop
    /// @param proof what its client proved itself with, for logging in to PostgreSQL likewise
    public record Join(int loop, Optional<BackendProof> proof, ActorRef<JoinReply> replyTo) implements Command {}

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

    /// The session does not want what it asked for any more. Answered with [LeaseEvent.Unserved] if the
    /// request was still waiting.
    public record Withdraw(LeaseId lease, ErrorResponse reason) implements Command {}

    /// Another pool of the same key holds a connection for one session, or waits for leave to open it. It
    /// counts against the size of this one, which closes a connection for it as soon as one is free.
    record MakeRoom(ActorRef<Command> guest) implements Command {}

    record GuestGone(ActorRef<Command> guest) implements Command {}

    /// Close every connection as it becomes free, then stop.
    public record Shutdown() implements Command {}

    // What an operator wants.

    /// Say what you are like.
    public record Show(ActorRef<Gathering.Answer<PoolView>> replyTo) implements Command {}

    /// Close every connection as it becomes free, and lend and open none until [Resume].
    ///
    /// @param replyTo told when none is left, or the pool goes on before that
    record Pause(Object order, ActorRef<Done> replyTo) implements Command {}

    record Resume() implements Command {}

    /// Close every connection as it becomes free; others are opened as they are needed.
    record Reconnect() implements Command {}

    /// @param replyTo told when no connection is left that was to be closed
    record WaitClose(Object order, ActorRef<Done> replyTo) implements Command {}

    /// @param order what has been carried out, as it was given
    record Done(Object order, ActorRef<Command> pool) {}

    // What a shard says. The first three only if the pool wishes to hear it.

    /// Somebody waits who did not before, or somebody has left the line.
    record LineChanged() implements Command {}

    record SomethingIsFree() implements Command {}

    record BorrowsOften(int loop) implements Command {}

    /// Its time is over; it has left the line.
    record GivesUp(Acquire acquire) implements Command, HoldsBytes {
        @Override
        public void releaseBytes() {
            acquire.releaseBytes();
        }
    }

    /// A request is in the line of that loop again, because its connection turned out to be gone.
    record WaitsAgain(int loop) implements Command {}

    /// @param events where its connections report
    record ShardReady(
            Shard<ActorRef<BackendConnection.Command>, LeaseId, Acquire> shard,
            ActorRef<Command> sessions,
            ActorRef<BackendConnection.Event> events)
            implements Command {}

    record DeadlinePassed() implements Command {}

    /// The actor of a connection that was being opened has ended.
    private record Ended(ActorRef<BackendConnection.Command> connection) implements Command {}

    private record FromCoordinator(DatabaseCoordinator.Reply reply) implements Command {}

    private record Housekeeping() implements Command {}

    private record TryAgain() implements Command {}

    public sealed interface JoinReply {}

    /// @param key the pool's
    /// @param pool whom the session asks from now on
    /// @param parameters what a backend reported when it was opened
    public record Joined(
            PoolKey key,
            ActorRef<Command> pool,
            ServerParameters parameters,
            StatementCatalog statements,
            AcceptedValues accepted)
            implements JoinReply {}

    public record JoinFailed(ErrorResponse error) implements JoinReply {}

    private record Joining(int loop, ActorRef<JoinReply> replyTo) {}

    private static final Logger LOG = LoggerFactory.getLogger(Pool.class);
    private static final Duration HOUSEKEEPING = Duration.ofSeconds(1);
    private static final String MAKES_ROOM = "room for a session that needs its own";
    private static final String MOVES = "needed on another event loop";
    private static final String SHUTDOWN = "shutdown";
    private static final String PAUSE = "PAUSE";
    private static final String RECONNECT = "RECONNECT";

    private final TimerScheduler<OwnerMessage> timers;
    private final PoolPlan plan;
    private final ConnectionPermits permits;
    private final StatementCatalog statements = new StatementCatalog();
    private final AcceptedValues accepted = new AcceptedValues();

    private final ShardedAssignments<ActorRef<BackendConnection.Command>, LeaseId, Acquire> assignments;
    private final PoolWishes wishes = new PoolWishes();
    private final Rebalancing<ActorRef<BackendConnection.Command>, LeaseId, Acquire> rebalancing;
    private final PoolBranches branches;
    private final LineDeadlines deadlines;
    private final Map<ActorRef<BackendConnection.Command>, ConnectionPermit> permitOf = new HashMap<>();
    private final Map<ActorRef<BackendConnection.Command>, Branch> stillOpening = new HashMap<>();
    private final List<Joining> joining = new ArrayList<>();
    private final Set<ActorRef<Command>> guests = new HashSet<>();
    private final @Nullable DatabaseShare share;
    private final LoginBackOff backOff;
    private final PoolHold hold;
    private Optional<BackendProof> lastProof = Optional.empty();
    private @Nullable ServerParameters parameters;
    private boolean shuttingDown;
    private long joiningSince;
    private long sequence;

    private Pool(
            ActorContext<OwnerMessage> context,
            TimerScheduler<OwnerMessage> timers,
            PoolPlan plan,
            BackendOpening opening,
            ConnectionPermits fleet,
            Optional<DatabaseShare.Terms> cap,
            boolean paused) {
        super(context);
        this.hold = new PoolHold(paused);
        this.timers = timers;
        this.plan = plan;
        this.backOff = new LoginBackOff(plan.loginRetry());
        this.assignments = new ShardedAssignments<>(new Lending(self(), wishes));
        this.rebalancing = new Rebalancing<>(assignments);
        this.branches = new PoolBranches(context, plan, wishes, assignments, opening);
        this.deadlines = new LineDeadlines(timers, assignments, branches.home().shard());
        this.share = cap.map(terms -> new DatabaseShare(
                        terms,
                        context.messageAdapter(DatabaseCoordinator.Reply.class, FromCoordinator::new),
                        self(),
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
    /// @param paused it begins as after [Pause]
    static Behavior<OwnerMessage> create(
            PoolPlan plan,
            BackendOpening opening,
            ConnectionPermits permits,
            Optional<DatabaseShare.Terms> cap,
            boolean paused) {
        return Behaviors.setup(context ->
                Behaviors.withTimers(timers -> new Pool(context, timers, plan, opening, permits, cap, paused)));
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
    public Receive<OwnerMessage> createReceive() {
        return newReceiveBuilder()
                .onAnyMessage(this::onMessage)
                .onSignal(Terminated.class, this::onTerminated)
                .build();
    }

    private ActorRef<Command> self() {
        return getContext().getSelf().narrow();
    }

    private Behavior<OwnerMessage> onMessage(OwnerMessage message) {
        switch (message) {
            case BackendConnection.Event event -> onBackend(event);
            case Command command -> onCommand(command);
            default -> throw new IllegalArgumentException("not for a pool: " + message);
        }
        if (share != null && share.claims()) {
            openWhatIsWanted(); // fewer may wait now, or less long
        }
        return goOn();
    }

    private void onCommand(Command command) {
        switch (command) {
            case Join join -> onJoin(join);
            case Acquire acquire -> onAcquire(acquire);
            case Withdraw(var lease, var reason) ->
                assignments.withdraw(lease).ifPresent(waiting -> unserved(waiting.request(), reason));
            case LineChanged _ -> {
                wishes.heard();
                lookAtTheLine();
            }
            case SomethingIsFree _ -> lookAtWhatIsIdle();
            case BorrowsOften(int loop) -> onBorrowsOften(branches.onOrHome(loop));
            case GivesUp(var acquire) -> unserved(acquire, whyNoConnection());
            case WaitsAgain(int loop) -> waitsAgain(loop);
            case ShardReady ready -> onShardReady(ready);
            case FromCoordinator(var reply) -> Optional.ofNullable(share).ifPresent(own -> own.on(reply));
            case DeadlinePassed _ -> deadlines.passed().forEach(overdue -> unserved(overdue, whyNoConnection()));
            case Housekeeping _ -> onHousekeeping();
            case TryAgain _ -> openWhatIsWanted();
            case MakeRoom(var guest) -> makeRoom(guest);
            case GuestGone(var guest) -> {
                guests.remove(guest);
                openWhatIsWanted();
            }
            case Ended(var connection) -> onEnded(connection);
            case Shutdown _ -> onShutdown();
            case Show(var replyTo) ->
                replyTo.tell(new Gathering.Answer<>(getContext().getSelf(), view()));
            case Pause pause -> onPause(pause);
            case Resume _ -> onResume();
            case Reconnect _ -> onReconnect();
            case WaitClose(var order, var replyTo) ->
                hold.whenReached(
                        () -> assignments.staying() == assignments.open(), () -> replyTo.tell(new Done(order, self())));
        }
    }

    private PoolView view() {
        List<ActorRef<BackendConnection.Command>> connections = new ArrayList<>(stillOpening.keySet());
        assignments.connections().forEach(connections::add);
        return new PoolView(
                plan.key(),
                plan.forOneSession(),
                plan.mode(),
                plan.size(),
                plan.minSize(),
                plan.backend().address().toString(),
                hold.isPaused(),
                List.copyOf(connections),
                assignments.waitingCount());
    }

    /// Not before every connection has stopped: one that is closed may still have a request to give back.
    private Behavior<OwnerMessage> goOn() {
        hold.look();
        if (shuttingDown && getContext().getChildren().size() == branches.shards()) {
            return Behaviors.stopped();
        }
        wish();
        return this;
    }

    /// Says what the shards shall tell, and looks at once at what has happened before they could know.
    private void wish() {
        if (branches.onlyHome()) {
            return;
        }
        boolean mayOpen = mayOpen()
                && assignments.opening() < plan.parallelOpenings()
                && assignments.open() + assignments.opening() < room();
        boolean waiting = mayOpen || share != null || shuttingDown || refusal().isPresent();
        // While slots are claimed it matters to other pools how long whoever is first has waited.
        boolean capped = share != null && (share.isPressed() || share.claims());
        boolean free = shuttingDown || hold.isPaused() || crowded() || rebalancing.isMoving() || capped;
        if (wishes.set(waiting, free)) {
            lookAtTheLine();
            lookAtWhatIsIdle();
        }
    }

    // ---- shards

    private void onShardReady(ShardReady ready) {
        branches.isReady(ready);
        answerJoining();
        openWhatIsWanted();
    }

    private void onBorrowsOften(Branch branch) {
        if (!stillOpening.containsValue(branch)) {
            rebalancing.grows(branch.shard());
            openWhatIsWanted();
        }
    }

    private void lookAtTheLine() {
        Optional<ErrorResponse> why = shuttingDown ? Optional.of(ProxyError.shuttingDown()) : refusal();
        why.ifPresentOrElse(this::nobodyIsServed, this::openWhatIsWanted);
    }

    private void waitsAgain(int loop) {
        Branch at = branches.onOrHome(loop);
        if (at == branches.home()) {
            deadlines.watch();
        } else {
            at.sessions().tell(new DeadlinePassed()); // it looks when the next one passes
        }
        lookAtTheLine();
    }

    /// Closes what is idle and needed otherwise.
    private void lookAtWhatIsIdle() {
        if (shuttingDown || hold.isPaused()) {
            for (var idle = assignments.give(); idle.isPresent(); idle = assignments.give()) {
                idle.get().tell(new BackendConnection.Retire(shuttingDown ? SHUTDOWN : PAUSE));
            }
            return;
        }
        if (assignments.staying() + assignments.opening() > room()) {
            assignments.give().ifPresent(idle -> idle.tell(new BackendConnection.Retire(MAKES_ROOM)));
        }
        rebalancing.takeIdle().ifPresent(idle -> idle.tell(new BackendConnection.Evict(MOVES)));
        if (share != null) {
            share.offerWhatIsIdle();
        }
    }

    // ---- requests

    private void onJoin(Join join) {
        if (shuttingDown) {
            join.replyTo().tell(new JoinFailed(ProxyError.shuttingDown()));
            return;
        }
        if (join.proof().isPresent() && !join.proof().equals(lastProof)) {
            lastProof = join.proof();
            backOff.letIn(); // what was refused was something else
        }
        Optional<ErrorResponse> lasting = backOff.lasting();
        if (parameters == null && lasting.isPresent() && !hold.isPaused()) {
            join.replyTo().tell(new JoinFailed(lasting.get()));
            return;
        }
        branches.add(join.loop());
        joiningSince = joining.isEmpty() ? System.nanoTime() : joiningSince;
        joining.add(new Joining(join.loop(), join.replyTo()));
        answerJoining();
        if (!joining.isEmpty()) {
            openWhatIsWanted();
        }
    }

    /// Nobody joins before there is somebody on his loop whom he can ask, and the server has said what it
    /// is like.
    private void answerJoining() {
        ServerParameters known = parameters;
        if (known != null) {
            joining.removeIf(waiting -> {
                Optional<Branch> branch = branches.on(waiting.loop());
                branch.ifPresent(at ->
                        waiting.replyTo().tell(new Joined(plan.key(), at.sessions(), known, statements, accepted)));
                return branch.isPresent();
            });
        }
    }

    private void onAcquire(Acquire acquire) {
        if (shuttingDown) {
            unserved(acquire, ProxyError.shuttingDown());
            return;
        }
        Optional<ErrorResponse> refusal = refusal();
        if (refusal.isPresent()) {
            unserved(acquire, refusal.get());
            return;
        }
        if (assignments.acquire(branches.home().shard(), plan.waiting(acquire.lease(), acquire, System.nanoTime()))) {
            return;
        }
        openWhatIsWanted();
        if (plan.queryWaitTimeout().isZero() && assignments.waitingCount() > room() - assignments.open()) {
            assignments
                    .withdraw(acquire.lease())
                    .ifPresent(waiting -> unserved(waiting.request(), ProxyError.poolExhausted(plan.size())));
            return;
        }
        deadlines.watch();
    }

    static void unserved(Acquire acquire, ErrorResponse error) {
        acquire.holder().tell(new LeaseEvent.Unserved(acquire.lease(), acquire.first(), error));
    }

    private void nobodyIsServed(ErrorResponse error) {
        assignments.everybodyWaiting().forEach(waiting -> unserved(waiting.request(), error));
    }

    private ErrorResponse whyNoConnection() {
        if (hold.isPaused()) {
            return ProxyError.paused(plan.queryWaitTimeout(), plan.key().database());
        }
        return backOff.refusal()
                .orElseGet(() -> share != null && share.claims()
                        ? ProxyError.databaseFull(
                                plan.queryWaitTimeout(), plan.key().database())
                        : ProxyError.queryWaitTimeout(plan.queryWaitTimeout(), plan.size()));
    }

    /// What to tell those who ask, because there is no connection that will come back, and none to be had
    /// at present.
    private Optional<ErrorResponse> refusal() {
        return assignments.open() == 0 && !hold.isPaused() ? backOff.lasting() : Optional.empty();
    }

    // ---- connections

    private void onBackend(BackendConnection.Event event) {
        switch (event) {
            case BackendConnection.Opened(var connection, var reported, int pid) -> {
                LOG.atDebug()
                        .addKeyValue(LogKeys.POOL, plan.key())
                        .addKeyValue(LogKeys.BACKEND_PID, pid)
                        .log("backend connection opened");
                Branch branch = Objects.requireNonNullElse(stillOpening.remove(connection), branches.home());
                backOff.letIn();
                parameters = reported;
                long now = System.nanoTime();
                assignments.opened(branch.shard(), connection, now, plan.expiry(now, ThreadLocalRandom.current()));
                answerJoining();
                if (!hold.isPaused()) { // it was told to close as soon as it would be open
                    serveNext(connection, now); // once at least, however short its life
                    openWhatIsWanted();
                }
            }
            case BackendConnection.OpenFailed(var connection, var error) -> openingFailed(connection, error);
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
                gone(connection);
                connection.tell(new BackendConnection.Farewell()); // nobody can lend it any more
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
        Optional<ErrorResponse> refusal = refusal();
        if (refusal.isPresent()) {
            unserved(acquire, refusal.get());
            return;
        }
        long now = System.nanoTime();
        assignments.acquireFirst(branches.home().shard(), plan.waiting(acquire.lease(), acquire, now), now);
        openWhatIsWanted();
        deadlines.watch();
    }

    private void becameFree(ActorRef<BackendConnection.Command> connection) {
        long now = System.nanoTime();
        if (shuttingDown || hold.isPaused() || assignments.expired(connection, now)) {
            retire(connection, shuttingDown ? SHUTDOWN : hold.isPaused() ? PAUSE : "server_lifetime");
        } else if (crowded()) {
            retire(connection, MAKES_ROOM);
        } else if (rebalancing.takes(connection)) {
            connection.tell(new BackendConnection.Evict(MOVES));
        } else {
            serveNext(connection, now);
        }
    }

    private void retire(ActorRef<BackendConnection.Command> connection, String reason) {
        assignments.leaves(connection);
        connection.tell(new BackendConnection.Retire(reason));
    }

    private void serveNext(ActorRef<BackendConnection.Command> connection, long now) {
        if (share != null && share.holdsBack(connection, now)) {
            return;
        }
        assignments.free(connection, now);
        if (share != null) {
            share.offerWhatIsIdle();
        }
    }

    private void openingFailed(ActorRef<BackendConnection.Command> connection, ErrorResponse error) {
        Branch branch = stillOpening.remove(connection);
        if (branch != null) {
            assignments.openingFailed(branch.shard());
            giveBackPermit(connection);
            refused(error);
        }
    }

    private void onEnded(ActorRef<BackendConnection.Command> connection) {
        openingFailed(connection, ProxyError.backendSurprise("the connection ended unexpectedly"));
    }

    private void gone(ActorRef<BackendConnection.Command> connection) {
        if (assignments.closed(connection)) {
            if (share != null) {
                share.closed(connection);
            }
            giveBackPermit(connection);
            guests.forEach(guest -> guest.tell(new TryAgain()));
            rebalancing
                    .closed(connection)
                    .filter(_ -> mayOpen() && assignments.open() + assignments.opening() < room())
                    .ifPresent(shard -> open(branches.onOrHome(shard.loop())));
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
            assignments.give().ifPresent(idle -> idle.tell(new BackendConnection.Retire(MAKES_ROOM)));
        }
    }

    private void giveBackPermit(ActorRef<BackendConnection.Command> connection) {
        ConnectionPermit permit = permitOf.remove(connection);
        if (permit != null) {
            permit.release();
        }
    }

    /// A connection that ended without saying so: a defect of ours, but no reason to lose count. Without
    /// one of its shards the pool is of no use.
    private Behavior<OwnerMessage> onTerminated(Terminated signal) {
        if (branches.isShard(signal.getRef().<Command>unsafeUpcast())) {
            return Behaviors.stopped();
        }
        ActorRef<BackendConnection.Command> connection = signal.getRef().unsafeUpcast();
        Branch opensAt = stillOpening.get(connection);
        if (opensAt != null && !shuttingDown) {
            // What it has said last may still be on its way through the shard; this comes behind it.
            opensAt.sessions().tell(new Ended(connection));
        } else {
            onEnded(connection);
            gone(connection);
        }
        return goOn();
    }

    private void refused(ErrorResponse error) {
        LOG.atWarn()
                .addKeyValue(LogKeys.POOL, plan.key())
                .addKeyValue(LogKeys.SQL_STATE, error.sqlState().code())
                .addKeyValue(LogKeys.REASON, error.message())
                .log("backend connection could not be opened");
        backOff.refused(error);
        timers.startSingleTimer(new TryAgain(), plan.loginRetry());
        if (!LoginBackOff.isLasting(error) && !plan.forOneSession()) {
            return;
        }
        if (parameters == null) {
            joinFailed(error);
        }
        if (assignments.open() == 0) {
            nobodyIsServed(error);
        }
    }

    private void joinFailed(ErrorResponse error) {
        joining.forEach(waiting -> waiting.replyTo().tell(new JoinFailed(error)));
        joining.clear();
    }

    private boolean mayOpen() {
        return !shuttingDown && !hold.isPaused() && backOff.mayTry();
    }

    private void openWhatIsWanted() {
        boolean mayOpen = mayOpen();
        int forJoining = parameters == null && !joining.isEmpty() ? 1 : 0;
        int minimum = branches.home().opening().canLogIn() ? plan.minSize() : 0;
        int parallel = plan.parallelOpenings();
        int growth = rebalancing.wanted();
        int atLeast = Math.max(
                Math.min(minimum, room()), growth == 0 ? 0 : assignments.open() + assignments.opening() + growth);
        int wanted = mayOpen ? assignments.wanted(forJoining, atLeast, room(), parallel) : 0;
        int forClients = mayOpen ? assignments.wanted(forJoining, 0, room(), parallel) : 0;
        int opened = 0;
        while (opened < wanted && open(where(opened < forClients))) {
            opened++;
        }
        if (share != null) {
            long since = Math.min(assignments.waitingSince(), forJoining > 0 ? joiningSince : Long.MAX_VALUE);
            share.claim(forClients - opened, wanted - opened, since);
        }
    }

    /// Where to open a connection.
    private Branch where(boolean forClients) {
        return (forClients ? Optional.<Branch>empty() : rebalancing.next().map(to -> branches.onOrHome(to.loop())))
                .orElseGet(branches::nextToOpen);
    }

    /// @return whether there was a permit for it
    private boolean open(Branch at) {
        Optional<ConnectionPermit> permit = permits.tryAcquire(plan.key(), plan.size());
        if (permit.isEmpty()) {
            return false;
        }
        BackendOpening opening = at.opening();
        ActorRef<BackendConnection.Command> connection = getContext()
                .spawn(
                        BackendConnection.create(plan.backend(), opening, accepted, at.events()),
                        "backend-" + at.shard().loop() + "-" + ++sequence,
                        DispatcherSelector.fromConfig(opening.dispatcher()));
        getContext().watch(connection);
        permitOf.put(connection, permit.get());
        stillOpening.put(connection, at);
        assignments.startedOpening(at.shard());
        return true;
    }

    private void onHousekeeping() {
        long now = System.nanoTime();
        for (var connection : assignments.retire(now, plan.idleTimeout().toNanos(), plan.minSize())) {
            connection.tell(new BackendConnection.Retire("idle_timeout or server_lifetime"));
        }
        if (share != null) {
            share.offerWhatIsIdle(); // connections have come of age
        }
        if (!branches.onlyHome()) {
            boolean full = share == null
                    && guests.isEmpty()
                    && mayOpen()
                    && assignments.opening() == 0
                    && assignments.open() >= plan.size();
            rebalancing.look(full);
        }
        openWhatIsWanted();
    }

    // ---- what an operator wants

    private void onPause(Pause pause) {
        hold.pause();
        lookAtWhatIsIdle();
        everybody(connection -> connection.tell(new BackendConnection.Retire(PAUSE)));
        hold.whenReached(
                () -> !hold.isPaused() || assignments.open() == 0 && stillOpening.isEmpty(),
                () -> pause.replyTo().tell(new Done(pause.order(), self())));
    }

    private void onResume() {
        if (hold.resume()) {
            lookAtTheLine();
        }
    }

    /// Each makes room for another one only when PostgreSQL has let go of it.
    private void onReconnect() {
        for (var idle = assignments.give(); idle.isPresent(); idle = assignments.give()) {
            idle.get().tell(new BackendConnection.Replace(RECONNECT));
        }
        everybody(connection -> connection.tell(new BackendConnection.Replace(RECONNECT)));
        openWhatIsWanted();
    }

    /// Takes leave of all connections, also of those that are being opened.
    private void everybody(Consumer<ActorRef<BackendConnection.Command>> goodbye) {
        assignments.connections().forEach(connection -> {
            assignments.leaves(connection);
            goodbye.accept(connection);
        });
        stillOpening.keySet().forEach(goodbye);
    }

    private void onShutdown() {
        shuttingDown = true;
        joinFailed(ProxyError.shuttingDown());
        nobodyIsServed(ProxyError.shuttingDown());
        assignments.connections().forEach(connection -> connection.tell(new BackendConnection.Retire(SHUTDOWN)));
        stillOpening.keySet().forEach(connection -> connection.tell(new BackendConnection.Retire(SHUTDOWN)));
        lookAtWhatIsIdle();
    }
}
