package org.pgporter.node.session;

import io.netty.buffer.ByteBuf;
import java.net.SocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.jspecify.annotations.Nullable;
import org.pgporter.auth.credential.CredentialLookup;
import org.pgporter.config.PoolMode;
import org.pgporter.config.PoolSettings;
import org.pgporter.node.backend.BackendConnection;
import org.pgporter.node.backend.ClientBatch;
import org.pgporter.node.backend.LeaseEvent;
import org.pgporter.node.backend.LeaseId;
import org.pgporter.node.backend.ServerOutput;
import org.pgporter.node.backend.StatementUse;
import org.pgporter.node.backend.WantedParameters;
import org.pgporter.node.error.ProxyError;
import org.pgporter.node.logging.LogKeys;
import org.pgporter.node.pool.Pool;
import org.pgporter.node.transport.Ack;
import org.pgporter.node.transport.HoldsBytes;
import org.pgporter.node.transport.SocketHandle;
import org.pgporter.protocol.codec.Batch;
import org.pgporter.protocol.message.ErrorResponse;
import org.pgporter.protocol.message.ProtocolVersion;
import org.pgporter.protocol.message.ProtocolViolation;
import org.pgporter.protocol.message.Severity;
import org.pgporter.protocol.message.TransactionStatus;
import org.pgporter.protocol.stream.Framed;
import org.pgporter.protocol.stream.FramingControl;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One client, from accept to close.
///
/// ```
///  ClientLogin ──► idle ── a batch ──► waiting ── Attached ──► leased ── settled, transaction over ──► idle
///                   ▲                    │ Unserved                │
///                   └────────────────────┘                         │ client gone, killed
///                                        │ client gone, killed     ▼
///                                        └──────► leaving ──► closed
/// ```
///
/// While it waits, the client is not read further: its next batch is acknowledged when the first is on its way.
/// A lease that has been asked for is always answered, so a session that ends while it waits stays until it
/// knows, or a backend would be lent to nobody ([#leave]).
public final class ClientSession {
    public sealed interface Command {}

    /// Somebody sent this session's cancel key. `done` is told when the cancel has had its effect, or has none.
    public record CancelRequested(ActorRef<BackendConnection.CancelDone> done) implements Command {}

    /// End at the next moment at which nothing is open.
    public record Drain() implements Command {}

    /// End now.
    public record Kill() implements Command {}

    record StreamStarted(ActorRef<Ack> ack) implements Command {}

    record FromClient(Framed framed, ActorRef<Ack> ack) implements Command, HoldsBytes {
        @Override
        public void releaseBytes() {
            if (framed instanceof Framed.Messages(var batch)) {
                batch.release();
            }
        }
    }

    record ClientGone() implements Command {}

    record CredentialArrived(CredentialLookup lookup) implements Command {}

    record FromPool(Pool.JoinReply reply) implements Command {}

    record FromBackend(LeaseEvent event) implements Command, HoldsBytes {
        @Override
        public void releaseBytes() {
            if (event instanceof HoldsBytes holder) {
                holder.releaseBytes();
            }
        }
    }

    record CancelForwarded() implements Command {}

    record LoginTimedOut() implements Command {}

    private static final Logger LOG = LoggerFactory.getLogger(ClientSession.class);
    private static final String LOGIN_TIMER = "login";

    private final ActorContext<Command> context;
    private final TimerScheduler<Command> timers;
    private final SessionServices services;
    private final ClientSocket client;
    private final SocketAddress remote;
    private final FramingControl framing;
    private final ActorRef<LeaseEvent> leaseEvents;
    private final ConnectionLimits.Place stranger;
    private final List<ConnectionLimits.Place> places = new ArrayList<>();
    private final LocalAnswers local = new LocalAnswers();
    private final StatementNames names = new StatementNames();

    private String user = "";
    private String database = "";
    private ProtocolVersion version = ProtocolVersion.V3_0;
    private SessionParameters parameters = new SessionParameters(WantedParameters.none());
    private @Nullable Integer cancelProcessId;
    private @Nullable ActorRef<Pool.Command> pool;
    private @Nullable StatementMapping mapping;
    private PoolMode mode = PoolMode.TRANSACTION;
    private boolean draining;

