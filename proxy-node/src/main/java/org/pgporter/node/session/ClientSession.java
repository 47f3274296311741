package org.pgporter.node.session;

import java.net.SocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.jspecify.annotations.Nullable;
import org.pgporter.auth.AuthenticationStep;
import org.pgporter.auth.Identity;
import org.pgporter.config.ConsoleOptions;
import org.pgporter.config.PoolSettings;
import org.pgporter.node.backend.BackendConnection;
import org.pgporter.node.backend.HolderMessage;
import org.pgporter.node.backend.LeaseEvent;
import org.pgporter.node.backend.LeaseId;
import org.pgporter.node.backend.WantedParameters;
import org.pgporter.node.error.ProxyError;
import org.pgporter.node.logging.LogKeys;
import org.pgporter.node.login.LoginDecision;
import org.pgporter.node.pool.Pool;
import org.pgporter.node.tls.TlsSession;
import org.pgporter.node.transport.Ack;
import org.pgporter.node.transport.HoldsBytes;
import org.pgporter.node.transport.ReadAhead;
import org.pgporter.node.transport.SocketHandle;
import org.pgporter.node.work.Gathering;
import org.pgporter.protocol.message.ErrorResponse;
import org.pgporter.protocol.message.ProtocolVersion;
import org.pgporter.protocol.stream.Framed;
import org.pgporter.protocol.stream.FramingControl;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.spi.LoggingEventBuilder;

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
/// While it waits, the client is not read further: its next batch is acknowledged when the first is on its
/// way. A lease that has been asked for is always answered, so a session that ends while it waits stays
/// until it knows, or a backend would be lent to nobody ([#leave]).
public final class ClientSession {
    public sealed interface Command extends HolderMessage {}

    /// Somebody sent this session's cancel key. `done` is told when the cancel has had its effect, or has
    /// none.
    public record CancelRequested(ActorRef<BackendConnection.CancelDone> done) implements Command {}

    /// End at the next moment at which nothing is open.
    public record Drain() implements Command {}

    /// End now.
    ///
    /// @param why what the client is told
    public record Kill(ErrorResponse why) implements Command {
        /// Because the node stops.
        public Kill() {
            this(ProxyError.terminatedByShutdown());
        }
    }

    /// End now, if the client is of this database.
    record KillIfOf(Optional<String> database, ErrorResponse why) implements Command {}

    /// Say what you are like. Answered in every state, and without a turn of it.
    public record Describe(ActorRef<Gathering.Answer<ClientView>> replyTo) implements Command {}

    /// What the console has been waiting for.
    record ConsoleAnswers(ConsoleAccess.Continuation goesOn) implements Command {}

    record FromClient(Framed framed, Ack ack) implements Command, HoldsBytes {
        @Override
        public void releaseBytes() {
            if (framed instanceof Framed.Messages(var batch)) {
                batch.release();
            }
        }
    }

    /// The client has closed its connection, or we have.
    ///
    /// @param everythingRead nothing that it sent before is still on its way to us
    record ClientGone(boolean everythingRead) implements Command {}

    /// How the login goes on.
    record Decided(LoginDecision decision) implements Command {}

    /// Somebody who was asked about the client has answered.
    record Stepped(AuthenticationStep step) implements Command {}

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

    /// The token that the session was opened with may have ended.
    record TokenEnds() implements Command {}

    /// One of the [SessionTimeouts] may have come.
    record WakeUp() implements Command {}

    private static final Logger LOG = LoggerFactory.getLogger(ClientSession.class);
    private static final String LOGIN_TIMER = "login";
    private static final String WAKE_UP_TIMER = "wake-up";
    private static final String TOKEN_TIMER = "token";

    /// Pekko's timers take no more than 248 days; who waits longer is woken in between.
    private static final Duration LONGEST_WAIT = Duration.ofDays(100);

    private final ActorContext<HolderMessage> context;
    private final TimerScheduler<HolderMessage> timers;
    private final SessionServices services;
    private final ClientSocket client;
    private final SocketAddress remote;
    private final int loop;
    private final ReadAhead reading;
    private final FramingControl framing;
    private final ActorRef<LeaseEvent> leaseEvents;
    private final ActorRef<Sessions.Command> parent;
    private final long connectedAt = System.nanoTime();
    private final ConnectionLimits.Place stranger;
    private final List<ConnectionLimits.Place> places = new ArrayList<>();
    /// Cancel requests for a batch whose lease is still to come.
    private final List<ActorRef<BackendConnection.CancelDone>> cancelsWaiting = new ArrayList<>();

    private String user = "";
    private String database = "";
    private ProtocolVersion version = ProtocolVersion.V3_0;
    private SessionParameters parameters = new SessionParameters(WantedParameters.none());
    private @Nullable Integer cancelProcessId;
    private @Nullable ServingSession serving;
    private String replication = "";
    /// When the token ends that the session was opened with.
    private Optional<Instant> expires = Optional.empty();

