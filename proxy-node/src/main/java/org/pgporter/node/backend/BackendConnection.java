package org.pgporter.node.backend;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.apache.pekko.stream.typed.javadsl.ActorSink;
import org.jspecify.annotations.Nullable;
import org.pgporter.node.error.ProxyError;
import org.pgporter.node.transport.Ack;
import org.pgporter.node.transport.HoldsBytes;
import org.pgporter.node.transport.SocketHandle;
import org.pgporter.protocol.message.BackendKeyData;
import org.pgporter.protocol.message.ErrorResponse;
import org.pgporter.protocol.message.ParameterStatus;
import org.pgporter.protocol.message.Terminate;
import org.pgporter.protocol.message.TransactionStatus;
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
/// end: a connection of unknown state is never handed out again. The owner is told by an [Event], the holder of
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
    public record Return(LeaseId lease, Ending ending) implements Command {}

    /// Cancels what the lease's client waits for. `done` is told when the server has closed the cancel
    /// connection, or at once when there is nothing to cancel.
    public record Cancel(LeaseId lease, ActorRef<CancelDone> done) implements Command {}

    /// The holder wants to hear how things stand; it gets [LeaseEvent.Replies] without bytes.
    public record Inquire(LeaseId lease) implements Command {}

    /// Close as soon as nobody uses it.
    public record Retire(String reason) implements Command {}

    /// The owner knows that the connection is closed and will not lend it any more.
    public record Farewell() implements Command {}

    private record Connected(SocketHandle socket) implements Command {}

    private record ConnectFailed(Throwable cause) implements Command {}

    private record StreamStarted(ActorRef<Ack> ack) implements Command {}

    private record FromServer(Framed framed, ActorRef<Ack> ack) implements Command, HoldsBytes {
        @Override
        public void releaseBytes() {
            if (framed instanceof Framed.Messages(var batch)) {
                batch.release();
            }
        }
    }

    private record ServerGone() implements Command {}

    private record SaltedPasswordReady(byte[] salted) implements Command {}

    private record TookTooLong(String what) implements Command {}

    private record CancelFinished(boolean delivered, ActorRef<CancelDone> done) implements Command {}

    /// Why a lease ends.
    public enum Ending {
        /// The session goes on living; it has nothing open on the backend.
        FINISHED,
        /// The client said goodbye (Terminate): what it asked for is finished, as PostgreSQL does.
        TERMINATED,
        /// The client vanished or was thrown out: what it asked for is cancelled.
        ABANDONED
    }

    public record CancelDone() {}

    /// What the owner of the connection learns.
    public sealed interface Event {
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

    private int pendingCancels;
    private boolean cancelInDoubt;
    private long idleSince;
    private @Nullable String retired;
    private @Nullable SocketHandle openSocket;

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
    }

    /// Connects and logs in at once. Must run on the dispatcher of the event loop that `opening` connects on.
    public static Behavior<Command> create(
            BackendSettings settings, BackendOpening opening, AcceptedValues accepted, ActorRef<Event> owner) {
        return Behaviors.setup(context -> Behaviors.withTimers(timers -> {
            BackendConnection connection = new BackendConnection(context, timers, settings, opening, accepted, owner);
            return connection.connecting();
        }));
    }

    // ---- opening -----------------------------------------------------------------------------------------

    private Behavior<Command> connecting() {
        context.pipeToSelf(
                opening.connect(settings),
                (socket, failure) -> failure == null ? new Connected(socket) : new ConnectFailed(failure));
        return state(command -> switch (command) {
            case Connected(var socket) -> startLogin(socket);
            case ConnectFailed(var cause) -> openFailed(ProxyError.backendUnreachable(cause));
            case Retire(var reason) -> retireWhenOpen(reason);
            default -> unexpected("connecting", command);
        });
    }

    private Behavior<Command> startLogin(SocketHandle socket) {
        openSocket = socket;
        opening.read(
                socket,
                ActorSink.actorRefWithBackpressure(
                        context.getSelf(),
                        (ack, framed) -> new FromServer(framed, ack),
                        StreamStarted::new,
                        Ack.ACK,
                        new ServerGone(),
                        _ -> new ServerGone()));
        limit("login", settings.connectTimeout());
        BackendLogin login = opening.login(settings);
        send(socket, login.start(socket.allocator()));
        return loggingIn(socket, login);
    }

    private Behavior<Command> loggingIn(SocketHandle socket, BackendLogin login) {
        return state(command -> switch (command) {
            case FromServer(Framed.Messages(var batch), var ack) -> {
                BackendLogin.Step step = login.onBatch(batch, socket.allocator());
                ack.tell(Ack.ACK);
                yield afterLoginStep(socket, step);
            }
            case FromServer(Framed.Violated(var violation), var _) ->
                openFailed(ProxyError.backendSurprise(violation.getMessage()));
            case FromServer(Framed.Startup _, var _) -> Behaviors.unhandled();
            case SaltedPasswordReady(var salted) ->
                afterLoginStep(socket, login.onSaltedPassword(salted, socket.allocator()));
            case ServerGone _ -> openFailed(ProxyError.backendClosedDuringLogin());
            case TookTooLong _ -> openFailed(ProxyError.backendLoginTimedOut(settings.connectTimeout()));
            case StreamStarted(var ack) -> acknowledged(ack);
            case Retire(var reason) -> retireWhenOpen(reason);
            default -> unexpected("logging in", command);
        });
    }

    private Behavior<Command> afterLoginStep(SocketHandle socket, BackendLogin.Step step) {
        return switch (step) {
            case BackendLogin.Step.Waits _ -> Behaviors.same();
            case BackendLogin.Step.Sends(var bytes) -> {
                send(socket, bytes);
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
            case BackendLogin.Step.Failed(var error) -> openFailed(error);
            case BackendLogin.Step.Done(var parameters, var key) -> {
                timers.cancel(TIMER);
                Backend backend = new Backend(
                        socket,
                        key,
                        new BackendConversation(
                                socket.allocator(), settings.statementCapacity(), accepted, parameters));
                owner.tell(new Opened(
                        context.getSelf(),
                        parameters,
                        key.map(BackendKeyData::processId).orElse(0)));
                yield becomeIdle(backend);
            }
        };
    }

    private Behavior<Command> openFailed(ErrorResponse error) {
        owner.tell(new OpenFailed(context.getSelf(), error));
        return Behaviors.stopped();
    }

    private Behavior<Command> retireWhenOpen(String reason) {
        retired = reason;
        return Behaviors.same();
    }

    /// An open connection: where to write, how to cancel, and what has been said.
    private record Backend(SocketHandle socket, Optional<BackendKeyData> key, BackendConversation talk) {}

    // ---- idle --------------------------------------------------------------------------------------------

    private Behavior<Command> becomeIdle(Backend backend) {
        idleSince = System.nanoTime();
        backend.talk().lent(false);
        return retired == null ? idle(backend) : closing(backend, retired);
    }

    private Behavior<Command> idle(Backend backend) {
        return state(command -> switch (command) {
            case Lend lend -> onLend(backend, lend);
            case FromServer(Framed.Messages(var batch), var ack) -> {
                ServerOutput output = backend.talk().fromServer(batch);
                output.bytes().release();
                ack.tell(Ack.ACK);
                if (output.fatal().isPresent()) {
                    yield closing(backend, output.fatal().get().message());
                }
                yield backend.talk().settled() ? Behaviors.same() : closing(backend, "idle server got dirty");
            }
            case Retire(var reason) -> closing(backend, reason);
            case CancelFinished finished -> cancelFinished(finished);
            case Relay relay -> dropped(relay);
            case Return _ -> Behaviors.same();
            case Cancel(var _, var done) -> nothingToCancel(done);
            default -> common(backend, command);
        });
    }

    private Behavior<Command> onLend(Backend backend, Lend lend) {
        BackendConversation talk = backend.talk();
        talk.lent(true);
        boolean checked = System.nanoTime() - idleSince < settings.checkDelay().toNanos();
        Optional<BackendConversation.Preparation> preparation = talk.prepareFor(lend.wanted());
        if (checked && preparation.isEmpty()) {
            return attach(backend, lend, List.of());
        }
        if (checked && preparation.get().pipelined() && lend.first().isPresent()) {
            backend.socket().write(preparation.get().bytes());
            return attach(backend, lend, List.of());
        }
        preparation.ifPresent(own -> backend.socket().write(own.bytes()));
        if (preparation.isEmpty()) {
            backend.socket().write(talk.ownQuery(""));
        }
        backend.socket().flush();
        limit("preparation of the connection", settings.connectTimeout());
        return preparing(backend, lend, List.of());
    }

    private Behavior<Command> preparing(Backend backend, Lend lend, List<ParameterStatus> aligned) {
        return state(command -> switch (command) {
            case FromServer(Framed.Messages(var batch), var ack) -> {
                ServerOutput output = backend.talk().fromServer(batch);
                output.bytes().release();
                ack.tell(Ack.ACK);
                if (output.fatal().isPresent()) {
                    yield declined(backend, lend, output.fatal().get().message());
                }
                if (output.ownError().isPresent()) {
                    timers.cancel(TIMER);
                    lend.releaseBytes();
                    lend.holder()
                            .tell(new LeaseEvent.Refused(
                                    lend.lease(), output.ownError().get()));
                    yield ended(backend);
                }
                List<ParameterStatus> all = Stream.concat(aligned.stream(), output.aligned().stream())
                        .toList();
                if (output.ownCycleEnded() && backend.talk().settled()) {
                    timers.cancel(TIMER);
                    yield attach(backend, lend, all);
                }
                yield preparing(backend, lend, all);
            }
            case Return(var lease, var _) -> {
                if (!lease.equals(lend.lease())) {
                    yield Behaviors.same();
                }
                lend.releaseBytes();
                yield cleaning(backend);
            }
            case ServerGone _ -> declined(backend, lend, "connection closed by the server");
            case TookTooLong(var what) -> declined(backend, lend, what + " took too long");
            case Cancel(var _, var done) -> nothingToCancel(done);
            case CancelFinished finished -> cancelFinished(finished);
            case Relay relay -> dropped(relay);
            case Retire(var reason) -> retireWhenOpen(reason);
            default -> common(backend, command);
        });
    }

    private Behavior<Command> declined(Backend backend, Lend lend, String reason) {
        owner.tell(new Declined(context.getSelf(), lend));
        return closing(backend, reason);
    }

    // ---- leased ------------------------------------------------------------------------------------------

    private Behavior<Command> attach(Backend backend, Lend lend, List<ParameterStatus> aligned) {
        Lease lease = new Lease(lend.lease(), lend.holder());
        lend.holder()
                .tell(new LeaseEvent.Attached(
                        lend.lease(), context.getSelf(), backend.talk().parameters(), aligned));
        lend.first().ifPresent(batch -> relay(backend, lease, batch));
        return leased(backend, lease);
    }

    /// The current use of the connection.
    private static final class Lease {
        final LeaseId id;
        final ActorRef<LeaseEvent> holder;
        long batchesSeen;
        Optional<ErrorResponse> lastWords = Optional.empty();

        Lease(LeaseId id, ActorRef<LeaseEvent> holder) {
            this.id = id;
            this.holder = holder;
        }
    }

    private Behavior<Command> leased(Backend backend, Lease lease) {
        return state(command -> switch (command) {
            case Relay relay -> {
                if (!relay.lease().equals(lease.id)) {
                    yield dropped(relay);
                }
                relay(backend, lease, relay.batch());
                yield Behaviors.same();
            }
            case FromServer(Framed.Messages(var batch), var ack) ->
                replies(backend, lease, backend.talk().fromServer(batch), ack);
            case Return(var id, var ending) -> id.equals(lease.id) ? onReturn(backend, ending) : Behaviors.same();
            case Cancel(var id, var done) ->
                id.equals(lease.id) && backend.talk().clientWaits() ? cancel(backend, done) : nothingToCancel(done);
            case CancelFinished finished -> cancelFinished(finished);
            case Inquire(var id) -> {
                if (id.equals(lease.id)) {
                    tellReplies(backend, lease, nothingButBytes(backend, Unpooled.EMPTY_BUFFER), Optional.empty());
                }
                yield Behaviors.same();
            }
            case ServerGone _ -> lost(backend, lease, "connection closed by the server");
            case FromServer(Framed.Violated(var violation), var _) -> lost(backend, lease, violation.getMessage());
            case Retire(var reason) -> retireWhenOpen(reason);
            case TookTooLong _ -> Behaviors.same();
            default -> common(backend, command);
        });
    }

    private void relay(Backend backend, Lease lease, ClientBatch batch) {
        lease.batchesSeen++;
        ByteBuf bytes = backend.talk().toServer(batch.batch(), batch.uses());
        if (bytes.isReadable()) {
            backend.socket().writeAndFlush(bytes);
        } else {
            bytes.release();
            backend.socket().flush();
        }
        acknowledgeWhenWritable(backend.socket(), batch.ack());
        ByteBuf due = backend.talk().dueLocalReplies();
        if (due.isReadable()) {
            tellReplies(backend, lease, nothingButBytes(backend, due), Optional.empty());
        }
    }

    private static ServerOutput nothingButBytes(Backend backend, ByteBuf bytes) {
        return new ServerOutput(
                bytes,
                List.of(),
                List.of(),
                backend.talk().drainOutcomes(),
                ServerOutput.Forgotten.NOTHING,
                Optional.empty(),
                false,
                Optional.empty());
    }

    private Behavior<Command> replies(Backend backend, Lease lease, ServerOutput output, ActorRef<Ack> ack) {
        if (output.ownError().isPresent()) {
            // The batch went out together with parameters that this backend refused: its result must not count.
            output.bytes().release();
            return lost(
                    backend,
                    lease,
                    "parameters refused: " + output.ownError().get().message());
        }
        output.fatal().ifPresent(error -> lease.lastWords = Optional.of(error));
        boolean nothingToTell =
                !output.bytes().isReadable() && output.aligned().isEmpty() && output.outcomes().length == 0;
        if (nothingToTell) {
            output.bytes().release();
            ack.tell(Ack.ACK);
        } else {
            tellReplies(backend, lease, output, Optional.of(ack));
        }
        return Behaviors.same();
    }

    private static void tellReplies(Backend backend, Lease lease, ServerOutput output, Optional<ActorRef<Ack>> ack) {
        BackendConversation talk = backend.talk();
        lease.holder.tell(new LeaseEvent.Replies(
                lease.id,
                output.bytes(),
                lease.batchesSeen,
                talk.settled(),
                talk.insideServerFrame(),
                talk.status(),
                output.reported(),
                output.aligned(),
                output.outcomes(),
                output.forgotten(),
                ack));
    }

    private Behavior<Command> lost(Backend backend, Lease lease, String reason) {
        lease.holder.tell(
                new LeaseEvent.Lost(lease.id, lease.lastWords, backend.talk().insideServerFrame()));
        return closing(backend, lease.lastWords.map(ErrorResponse::message).orElse(reason));
    }

    // ---- the end of a lease --------------------------------------------------------------------------------

    private Behavior<Command> onReturn(Backend backend, Ending ending) {
        if (backend.talk().settled()) {
            return ended(backend);
        }
        if (ending == Ending.TERMINATED && backend.talk().canBeDrained()) {
            return draining(backend);
        }
        backend.key().ifPresent(key -> opening.sendCancel(settings, key));
        return closing(backend, "client left before its answer was complete");
    }

    private Behavior<Command> draining(Backend backend) {
        return state(command -> switch (command) {
            case FromServer(Framed.Messages(var batch), var ack) -> {
                backend.talk().fromServer(batch).bytes().release();
                ack.tell(Ack.ACK);
                yield backend.talk().settled() ? ended(backend) : Behaviors.same();
            }
            case Retire(var reason) -> closing(backend, reason);
            case Cancel(var _, var done) -> nothingToCancel(done);
            case CancelFinished finished -> cancelFinished(finished);
            case Relay relay -> dropped(relay);
            case Return _ -> Behaviors.same();
            default -> common(backend, command);
        });
    }

    private Behavior<Command> ended(Backend backend) {
        backend.talk().lent(false);
        if (backend.talk().status() != TransactionStatus.IDLE) {
            send(backend.socket(), backend.talk().ownQuery("ROLLBACK"));
            return cleaning(backend);
        }
        if (settings.resetQuery().isPresent()) {
            send(
                    backend.socket(),
                    backend.talk().resetQuery(settings.resetQuery().get()));
            return resetting(backend);
        }
        return clean(backend);
    }

    /// A ROLLBACK is on its way, or whatever else must end before the connection can be told clean.
    private Behavior<Command> cleaning(Backend backend) {
        limit("clean-up", settings.connectTimeout());
        return awaitingOwnCycle(backend, () -> ended(backend));
    }

    private Behavior<Command> resetting(Backend backend) {
        limit("reset query", settings.connectTimeout());
        return awaitingOwnCycle(backend, () -> clean(backend));
    }

    private Behavior<Command> awaitingOwnCycle(Backend backend, java.util.function.Supplier<Behavior<Command>> next) {
        return state(command -> switch (command) {
            case FromServer(Framed.Messages(var batch), var ack) -> {
                ServerOutput output = backend.talk().fromServer(batch);
                output.bytes().release();
                ack.tell(Ack.ACK);
                if (output.ownError().isPresent()) {
                    yield closing(
                            backend,
                            "clean-up failed: " + output.ownError().get().message());
                }
                if (!output.ownCycleEnded() || !backend.talk().settled()) {
                    yield Behaviors.same();
                }
                timers.cancel(TIMER);
                yield backend.talk().status() == TransactionStatus.IDLE
                        ? next.get()
                        : closing(backend, "clean-up left a transaction open");
            }
            case Retire(var reason) -> retireWhenOpen(reason);
            case TookTooLong(var what) -> closing(backend, what + " took too long");
            case Cancel(var _, var done) -> nothingToCancel(done);
            case CancelFinished finished -> cancelFinished(finished);
            case Relay relay -> dropped(relay);
            case Return _ -> Behaviors.same();
            default -> common(backend, command);
        });
    }

    private Behavior<Command> clean(Backend backend) {
        if (cancelInDoubt) {
            return closing(backend, "a cancel request may still arrive");
        }
        if (pendingCancels > 0) {
            return awaitingCancels(backend);
        }
        if (retired == null) {
            owner.tell(new Available(context.getSelf()));
        }
        return becomeIdle(backend);
    }

    /// Clean, but held back: a cancel request on its way to the server must not hit the next session's query.
    private Behavior<Command> awaitingCancels(Backend backend) {
        return state(command -> switch (command) {
            case CancelFinished finished -> {
                cancelFinished(finished);
                yield clean(backend);
            }
            case FromServer(Framed.Messages(var batch), var ack) -> {
                backend.talk().fromServer(batch).bytes().release();
                ack.tell(Ack.ACK);
                yield backend.talk().settled() ? Behaviors.same() : closing(backend, "idle server got dirty");
            }
            case Retire(var reason) -> closing(backend, reason);
            case Cancel(var _, var done) -> nothingToCancel(done);
            case Relay relay -> dropped(relay);
            case Return _ -> Behaviors.same();
            default -> common(backend, command);
        });
    }

    // ---- cancel --------------------------------------------------------------------------------------------

    private Behavior<Command> cancel(Backend backend, ActorRef<CancelDone> done) {
        if (backend.key().isEmpty()) {
            return nothingToCancel(done); // some servers send no key and cannot cancel
        }
        pendingCancels++;
        context.pipeToSelf(
                opening.sendCancel(settings, backend.key().get()),
                (_, failure) -> new CancelFinished(failure == null, done));
        return Behaviors.same();
    }

    private Behavior<Command> cancelFinished(CancelFinished finished) {
        pendingCancels--;
        cancelInDoubt |= !finished.delivered();
        finished.done().tell(new CancelDone());
        return Behaviors.same();
    }

    private static Behavior<Command> nothingToCancel(ActorRef<CancelDone> done) {
        done.tell(new CancelDone());
        return Behaviors.same();
    }

    // ---- the end, and what is the same everywhere ------------------------------------------------------------

    private Behavior<Command> closing(Backend backend, String reason) {
        LOG.atDebug().addKeyValue("reason", reason).log("backend connection closed");
        owner.tell(new Closed(context.getSelf(), reason));
        ByteBuf goodbye = backend.socket().allocator().buffer(8);
        new Terminate().encodeTo(goodbye);
        backend.socket().write(goodbye);
        backend.socket().closeAfterFlush();
        return closed();
    }

    /// Until the owner has heard of it, requests that crossed the news are declined, so that none is lost.
    private Behavior<Command> closed() {
        return state(command -> switch (command) {
            case Farewell _ -> Behaviors.stopped();
            case Lend lend -> {
                owner.tell(new Declined(context.getSelf(), lend));
                yield Behaviors.same();
            }
            case Relay relay -> dropped(relay);
            case Cancel(var _, var done) -> nothingToCancel(done);
            case CancelFinished finished -> cancelFinished(finished);
            case FromServer(Framed.Messages(var batch), var ack) -> {
                batch.release();
                yield acknowledged(ack);
            }
            default -> Behaviors.same();
        });
    }

    private Behavior<Command> common(Backend backend, Command command) {
        return switch (command) {
            case ServerGone _ -> closing(backend, "connection closed by the server");
            case FromServer(Framed.Violated(var violation), var _) -> closing(backend, violation.getMessage());
            case StreamStarted(var ack) -> acknowledged(ack);
            case TookTooLong _, Inquire _, Farewell _ -> Behaviors.same();
            case Lend lend -> {
                owner.tell(new Declined(context.getSelf(), lend));
                yield Behaviors.same();
            }
            default -> unexpected("open", command);
        };
    }

    private Behavior<Command> unexpected(String state, Command command) {
        if (command instanceof HoldsBytes holder) {
            holder.releaseBytes();
        }
        LOG.atError()
                .addKeyValue("state", state)
                .addKeyValue("message", command.getClass().getSimpleName())
                .log("message makes no sense in this state");
        return Behaviors.same();
    }

    private static Behavior<Command> dropped(Relay relay) {
        relay.releaseBytes();
        relay.batch().ack().tell(Ack.ACK);
        return Behaviors.same();
    }

    private static Behavior<Command> acknowledged(ActorRef<Ack> ack) {
        ack.tell(Ack.ACK);
        return Behaviors.same();
    }

    private static void acknowledgeWhenWritable(SocketHandle socket, ActorRef<Ack> ack) {
        if (socket.writable()) {
            ack.tell(Ack.ACK);
        } else {
            socket.whenWritable(() -> ack.tell(Ack.ACK));
        }
    }

    private static void send(SocketHandle socket, ByteBuf bytes) {
        socket.writeAndFlush(bytes);
    }

    private void limit(String what, Duration duration) {
        timers.startSingleTimer(TIMER, new TookTooLong(what), duration);
    }

    private interface State {
        Behavior<Command> on(Command command);
    }

    private Behavior<Command> state(State state) {
        return Behaviors.receive(Command.class)
                .onAnyMessage(state::on)
                .onSignal(PostStop.class, _ -> {
                    if (openSocket != null) {
                        openSocket.closeAfterFlush();
                    }
                    return Behaviors.same();
                })
                .build();
    }
}