    private ClientSession(
            ActorContext<Command> context,
            TimerScheduler<Command> timers,
            SessionServices services,
            SocketHandle socket,
            ConnectionLimits.Place stranger) {
        this.stranger = stranger;
        this.context = context;
        this.timers = timers;
        this.services = services;
        this.client = new ClientSocket(socket);
        this.remote = socket.remoteAddress();
        this.leaseEvents = context.messageAdapter(LeaseEvent.class, FromBackend::new);
        this.framing = ClientStack.assemble(socket, context, services.loops().dispatcher(socket.loopIndex()));
        socket.onClosed(() -> context.getSelf().tell(new ClientGone()));
        timers.startSingleTimer(
                LOGIN_TIMER,
                new LoginTimedOut(),
                services.config().general().limits().clientLoginTimeout());
    }

    /// Must run on the dispatcher of the socket's event loop.
    public static Behavior<Command> create(SessionServices services, SocketHandle socket) {
        ConnectionLimits.Place stranger = services.limits().ofStrangers();
        if (!stranger.granted()) {
            socket.close();
            return Behaviors.stopped();
        }
        return Behaviors.setup(context -> Behaviors.withTimers(timers ->
                new ClientLogin(new ClientSession(context, timers, services, socket, stranger)).awaitingStartup()));
    }

    // ---- what the login finds out
    // ------------------------------------------------------------------------------------

    void introduced(String userName, String databaseName, ProtocolVersion spoken, WantedParameters wanted) {
        stranger.giveBack();
        user = userName;
        database = databaseName;
        version = spoken;
        parameters = new SessionParameters(wanted);
    }

    void holds(ConnectionLimits.Place place) {
        places.add(place);
    }

    void canBeCancelledBy(int processId) {
        cancelProcessId = processId;
    }

    void joined(PoolSettings settings, Pool.Joined joined) {
        pool = joined.pool();
        mode = settings.options().poolMode();
        if (mode != PoolMode.SESSION && settings.options().preparedStatements()) {
            mapping = new StatementMapping(names, joined.statements());
        }
    }

    /// Logged in: from now on the client's messages are framed as those of a session.
    Behavior<Command> loggedIn() {
        timers.cancel(LOGIN_TIMER);
        framing.loggedIn();
        if (services.config().general().log().logClientConnections()) {
            LOG.atInfo()
                    .addKeyValue(LogKeys.SESSION, sessionId())
                    .addKeyValue(LogKeys.USER, user)
                    .addKeyValue(LogKeys.DATABASE, database)
                    .addKeyValue(LogKeys.REMOTE, remote)
                    .log("session opened");
        }
        return idle();
    }

    // ---- idle
    // --------------------------------------------------------------------------------------------------------

    private Behavior<Command> idle() {
        if (draining) {
            return fail(ProxyError.terminatedByShutdown());
        }
        return state(command -> switch (command) {
            case FromClient(Framed.Messages(var batch), var ack) -> onBatchWhenIdle(batch, ack);
            case CancelRequested(var done) -> cancelled(done);
            case Drain _ -> fail(ProxyError.terminatedByShutdown());
            case FromBackend(var event) -> afterRelease(event);
            default -> common(command);
        });
    }

    private Behavior<Command> onBatchWhenIdle(Batch batch, ActorRef<Ack> ack) {
        boolean goodbye = cutOffTerminate(batch);
        local.cutOffStray(batch);
        if (local.inProgress()) {
            ByteBuf out = client.buffer();
            local.refuse(batch, lastRefusal(), out);
            return answered(batch, out, ack, goodbye);
        }
        @Nullable StatementUse @Nullable [] uses;
        try {
            uses = usesIn(batch);
        } catch (ProtocolViolation violation) {
            batch.release();
            return fail(ProxyError.protocolViolation(violation));
        }
        if (LocalAnswers.needsNoBackend(batch, uses)) {
            names.settleAll();
            ByteBuf out = client.buffer();
            local.answer(batch, out);
            return answered(batch, out, ack, goodbye);
        }
        LeaseId lease = LeaseId.next();
        ClientBatch first = new ClientBatch(batch, uses, ack);
        poolRef().tell(new Pool.Acquire(lease, leaseEvents, parameters.wanted(), Optional.of(first)));
        return waiting(lease, goodbye);
    }

    private Behavior<Command> answered(Batch batch, ByteBuf out, ActorRef<Ack> ack, boolean goodbye) {
        batch.release();
        client.send(out);
        if (goodbye) {
            return closeQuietly();
        }
        client.acknowledge(ack);
        return Behaviors.same();
    }

    private @Nullable ErrorResponse refusal;

    /// Cancel requests for a batch whose lease is still to come.
    private final List<ActorRef<BackendConnection.CancelDone>> cancelsWaiting = new ArrayList<>();

    private void settleCancels() {
        cancelsWaiting.forEach(done -> done.tell(new BackendConnection.CancelDone()));
        cancelsWaiting.clear();
    }

