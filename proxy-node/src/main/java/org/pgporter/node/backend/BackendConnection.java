package org.pgporter.node.backend;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.jspecify.annotations.Nullable;
import org.pgporter.node.error.ProxyError;
import org.pgporter.node.logging.LogKeys;
import org.pgporter.node.transport.Ack;
import org.pgporter.node.transport.HoldsBytes;
import org.pgporter.node.transport.ReadAhead;
import org.pgporter.node.transport.SocketHandle;
import org.pgporter.node.work.Gathering;
import org.pgporter.protocol.message.BackendKeyData;
import org.pgporter.protocol.message.ErrorResponse;
import org.pgporter.protocol.stream.Framed;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One connection of ours to one PostgreSQL backend, used by one session at a time.
///
/// ```
///                connected              logged in
///  connecting ─────────────► loggingIn ───────────► idle ◄──────────────────────────┐
///                                                    │ Lend                         │
///                              must confirm first    ▼     nothing to confirm       │
///                       preparing ◄──────────────── Lend ─────────────┐             │
///                           │ confirmed                               ▼             │
///                           └────────────────────────────────────► leased           │
///                                                                     │ Return      │
///              still answering, client said Terminate                 ▼             │
///                        draining ◄───────────────────────────────  Return          │
///                           │ settled                                 │             │
///                           ▼              open transaction or reset  ▼             │
///                        cleaning ◄──────────────────────────────── ended ──────────┤
///                           │ clean           cancel still on its way │             │
///                           └────────────► awaitingCancels ◄──────────┘ ────────────┘
/// ```
///
/// From every state a closed socket, a protocol surprise or doubt about what the server is doing leads to the
/// end: a connection of unknown state is never handed out again. [Evict] leads from idle to the end, too,
/// by way of the server's own. The owner is told by an [Event], the holder of
/// a lease by a [LeaseEvent].
public final class BackendConnection {
    public sealed interface Command {}

    /// Only while the connection is idle. It is prepared for the session, and the first batch, if there is one,
    /// is written.
    public record Lend(LeaseId lease, ActorRef<LeaseEvent> holder, WantedParameters wanted, Optional<ClientBatch> first)
            implements Command, HoldsBytes {
        @Override
        public void releaseBytes() {
            first.ifPresent(ClientBatch::releaseBytes);
        }
    }

    /// More from the session that holds the lease; what comes for another lease is dropped.
    public record Relay(LeaseId lease, ClientBatch batch) implements Command, HoldsBytes {
        @Override
        public void releaseBytes() {
            batch.releaseBytes();
        }
    }

    /// The session needs the backend no longer.
    ///
    /// @param left what it may have left behind there
    public record Return(LeaseId lease, Ending ending, Left left) implements Command {
        /// Nothing is left behind.
        public Return(LeaseId lease, Ending ending) {
            this(lease, ending, Left.NOTHING);
        }
    }

    /// Looks what the session has left on the backend; the holder gets [LeaseEvent.Inspected]. Only while
    /// everything it sent has been answered.
    public record Inspect(LeaseId lease, Inspection inspection) implements Command {}

    /// Cancels what the lease's client waits for. `done` is told when the server has closed the cancel
    /// connection, or at once when there is nothing to cancel.
    public record Cancel(LeaseId lease, ActorRef<CancelDone> done) implements Command {}

    /// The holder wants to hear how things stand; it gets [LeaseEvent.Replies] without bytes.
    public record Inquire(LeaseId lease) implements Command {}

    /// Close as soon as nobody uses it.
    public record Retire(String reason) implements Command {}

    /// Close, for another connection is to be opened in this one's place. Only while it is idle. [Closed]
    /// comes when the server has closed, too, so that it never counts both.
    public record Evict(String reason) implements Command {}

    /// [Retire] and [Evict] in one: close as soon as nobody uses it, and when the server has closed, too.
    public record Replace(String reason) implements Command {}

    /// The owner knows that the connection is closed and will not lend it any more.
    public record Farewell() implements Command {}

    /// Say what you are like. Answered in every state, and without a turn of it.
    public record Describe(ActorRef<Gathering.Answer<ServerView>> replyTo) implements Command {}

    record Connected(SocketHandle socket) implements Command {}

    record ConnectFailed(Throwable cause) implements Command {}