    private ClientSession(
            ActorContext<HolderMessage> context,
            TimerScheduler<HolderMessage> timers,
            SessionServices services,
            SocketHandle socket,
            ConnectionLimits.Place stranger,
            ActorRef<Sessions.Command> parent) {
        this.stranger = stranger;
        this.parent = parent;
        this.context = context;
        this.timers = timers;
        this.services = services;
        this.client = new ClientSocket(socket);
        this.remote = socket.remoteAddress();
        this.loop = socket.loopIndex();
        this.leaseEvents = context.getSelf().narrow();
        this.reading = new ReadAhead(new FromSocket(context.getSelf().narrow()));
        this.framing = ClientStack.assemble(
                socket, reading, context.getSystem(), services.loops().dispatcher(loop));
        socket.onClosed(() -> context.getSelf().tell(new ClientGone(false)));
        timers.startSingleTimer(
                LOGIN_TIMER,
                new LoginTimedOut(),
                services.config().general().limits().clientLoginTimeout());
    }

    /// Must run on the dispatcher of the socket's event loop.
    static Behavior<HolderMessage> create(
            SessionServices services, SocketHandle socket, ActorRef<Sessions.Command> parent) {
        ConnectionLimits.Place stranger = services.limits().ofStrangers();
        if (!stranger.granted()) {
            socket.close();
            return Behaviors.stopped();
        }
        return Behaviors.setup(context -> Behaviors.withTimers(timers -> SessionBehavior.ofHolder(
                new ClientLogin(new ClientSession(context, timers, services, socket, stranger, parent))
                        .awaitingStartup())));
    }

    // ---- what the login finds out

    /// What stands in the startup packet, if the client wants a walsender.
    void replicates(String asked) {
        replication = asked;
    }

    void introduced(String userName, String databaseName, ProtocolVersion spoken, WantedParameters wanted) {
        user = userName;
        database = databaseName;
        version = spoken;
        parameters = new SessionParameters(wanted);
    }

    /// The client has proved who it is.
    void isKnownAs(Identity proven) {
        stranger.giveBack();
        user = proven.user();
        expires = proven.expires();
        proven.applicationName()
                .ifPresent(name ->
                        parameters = new SessionParameters(parameters.wanted().with("application_name", name)));
    }

    /// Whether the session was opened with a token that has ended by now; if not, it is asked again when
    /// that may have happened.
    boolean tokenHasEnded() {
        if (expires.isEmpty()) {
            return false;
        }
        Duration left = Duration.between(Instant.now(), expires.get());
        if (!left.isPositive()) {
            return true;
        }
        timers.startSingleTimer(TOKEN_TIMER, new TokenEnds(), left.compareTo(LONGEST_WAIT) < 0 ? left : LONGEST_WAIT);
        return false;
    }

    void holds(ConnectionLimits.Place place) {
        places.add(place);
    }

    void canBeCancelledBy(int processId) {
        cancelProcessId = processId;
    }

    /// Logged in: from now on the client's messages are framed as those of a session.
    ///
    /// @param kept a backend that the session keeps until its end
    Behavior<Command> loggedIn(PoolSettings settings, Pool.Joined joined, Optional<LeaseEvent.Attached> kept) {
        opened();
        ServingSession begun = new ServingSession(this, settings, joined);
        serving = begun;
        if (tokenHasEnded()) {
            context.getSelf().tell(new TokenEnds());
        }
        return kept.map(begun::keeping).orElseGet(begun::idle);
    }

    /// The same, for a session of the console.
    Behavior<Command> loggedIn(ConsoleAccess.Talk talk) {
        opened();
        parent.tell(new Sessions.NotWaitedFor(self()));
        if (tokenHasEnded()) {
            context.getSelf().tell(new TokenEnds());
        }
        return new ConsoleSession(this, talk).idle();
    }

    private void opened() {
        timers.cancel(LOGIN_TIMER);
        framing.loggedIn();
        reading.readAhead();
        if (services.config().general().log().logClientConnections()) {
            LoggingEventBuilder line = LOG.atInfo()
                    .addKeyValue(LogKeys.SESSION, sessionId())
                    .addKeyValue(LogKeys.USER, user)
                    .addKeyValue(LogKeys.DATABASE, database)
                    .addKeyValue(LogKeys.REMOTE, remote);
            if (client.tls().isPresent()) {
                TlsSession tls = client.tls().get();
                line = line.addKeyValue(LogKeys.TLS, tls.protocol());
                if (tls.serverName().isPresent()) {
                    line = line.addKeyValue(
                            LogKeys.SERVER_NAME, tls.serverName().get());
                }
            }
            line.log("session opened");
        }
    }

    /// The timeouts of a session of this pool. It is woken by [WakeUp].
    SessionTimeouts timeouts(PoolSettings settings) {
        return new SessionTimeouts(
                settings.options(),
                System::nanoTime,
                wait -> timers.startSingleTimer(WAKE_UP_TIMER, new WakeUp(), wait));
    }