    private ErrorResponse lastRefusal() {
        return refusal == null ? ProxyError.backendLost() : refusal;
    }

    /// Terminate is ours to understand; the server must not get it.
    ///
    /// @return whether the client said goodbye
    private static boolean cutOffTerminate(Batch batch) {
        int last = batch.marks() - 1;
        for (int i = last; i >= 0; i--) {
            if (batch.type(i) == 'X') {
                batch.bytes().writerIndex(batch.start(i));
                return true;
            }
        }
        return false;
    }

    private @Nullable StatementUse @Nullable [] usesIn(Batch batch) {
        return mapping == null ? null : mapping.usesIn(batch);
    }

    /// What a backend says about a lease that this session has given back.
    private Behavior<Command> afterRelease(LeaseEvent event) {
        if (event instanceof LeaseEvent.Replies replies) {
            replies.releaseBytes();
        }
        return Behaviors.same();
    }

    // ---- waiting for a backend
    // -----------------------------------------------------------------------------------------

    private Behavior<Command> waiting(LeaseId lease, boolean goodbye) {
        return state(command -> switch (command) {
            case FromBackend(LeaseEvent.Attached attached) -> {
                if (!attached.lease().equals(lease)) {
                    yield Behaviors.same();
                }
                if (!parameters.hasTold(attached.parameters())
                        || !attached.aligned().isEmpty()) {
                    ByteBuf news = client.buffer();
                    parameters.attachedTo(attached.parameters(), news);
                    parameters.aligned(attached.aligned(), news);
                    client.send(news);
                }
                if (goodbye) {
                    attached.backend().tell(new BackendConnection.Return(lease, BackendConnection.Ending.TERMINATED));
                    yield closeQuietly();
                }
                yield leased(new Lease(lease, attached.backend()));
            }
            case FromBackend(LeaseEvent.Unserved(var id, var batch, var error)) ->
                id.equals(lease) ? unserved(batch, error, goodbye) : Behaviors.same();
            case FromBackend(LeaseEvent.Refused(var id, var error)) ->
                id.equals(lease) ? fail(ProxyError.withSeverity(error, Severity.FATAL)) : Behaviors.same();
            case FromBackend(LeaseEvent.Lost(var id, var _, var _)) ->
                id.equals(lease) ? fail(ProxyError.backendLost()) : Behaviors.same();
            case FromBackend(LeaseEvent.Replies replies) -> afterRelease(replies);
            case CancelRequested(var done) -> {
                // It may be in the queue, or just on its way out of it: whichever answer comes settles the cancel.
                poolRef().tell(new Pool.Withdraw(lease, ProxyError.canceled()));
                cancelsWaiting.add(done);
                yield Behaviors.same();
            }
            case Drain _ -> {
                draining = true;
                yield Behaviors.same();
            }
            // After a goodbye the socket may close at any time; what was asked before it still counts.
            case ClientGone _ -> goodbye ? Behaviors.same() : leave(poolRef(), lease, Optional.empty());
            case Kill _ -> leave(poolRef(), lease, Optional.of(ProxyError.terminatedByShutdown()));
            default -> common(command);
        });
    }

    /// The request comes back: the client gets the error, and the session lives on.
    private Behavior<Command> unserved(Optional<ClientBatch> batch, ErrorResponse error, boolean goodbye) {
        names.dropPending();
        refusal = error;
        settleCancels();
        if (batch.isPresent()) {
            ByteBuf out = client.buffer();
            local.refuse(batch.get().batch(), ProxyError.withSeverity(error, Severity.ERROR), out);
            batch.get().releaseBytes();
            client.send(out);
            client.acknowledge(batch.get().ack());
        }
        return goodbye ? closeQuietly() : idle();
    }

    // ---- leased
    // ----------------------------------------------------------------------------------------------------------

    /// The backend that this session uses at the moment.
    private static final class Lease {
        final LeaseId id;
        final ActorRef<BackendConnection.Command> backend;
        /// The first batch went along with the request.
        long batchesSent = 1;

        Lease(LeaseId id, ActorRef<BackendConnection.Command> backend) {
            this.id = id;
            this.backend = backend;
        }
    }