    record FromServer(Framed framed, Ack ack) implements Command, HoldsBytes {
        @Override
        public void releaseBytes() {
            if (framed instanceof Framed.Messages(var batch)) {
                batch.release();
            }
        }
    }

    record ServerGone() implements Command {}

    record SaltedPasswordReady(byte[] salted) implements Command {}

    record TookTooLong(String what) implements Command {}

    record CancelFinished(boolean delivered, List<ActorRef<CancelDone>> done) implements Command {}

    /// Why a lease ends.
    public enum Ending {
        /// The session goes on living; it has nothing open on the backend.
        FINISHED,
        /// The client said goodbye (Terminate): what it asked for is finished and answered, as PostgreSQL
        /// does. The holder hears when that is [LeaseEvent.Over].
        TERMINATED,
        /// The client vanished or was thrown out: what it asked for is cancelled.
        ABANDONED
    }

    /// What a session leaves on a backend beyond its transactions.
    public enum Left {
        NOTHING,
        /// Parameters that nobody could see: RESET ALL.
        PARAMETERS,
        /// State that DISCARD ALL cleans, or nobody has looked.
        STATE,
        /// Something that no statement takes away: the connection is closed.
        LIBRARY
    }

    public record CancelDone() {}

    /// What the owner of the connection learns.
    public sealed interface Event extends OwnerMessage {
        ActorRef<Command> connection();
    }

    /// Logged in and idle.
    public record Opened(ActorRef<Command> connection, ServerParameters parameters, int backendPid) implements Event {}

    /// Could not be opened, with PostgreSQL's own error where it sent one.
    public record OpenFailed(ActorRef<Command> connection, ErrorResponse error) implements Event {}

    /// A lease has ended; the connection is clean and idle again.
    public record Available(ActorRef<Command> connection) implements Event {}

    /// Closed after it had been opened.
    public record Closed(ActorRef<Command> connection, String reason) implements Event {}

    /// Died before a byte of this request was sent: somebody else may serve it.
    public record Declined(ActorRef<Command> connection, Lend lend) implements Event {}

    private static final Logger LOG = LoggerFactory.getLogger(BackendConnection.class);
    private static final String TIMER = "took-too-long";

    private final ActorContext<Command> context;
    private final TimerScheduler<Command> timers;
    private final BackendSettings settings;
    private final BackendOpening opening;
    private final ActorRef<Event> owner;
    private final AcceptedValues accepted;

    private @Nullable String retired;
    private boolean replaced;
    private @Nullable SocketHandle openSocket;
    private @Nullable ReadAhead reading;
    /// What the server has said to a connection without TLS.
    private Optional<ErrorResponse> refusal = Optional.empty();
    /// With which of the role's passwords the login goes on, and whether the server has refused the other one.
    private ServerPasswords.Which password;

    private boolean otherRefused;
    private final long startedAt = System.nanoTime();
    private @Nullable OpenConnection openConnection;
    private int backendPid;

    private BackendConnection(
            ActorContext<Command> context,
            TimerScheduler<Command> timers,
            BackendSettings settings,
            BackendOpening opening,
            AcceptedValues accepted,
            ActorRef<Event> owner) {
        this.context = context;
        this.timers = timers;
        this.settings = settings;
        this.opening = opening;
        this.accepted = accepted;
        this.owner = owner;
        this.password = opening.passwords().first();
    }

    /// Connects and logs in at once. Must run on the dispatcher of the event loop that `opening` connects on.
    public static Behavior<Command> create(
            BackendSettings settings, BackendOpening opening, AcceptedValues accepted, ActorRef<Event> owner) {
        return Behaviors.setup(context -> Behaviors.withTimers(timers -> {
            BackendConnection connection = new BackendConnection(context, timers, settings, opening, accepted, owner);
            return connection.connecting();
        }));
    }

    // ---- opening

    private Behavior<Command> connecting() {
        context.pipeToSelf(
                opening.connect(settings),
                (socket, failure) -> failure == null ? new Connected(socket) : new ConnectFailed(failure));
        return state(ServerView.Activity.NEW, command -> switch (command) {
            case Connected(var socket) -> startLogin(socket);
            case ConnectFailed(var cause) -> openFailed(ProxyError.backendUnreachable(cause));
            case Retire(var reason) -> retireWhenOpen(reason);
            default -> unexpected("connecting", command);
        });
    }