    /// The session gets a [WakeUp] after this time, if it is still there by then.
    void wakesUpIn(Duration wait) {
        timers.startSingleTimer(WAKE_UP_TIMER, new WakeUp(), wait);
    }

    // ---- cancel

    /// The session waits for a lease: the cancel is done when the lease, or its refusal, has come.
    void cancelWhenLent(ActorRef<BackendConnection.CancelDone> done) {
        cancelsWaiting.add(done);
    }

    void passCancelsTo(ActorRef<BackendConnection.Command> backend, LeaseId lease) {
        cancelsWaiting.forEach(done -> backend.tell(new BackendConnection.Cancel(lease, done)));
        cancelsWaiting.clear();
    }

    void settleCancels() {
        cancelsWaiting.forEach(done -> done.tell(new BackendConnection.CancelDone()));
        cancelsWaiting.clear();
    }

    // ---- the end

    /// What a backend says about a lease that this session has given back.
    Behavior<Command> afterRelease(LeaseEvent event) {
        if (event instanceof LeaseEvent.Replies replies) {
            replies.releaseBytes();
        }
        return Behaviors.same();
    }

    /// Ends a session whose request for a lease is still open: waits for the answer, and gives back what it
    /// gets.
    Behavior<Command> leave(ActorRef<Pool.Command> from, LeaseId lease, Optional<ErrorResponse> why) {
        why.ifPresentOrElse(client::sendAndClose, client::close);
        from.tell(new Pool.Withdraw(lease, ProxyError.canceled()));
        return state(ClientView.Activity.LEAVING, command -> switch (command) {
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
            case FromClient late -> {
                late.releaseBytes();
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

    /// What every state does with what is not its own.
    Behavior<Command> common(Command command) {
        return switch (command) {
            case FromClient(Framed.Violated(var violation), var _) -> fail(ProxyError.protocolViolation(violation));
            case FromClient(Framed.Startup _, var _) ->
                fail(ProxyError.protocolViolation("client re-sent startup packet"));
            case FromClient from -> {
                from.releaseBytes();
                yield fail(ProxyError.protocolViolation("message while the previous one is not acknowledged"));
            }
            case ClientGone _ -> closeQuietly();
            case Kill(var why) -> fail(why);
            case CancelRequested(var done) -> cancelled(done);
            case Drain _, LoginTimedOut _, WakeUp _, TokenEnds _, Decided _, Stepped _, FromPool _, CancelForwarded _ ->
                Behaviors.same();
            case Describe _, KillIfOf _, ConsoleAnswers _ -> Behaviors.same();
            case FromBackend(var event) -> afterRelease(event);
        };
    }

    /// There is nothing to cancel.
    static Behavior<Command> cancelled(ActorRef<BackendConnection.CancelDone> done) {
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

    private record FromSocket(ActorRef<Command> session) implements ReadAhead.Receiver {
        @Override
        public void received(Framed framed, Ack ack) {
            session.tell(new FromClient(framed, ack));
        }

        @Override
        public void ended() {
            session.tell(new ClientGone(true));
        }
    }

    interface State {
        Behavior<Command> on(Command command);
    }

    Behavior<Command> state(ClientView.Activity activity, State state) {
        return new SessionBehavior(this, activity, state).narrow();
    }

    ClientView view(ClientView.Activity activity) {
        long now = System.nanoTime();
        Instant wall = Instant.now();
        Optional<ServingSession> server = Optional.ofNullable(serving);
        Optional<Long> requested = server.flatMap(ServingSession::requestedAt);
        return new ClientView(
                sessionId(),
                user,
                database,
                server.map(ServingSession::poolUser).orElse(""),
                replication,
                activity,
                remote,
                client.localAddress(),
                wall.minusNanos(now - connectedAt),
                requested.map(at -> wall.minusNanos(now - at)),
                requested
                        .filter(_ -> activity == ClientView.Activity.WAITING)
                        .map(at -> Duration.ofNanos(now - at))
                        .orElse(Duration.ZERO),
                server.flatMap(ServingSession::lastBackend),
                client.tls(),
                parameters.applicationName(),
                server.map(ServingSession::preparedStatements).orElse(0));
    }

    boolean isOf(Optional<String> which) {
        return !ConsoleOptions.isConsole(database)
                && which.map(database::equals).orElse(!database.isEmpty());
    }

    /// Whatever ends a session passes here, once.
    void stopped() {
        client.close();
        reading.stop();
        settleCancels();
        stranger.giveBack();
        places.forEach(ConnectionLimits.Place::giveBack);
        if (cancelProcessId != null) {
            services.cancelKeys().forget(cancelProcessId);
        }
        services.pins().forget(sessionId());
    }

    String sessionId() {
        return context.getSelf().path().name();
    }

    SessionServices services() {
        return services;
    }

    ActorContext<HolderMessage> context() {
        return context;
    }

    ActorRef<Command> self() {
        return context.getSelf().narrow();
    }

    ClientSocket client() {
        return client;
    }

    /// The index of the event loop that the session lives on.
    int loop() {
        return loop;
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