    private Behavior<Command> leased(Lease lease) {
        return state(command -> switch (command) {
            case FromClient(Framed.Messages(var batch), var ack) -> onBatchWhenLeased(lease, batch, ack);
            case FromBackend(LeaseEvent.Replies replies) -> onReplies(lease, replies);
            case FromBackend(LeaseEvent.Lost(var id, var lastWords, var insideFrame)) ->
                id.equals(lease.id) ? lost(lastWords, insideFrame) : Behaviors.same();
            case FromClient(Framed.Violated(var violation), var _) -> {
                abandon(lease);
                yield fail(ProxyError.protocolViolation(violation));
            }
            case CancelRequested(var done) -> {
                lease.backend.tell(new BackendConnection.Cancel(lease.id, done));
                yield Behaviors.same();
            }
            case Drain _ -> {
                draining = true;
                lease.backend.tell(new BackendConnection.Inquire(lease.id));
                yield Behaviors.same();
            }
            case ClientGone _ -> {
                abandon(lease);
                yield closeQuietly();
            }
            case Kill _ -> {
                abandon(lease);
                yield fail(ProxyError.terminatedByShutdown());
            }
            case FromBackend _ -> Behaviors.same();
            default -> common(command);
        });
    }

    private Behavior<Command> onBatchWhenLeased(Lease lease, Batch batch, ActorRef<Ack> ack) {
        boolean goodbye = cutOffTerminate(batch);
        try {
            ClientBatch more = new ClientBatch(batch, usesIn(batch), ack);
            lease.batchesSent++;
            lease.backend.tell(new BackendConnection.Relay(lease.id, more));
        } catch (ProtocolViolation violation) {
            batch.release();
            abandon(lease);
            return fail(ProxyError.protocolViolation(violation));
        }
        if (goodbye) {
            lease.backend.tell(new BackendConnection.Return(lease.id, BackendConnection.Ending.TERMINATED));
            return closeQuietly();
        }
        return Behaviors.same();
    }

    private Behavior<Command> onReplies(Lease lease, LeaseEvent.Replies replies) {
        if (!replies.lease().equals(lease.id)) {
            return afterRelease(replies);
        }
        // Our own cycle ran before what the client sent, so what the client has changed itself counts last.
        if (!replies.aligned().isEmpty()) {
            ByteBuf news = client.buffer();
            parameters.aligned(replies.aligned(), news);
            client.send(news);
        }
        parameters.reported(replies.reported());
        if (mapping != null) {
            for (byte outcome : replies.outcomes()) {
                names.settle(outcome == LeaseEvent.NAME_CONFIRMED);
            }
        }
        if (replies.forgotten() != ServerOutput.Forgotten.NOTHING) {
            names.allGone();
            if (replies.forgotten() == ServerOutput.Forgotten.SESSION) {
                parameters.discarded();
            }
        }
        client.nowInsideFrame(replies.insideFrame());
        client.send(replies.bytes());
        replies.ack().ifPresent(client::acknowledge);
        if (!replies.settled() || replies.batchesSeen() != lease.batchesSent) {
            return Behaviors.same();
        }
        return settled(lease, replies.status());
    }

    /// Everything that was sent has been answered.
    private Behavior<Command> settled(Lease lease, TransactionStatus status) {
        if (status != TransactionStatus.IDLE) {
            if (mode == PoolMode.STATEMENT) {
                release(lease);
                return fail(ProxyError.statementPoolingBlock());
            }
            return Behaviors.same();
        }
        if (mode == PoolMode.SESSION && !draining) {
            return Behaviors.same();
        }
        release(lease);
        return idle();
    }

    private static void release(Lease lease) {
        lease.backend.tell(new BackendConnection.Return(lease.id, BackendConnection.Ending.FINISHED));
    }

    private static void abandon(Lease lease) {
        lease.backend.tell(new BackendConnection.Return(lease.id, BackendConnection.Ending.ABANDONED));
    }

    private Behavior<Command> lost(Optional<ErrorResponse> lastWords, boolean insideFrame) {
        client.nowInsideFrame(insideFrame);
        if (lastWords.isPresent()) {
            return closeQuietly(); // the client has read it from the server itself
        }
        return fail(ProxyError.backendLost());
    }

    // ---- the end
    // ---------------------------------------------------------------------------------------------------------

    /// Ends a session whose request for a lease is still open: waits for the answer, and gives back what it gets.
    Behavior<Command> leave(ActorRef<Pool.Command> from, LeaseId lease, Optional<ErrorResponse> why) {
        why.ifPresentOrElse(client::sendAndClose, client::close);
        from.tell(new Pool.Withdraw(lease, ProxyError.canceled()));
        return state(command -> switch (command) {
            case FromBackend(LeaseEvent.Attached attached) -> {
                attached.backend()
                        .tell(new BackendConnection.Return(attached.lease(), BackendConnection.Ending.ABANDONED));
                yield attached.lease().equals(lease) ? Behaviors.stopped() : Behaviors.same();
            }
            case FromBackend(LeaseEvent.Replies replies) -> afterRelease(replies);
            case FromBackend(var event) -> {
                if (event instanceof HoldsBytes holder) {
                    holder.releaseBytes();
                }
                yield event.lease().equals(lease) ? Behaviors.stopped() : Behaviors.same();
            }
            case CancelRequested(var done) -> cancelled(done);
            case FromClient from2 -> {
                from2.releaseBytes();
                yield Behaviors.same();
            }
            default -> Behaviors.same();
        });
    }