    private Behavior<Command> startLogin(SocketHandle socket) {
        openSocket = socket;
        ReadAhead reads = new ReadAhead(new FromSocket(context.getSelf()));
        reads.readAhead();
        reading = reads;
        opening.read(socket, reads);
        Duration spent = Duration.ofNanos(System.nanoTime() - startedAt);
        Duration left = settings.connectTimeout().minus(spent);
        limit("login", left.isNegative() ? Duration.ZERO : left);
        BackendLogin login = opening.login(settings, socket.tls(), password);
        socket.writeAndFlush(login.start(socket.allocator()));
        return loggingIn(socket, login);
    }

    private Behavior<Command> loggingIn(SocketHandle socket, BackendLogin login) {
        return state(ServerView.Activity.NEW, command -> switch (command) {
            case FromServer(Framed.Messages(var batch), var ack) -> {
                BackendLogin.Step step = login.onBatch(batch, socket.allocator());
                ack.acknowledge();
                yield afterLoginStep(socket, step);
            }
            case FromServer(Framed.Violated(var violation), var _) ->
                openFailed(ProxyError.backendSurprise(violation.getMessage()));
            case FromServer(Framed.Startup _, var _) -> Behaviors.unhandled();
            case SaltedPasswordReady(var salted) ->
                afterLoginStep(socket, login.onSaltedPassword(salted, socket.allocator()));
            case ServerGone _ -> openFailed(ProxyError.backendClosedDuringLogin());
            case TookTooLong _ -> openFailed(ProxyError.backendLoginTimedOut(settings.connectTimeout()));
            case Retire(var reason) -> retireWhenOpen(reason);
            default -> unexpected("logging in", command);
        });
    }

    private Behavior<Command> afterLoginStep(SocketHandle socket, BackendLogin.Step step) {
        return switch (step) {
            case BackendLogin.Step.Waits _ -> Behaviors.same();
            case BackendLogin.Step.Sends(var bytes) -> {
                socket.writeAndFlush(bytes);
                yield Behaviors.same();
            }
            case BackendLogin.Step.NeedsSaltedPassword(var derivation) -> {
                context.pipeToSelf(
                        opening.derive(derivation),
                        (salted, failure) -> failure == null
                                ? new SaltedPasswordReady(salted)
                                : new TookTooLong("deriving the salted password"));
                yield Behaviors.same();
            }
            case BackendLogin.Step.Failed(var error) -> {
                if (opening.maySucceedEncrypted(socket, error)) {
                    refusal = Optional.of(error);
                    yield refused(socket, error, true);
                }
                if (!otherRefused && opening.maySucceedWithOtherPassword(error)) {
                    otherRefused = true;
                    password = password.other();
                    yield refused(socket, error, socket.tls().isPresent());
                }
                yield openFailed(error);
            }
            case BackendLogin.Step.Done(var parameters, var key) -> {
                unlimited();
                if (refusal.isPresent()) {
                    opening.succeededEncrypted();
                }
                if (otherRefused) {
                    opening.passwords().holds(password);
                }
                BackendConversation talk = new BackendConversation(
                        socket.allocator(),
                        settings.statementCapacity(),
                        accepted,
                        opening.meter(),
                        settings.user(),
                        settings.identity().defaultRole(),
                        parameters);
                backendPid = key.map(BackendKeyData::processId).orElse(0);
                owner.tell(new Opened(context.getSelf(), parameters, backendPid));
                OpenConnection open = new OpenConnection(this, socket, key, talk);
                openConnection = open;
                yield open.becomeIdle();
            }
        };
    }

    /// Once more, as soon as the stream of this socket has ended: with TLS where server_tls_mode is allow, or with the
    /// other of two passwords.
    private Behavior<Command> refused(SocketHandle socket, ErrorResponse error, boolean encrypted) {
        socket.close();
        return state(ServerView.Activity.NEW, command -> switch (command) {
            case ServerGone _ -> connectingAgain(error, encrypted);
            case FromServer from -> {
                from.releaseBytes();
                from.ack().acknowledge();
                yield Behaviors.same();
            }
            case TookTooLong _ -> openFailed(error);
            case Retire(var reason) -> retireWhenOpen(reason);
            default -> unexpected("refused", command);
        });
    }

    private Behavior<Command> connectingAgain(ErrorResponse error, boolean encrypted) {
        unlimited();
        Duration left = settings.connectTimeout().minus(Duration.ofNanos(System.nanoTime() - startedAt));
        context.pipeToSelf(
                opening.connectAgain(settings, encrypted, left.isNegative() ? Duration.ZERO : left),
                (socket, failure) -> failure == null ? new Connected(socket) : new ConnectFailed(failure));
        return state(ServerView.Activity.NEW, command -> switch (command) {
            case Connected(var socket) -> startLogin(socket);
            case ConnectFailed(var cause) -> {
                LOG.atDebug()
                        .addKeyValue(LogKeys.SERVER, settings.address())
                        .addKeyValue(LogKeys.REASON, cause.getMessage())
                        .log("server has refused a login, and cannot be reached for another one");
                yield openFailed(error);
            }
            case Retire(var reason) -> retireWhenOpen(reason);
            default -> unexpected("connecting again", command);
        });
    }

    private Behavior<Command> openFailed(ErrorResponse error) {
        owner.tell(new OpenFailed(context.getSelf(), error));
        return Behaviors.stopped();
    }

    Behavior<Command> retireWhenOpen(String reason) {
        retired = reason;
        return Behaviors.same();
    }

    void isReplaced() {
        replaced = true;
    }

    /// Whether the server's end is waited for.
    boolean replaced() {
        return replaced;
    }

    Optional<String> retired() {
        return Optional.ofNullable(retired);
    }

    // ---- what the states share

    ActorContext<Command> context() {
        return context;
    }

    BackendSettings settings() {
        return settings;
    }

    BackendOpening opening() {
        return opening;
    }

    ActorRef<Event> owner() {
        return owner;
    }

    /// What is going on must end within this time, or [TookTooLong] comes.
    void limit(String what, Duration duration) {
        timers.startSingleTimer(TIMER, new TookTooLong(what), duration);
    }

    void unlimited() {
        timers.cancel(TIMER);
    }

    Behavior<Command> unexpected(String state, Command command) {
        if (command instanceof HoldsBytes holder) {
            holder.releaseBytes();
        }
        LOG.atError()
                .addKeyValue(LogKeys.STATE, state)
                .addKeyValue(LogKeys.COMMAND, command.getClass().getSimpleName())
                .log("message makes no sense in this state");
        return Behaviors.same();
    }

    interface State {
        Behavior<Command> on(Command command);
    }

    Behavior<Command> state(ServerView.Activity activity, State state) {
        return new ConnectionBehavior(this, activity, state);
    }

    ServerView view(ServerView.Activity activity) {
        long now = System.nanoTime();
        Instant wall = Instant.now();
        Optional<SocketHandle> socket = Optional.ofNullable(openSocket);
        Optional<OpenConnection> open = Optional.ofNullable(openConnection);
        boolean idle = activity == ServerView.Activity.IDLE;
        return new ServerView(
                context.getSelf().path().name(),
                settings.user(),
                settings.database(),
                activity,
                socket.map(SocketHandle::remoteAddress),
                socket.map(SocketHandle::localAddress),
                wall.minusNanos(now - startedAt),
                open.flatMap(OpenConnection::lentAt).map(at -> wall.minusNanos(now - at)),
                open.filter(_ -> idle)
                        .map(it -> Duration.ofNanos(now - it.idleSince()))
                        .orElse(Duration.ZERO),
                open.filter(_ -> activity == ServerView.Activity.ACTIVE).flatMap(OpenConnection::holder),
                backendPid,
                socket.flatMap(SocketHandle::tls),
                open.map(OpenConnection::applicationName).orElse(""),
                open.map(OpenConnection::preparedStatements).orElse(0),
                retired != null);
    }

    void stopped() {
        if (openSocket != null) {
            openSocket.closeAfterFlush();
        }
        if (reading != null) {
            reading.stop();
        }
    }

    private record FromSocket(ActorRef<Command> connection) implements ReadAhead.Receiver {
        @Override
        public void received(Framed framed, Ack ack) {
            connection.tell(new FromServer(framed, ack));
        }

        @Override
        public void ended() {
            connection.tell(new ServerGone());
        }
    }
}