    /// Ends the session with an error, if the client can still understand one.
    Behavior<Command> fail(ErrorResponse error) {
        client.sendAndClose(error);
        return ended(error.message());
    }

    Behavior<Command> closeQuietly() {
        client.close();
        return ended("client left");
    }

    private Behavior<Command> ended(String reason) {
        if (cancelProcessId != null && services.config().general().log().logClientDisconnections()) {
            LOG.atInfo()
                    .addKeyValue(LogKeys.SESSION, sessionId())
                    .addKeyValue(LogKeys.USER, user)
                    .addKeyValue(LogKeys.DATABASE, database)
                    .addKeyValue(LogKeys.REASON, reason)
                    .log("session closed");
        }
        return Behaviors.stopped();
    }

    Behavior<Command> timedOutInLogin() {
        // Who has not even said his name gets no answer: it may be anything but a PostgreSQL client.
        return user.isEmpty() ? closeQuietly() : fail(ProxyError.loginTimeout());
    }

    private Behavior<Command> common(Command command) {
        return switch (command) {
            case StreamStarted(var ack) -> {
                ack.tell(Ack.ACK);
                yield Behaviors.same();
            }
            case FromClient(Framed.Violated(var violation), var _) -> fail(ProxyError.protocolViolation(violation));
            case FromClient(Framed.Startup _, var _) ->
                fail(ProxyError.protocolViolation("client re-sent startup packet"));
            case FromClient from -> {
                from.releaseBytes();
                yield fail(ProxyError.protocolViolation("message while the previous one is not acknowledged"));
            }
            case ClientGone _ -> closeQuietly();
            case Kill _ -> fail(ProxyError.terminatedByShutdown());
            case CancelRequested(var done) -> cancelled(done);
            case Drain _, LoginTimedOut _, CredentialArrived _, FromPool _, CancelForwarded _ -> Behaviors.same();
            case FromBackend(var event) -> afterRelease(event);
        };
    }

    private static Behavior<Command> cancelled(ActorRef<BackendConnection.CancelDone> done) {
        done.tell(new BackendConnection.CancelDone());
        return Behaviors.same();
    }

    void logRejection(String reason) {
        LOG.atWarn()
                .addKeyValue(LogKeys.REMOTE, remote)
                .addKeyValue(LogKeys.USER, user)
                .addKeyValue(LogKeys.DATABASE, database)
                .addKeyValue(LogKeys.REASON, reason)
                .log("login refused");
    }

    // ---- plumbing
    // ----------------------------------------------------------------------------------------------------------

    interface State {
        Behavior<Command> on(Command command);
    }

    Behavior<Command> state(State state) {
        // Not the builder: a session takes a new state several times in each transaction.
        return Behaviors.receive(
                (_, command) -> state.on(command),
                (_, signal) -> signal instanceof PostStop ? stopped() : Behaviors.unhandled());
    }

    /// Whatever ends a session passes here, once.
    private Behavior<Command> stopped() {
        client.close();
        settleCancels();
        stranger.giveBack();
        places.forEach(ConnectionLimits.Place::giveBack);
        if (cancelProcessId != null) {
            services.cancelKeys().forget(cancelProcessId);
        }
        return Behaviors.same();
    }

    private ActorRef<Pool.Command> poolRef() {
        ActorRef<Pool.Command> joinedPool = pool;
        if (joinedPool == null) {
            throw new IllegalStateException("the session has not joined a pool");
        }
        return joinedPool;
    }

    private String sessionId() {
        return context.getSelf().path().name();
    }

    SessionServices services() {
        return services;
    }

    ActorContext<Command> context() {
        return context;
    }

    ClientSocket client() {
        return client;
    }

    SocketAddress remote() {
        return remote;
    }

    ActorRef<LeaseEvent> leaseEvents() {
        return leaseEvents;
    }

    String user() {
        return user;
    }

    String database() {
        return database;
    }

    ProtocolVersion version() {
        return version;
    }

    SessionParameters parameters() {
        return parameters;
    }
}
