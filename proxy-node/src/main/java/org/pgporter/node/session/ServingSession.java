package org.pgporter.node.session;

import io.netty.buffer.ByteBuf;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.jspecify.annotations.Nullable;
import org.pgporter.config.PoolMode;
import org.pgporter.config.PoolSettings;
import org.pgporter.config.StateCheck;
import org.pgporter.node.backend.BackendConnection;
import org.pgporter.node.backend.ClientBatch;
import org.pgporter.node.backend.Findings;
import org.pgporter.node.backend.Inspection;
import org.pgporter.node.backend.LeaseEvent;
import org.pgporter.node.backend.LeaseId;
import org.pgporter.node.backend.OwnSequences;
import org.pgporter.node.backend.ServerOutput;
import org.pgporter.node.backend.StatementUse;
import org.pgporter.node.error.ProxyError;
import org.pgporter.node.pool.Pool;
import org.pgporter.node.session.ClientSession.CancelRequested;
import org.pgporter.node.session.ClientSession.ClientGone;
import org.pgporter.node.session.ClientSession.Command;
import org.pgporter.node.session.ClientSession.Drain;
import org.pgporter.node.session.ClientSession.FromBackend;
import org.pgporter.node.session.ClientSession.FromClient;
import org.pgporter.node.session.ClientSession.Kill;
import org.pgporter.node.session.ClientSession.TokenEnds;
import org.pgporter.node.session.ClientSession.WakeUp;
import org.pgporter.node.session.ClientView.Activity;
import org.pgporter.node.stats.PoolCounters;
import org.pgporter.node.transport.Ack;
import org.pgporter.protocol.codec.Batch;
import org.pgporter.protocol.message.ErrorResponse;
import org.pgporter.protocol.message.ProtocolViolation;
import org.pgporter.protocol.message.Severity;
import org.pgporter.protocol.message.TransactionStatus;
import org.pgporter.protocol.stream.Framed;

/// The part of a session between its first ReadyForQuery and its end; the machine is drawn at [ClientSession].
///
/// Each state answers what it has to do with; the rest goes to [ClientSession#common], which is the same
/// for all, so that what matters in a state can be seen.
final class ServingSession {
    private final ClientSession session;
    private final ActorRef<Pool.Command> pool;
    private final PoolMode mode;
    private final String poolUser;
    private final StatementNames names = new StatementNames();
    private final @Nullable StatementMapping mapping;
    private final StateWatch watch;
    private final Pins pins;
    /// Where the last lease was.
    private Optional<ActorRef<BackendConnection.Command>> lastBackend = Optional.empty();
    private final LocalAnswers local = new LocalAnswers();
    private final SessionTimeouts timeouts;
    private final PoolCounters counters;
    /// When the session has asked for a backend.
    private long askedAt;
    private @Nullable ErrorResponse refusal;
    /// The rest of a batch; see [#readable].
    private @Nullable FromClient kept;
    /// Why the session ends as soon as nothing is open, if it has to.
    private @Nullable ErrorResponse leaving;

    ServingSession(ClientSession session, PoolSettings settings, Pool.Joined joined) {
        this.session = session;
        this.pool = joined.pool();
        this.mode = settings.options().poolMode();
        this.poolUser = joined.key().user();
        this.timeouts = session.timeouts(settings);
        this.counters = session.services().statistics().of(joined.key(), session.loop());
        counters.login();
        StateCheck check =
                mode == PoolMode.SESSION ? StateCheck.NEVER : settings.options().sessionStateCheck();
        this.watch = new StateWatch(check, session.parameters()::standardConformingStrings);
        this.pins = new Pins(session);
        this.mapping = mode == PoolMode.SESSION
                ? null
                : new StatementMapping(
                        names,
                        joined.statements(),
                        watch,
                        session.parameters()::wanted,
                        settings.options().preparedStatements());
    }

    // ---- what can be seen of it

    /// Under whose name the pool is.
    String poolUser() {
        return poolUser;
    }

    /// When it asked for a backend connection last, in nanoseconds of the monotonic clock.
    Optional<Long> requestedAt() {
        return askedAt == 0 ? Optional.empty() : Optional.of(askedAt);
    }

    Optional<ActorRef<BackendConnection.Command>> lastBackend() {
        return lastBackend;
    }

    int preparedStatements() {
        return names.count();
    }

    // ---- idle

    Behavior<Command> idle() {
        ErrorResponse why = leaving;
        if (why != null) {
            return session.fail(why);
        }
        timeouts.idle();
        return session.state(Activity.IDLE, command -> switch (command) {
            case FromClient(Framed.Messages(var batch), var ack) -> onBatchWhenIdle(batch, ack);
            case WakeUp _ -> afterWakeUp(session::fail);
            case ClientGone(var everythingRead) when !everythingRead -> Behaviors.same(); // its last words still come
            case CancelRequested(var done) -> ClientSession.cancelled(done);
            case Drain _ -> session.fail(ProxyError.terminatedByShutdown());
            case TokenEnds _ -> session.tokenHasEnded() ? session.fail(ProxyError.tokenExpired()) : Behaviors.same();
            case FromBackend(var event) -> session.afterRelease(event);
            default -> session.common(command);
        });
    }

    private Behavior<Command> onBatchWhenIdle(Batch batch, Ack ack) {
        boolean goodbye = cutOffTerminate(batch);
        local.cutOffStray(batch);
        if (local.inProgress()) {
            ByteBuf out = session.client().buffer();
            local.refuse(batch, lastRefusal(), out);
            return answered(batch, out, ack, goodbye);
        }
        @Nullable StatementUse @Nullable [] uses;
        try {
            uses = usesIn(batch);
        } catch (ProtocolViolation violation) {
            batch.release();
            return session.fail(ProxyError.protocolViolation(violation));
        }
        Batch now = readable(batch, ack);
        if (now != batch) {
            timeouts.queued();
            return request(new ClientBatch(now, uses, ownSequences(), Ack.NONE), false);
        }
        if (LocalAnswers.needsNoBackend(batch, uses)) {
            names.settleAll();
            ByteBuf out = session.client().buffer();
            local.answer(batch, out);
            countParses(batch);
            return answered(batch, out, ack, goodbye);
        }
        timeouts.queued();
        return request(new ClientBatch(batch, uses, ownSequences(), ack), goodbye);
    }

    private Behavior<Command> request(ClientBatch first, boolean goodbye) {
        LeaseId lease = LeaseId.next();
        askedAt = System.nanoTime();
        pool.tell(new Pool.Acquire(
                lease, session.leaseEvents(), session.parameters().wanted(), Optional.of(first)));
        return waiting(lease, goodbye);
    }

    /// What of a batch can be sent now. The rest of it depends on answers that are still to come; it is
    /// kept, and nothing more is read of the client before it has been sent.
    private Batch readable(Batch batch, Ack ack) {
        int at = mapping == null ? -1 : mapping.mustWaitAt();
        if (at < 0) {
            return batch;
        }
        Batch.Parts parts = batch.splitAt(at);
        kept = new FromClient(new Framed.Messages(parts.rest()), ack);
        return parts.before();
    }

    /// @return whether the session leaves because of it
    private boolean tokenEnds() {
        if (leaving == null && session.tokenHasEnded()) {
            leaving = ProxyError.tokenExpired();
            return true;
        }
        return false;
    }

    private void dropKept() {
        FromClient rest = kept;
        if (rest != null) {
            rest.releaseBytes();
            kept = null;
        }
    }

    /// The answers may have come for which the rest of a batch waits.
    private Behavior<Command> sendKept(Lease lease) {
        FromClient rest = kept;
        kept = null;
        return rest != null && rest.framed() instanceof Framed.Messages(var batch)
                ? onBatchWhenLeased(lease, batch, rest.ack())
                : Behaviors.same();
    }

    private Optional<OwnSequences> ownSequences() {
        return mapping != null && mapping.sequencesAreAsked()
                ? Optional.of(new OwnSequences(lastBackend))
                : Optional.empty();
    }

    private Behavior<Command> answered(Batch batch, ByteBuf out, Ack ack, boolean goodbye) {
        timeouts.idle();
        counters.fromClient(batch.bytes().readableBytes());
        counters.toClient(out.readableBytes());
        batch.release();
        session.client().send(out);
        if (goodbye) {
            return session.closeQuietly();
        }
        session.client().acknowledge(ack);
        return Behaviors.same();
    }

    /// Those that are answered without a backend connection, which counts the others.
    private void countParses(Batch batch) {
        for (int i = 0; i < batch.marks(); i++) {
            if (batch.type(i) == 'P') {
                counters.clientParse();
            }
        }
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

    // ---- waiting for a backend

    private Behavior<Command> waiting(LeaseId lease, boolean goodbye) {
        return session.state(Activity.WAITING, command -> switch (command) {
            case FromBackend(LeaseEvent.Attached attached) -> {
                if (!attached.lease().equals(lease)) {
                    yield Behaviors.same();
                }
                counters.assigned(System.nanoTime() - askedAt);
                if (!session.parameters().hasTold(attached.parameters())
                        || !attached.aligned().isEmpty()) {
                    ByteBuf news = session.client().buffer();
                    session.parameters().attachedTo(attached.parameters(), news);
                    session.parameters().aligned(attached.aligned(), news);
                    session.client().send(news);
                }
                session.passCancelsTo(attached.backend(), lease);
                lastBackend = Optional.of(attached.backend());
                Lease got = new Lease(lease, attached.backend());
                if (goodbye) {
                    giveBack(got, BackendConnection.Ending.TERMINATED);
                    yield parting(got, false);
                }
                timeouts.attached();
                yield leased(got);
            }
            case FromBackend(LeaseEvent.Unserved(var id, var batch, var error)) ->
                id.equals(lease) ? unserved(batch, error, goodbye) : Behaviors.same();
            case FromBackend(LeaseEvent.Refused(var id, var error)) ->
                id.equals(lease) ? failed(ProxyError.withSeverity(error, Severity.FATAL)) : Behaviors.same();
            case FromBackend(LeaseEvent.Lost(var id, var _, var _)) ->
                id.equals(lease) ? failed(ProxyError.backendLost()) : Behaviors.same();
            case FromBackend(LeaseEvent.Replies replies) -> session.afterRelease(replies);
            case CancelRequested(var done) -> {
                // It may be in the queue, or just on its way out of it: whichever answer comes settles the cancel.
                pool.tell(new Pool.Withdraw(lease, ProxyError.canceled()));
                session.cancelWhenLent(done);
                yield Behaviors.same();
            }
            case Drain _ -> {
                leaving = ProxyError.terminatedByShutdown();
                yield Behaviors.same();
            }
            case TokenEnds _ -> {
                tokenEnds();
                yield Behaviors.same();
            }
            // After a goodbye the socket may close at any time; what was asked before it still counts.
            case ClientGone _ -> goodbye ? Behaviors.same() : leave(lease, Optional.empty());
            case Kill(var why) -> leave(lease, Optional.of(why));
            case WakeUp _ -> afterWakeUp(why -> leave(lease, Optional.of(why)));
            default -> session.common(command);
        });
    }

    private Behavior<Command> failed(ErrorResponse error) {
        dropKept();
        return session.fail(error);
    }

    private Behavior<Command> leave(LeaseId lease, Optional<ErrorResponse> why) {
        dropKept();
        return session.leave(pool, lease, why);
    }

    /// The request comes back: the client gets the error, and the session lives on.
    private Behavior<Command> unserved(Optional<ClientBatch> batch, ErrorResponse error, boolean goodbye) {
        names.dropPending();
        refusal = error;
        session.settleCancels();
        if (batch.isPresent()) {
            ByteBuf out = session.client().buffer();
            local.refuse(batch.get().batch(), ProxyError.withSeverity(error, Severity.ERROR), out);
            batch.get().releaseBytes();
            session.client().send(out);
            session.client().acknowledge(batch.get().ack());
        }
        if (goodbye) {
            return session.closeQuietly();
        }
        FromClient rest = kept;
        kept = null;
        return rest != null && rest.framed() instanceof Framed.Messages(var more)
                ? or(onBatchWhenIdle(more, rest.ack()), this::idle)
                : idle();
    }

    // ---- leased

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

    /// Begins with a backend that the session has already.
    Behavior<Command> keeping(LeaseEvent.Attached attached) {
        Lease lease = new Lease(attached.lease(), attached.backend());
        lease.batchesSent = 0;
        lastBackend = Optional.of(attached.backend());
        return leased(lease);
    }

    private Behavior<Command> leased(Lease lease) {
        return session.state(Activity.ACTIVE, command -> switch (command) {
            case FromClient(Framed.Messages(var batch), var ack) -> onBatchWhenLeased(lease, batch, ack);
            case FromBackend(LeaseEvent.Replies replies) -> onReplies(lease, replies);
            case FromBackend(LeaseEvent.Lost(var id, var lastWords, var insideFrame)) ->
                id.equals(lease.id) ? lost(lastWords, insideFrame) : Behaviors.same();
            case FromClient(Framed.Violated(var violation), var _) -> {
                abandon(lease);
                yield session.fail(ProxyError.protocolViolation(violation));
            }
            case CancelRequested(var done) -> {
                lease.backend.tell(new BackendConnection.Cancel(lease.id, done));
                yield Behaviors.same();
            }
            case Drain _ -> {
                leaving = ProxyError.terminatedByShutdown();
                lease.backend.tell(new BackendConnection.Inquire(lease.id));
                yield Behaviors.same();
            }
            case TokenEnds _ -> {
                if (tokenEnds()) {
                    lease.backend.tell(new BackendConnection.Inquire(lease.id));
                }
                yield Behaviors.same();
            }
            case ClientGone _ -> {
                abandon(lease);
                yield session.closeQuietly();
            }
            case Kill(var why) -> {
                abandon(lease);
                yield session.fail(why);
            }
            case WakeUp _ ->
                afterWakeUp(why -> {
                    abandon(lease);
                    return session.fail(why);
                });
            case FromBackend _ -> Behaviors.same();
            default -> session.common(command);
        });
    }

    /// The backend is asked what the session has left there; what the client says meanwhile waits, and
    /// nothing more of it is read.
    private Behavior<Command> inspecting(Lease lease, Optional<FromClient> next) {
        return session.state(Activity.ACTIVE, command -> switch (command) {
            case FromClient(Framed.Messages _, var _) -> inspecting(lease, Optional.of((FromClient) command));
            case FromBackend(LeaseEvent.Inspected(var id, var findings)) ->
                id.equals(lease.id) ? inspected(lease, findings, next) : Behaviors.same();
            case FromBackend(LeaseEvent.Replies replies) -> {
                pass(lease, replies); // a notification, or a warning that the server is going to stop
                yield Behaviors.same();
            }
            case FromBackend(LeaseEvent.Lost(var id, var lastWords, var insideFrame)) -> {
                if (!id.equals(lease.id)) {
                    yield Behaviors.same();
                }
                next.ifPresent(FromClient::releaseBytes);
                yield lost(lastWords, insideFrame);
            }
            case ClientGone _ -> {
                if (next.filter(ServingSession::saysGoodbye).isPresent()) {
                    yield Behaviors.same(); // what it asked for before it left still counts
                }
                next.ifPresent(FromClient::releaseBytes);
                giveBack(lease, BackendConnection.Ending.FINISHED);
                yield session.closeQuietly();
            }
            case FromClient(Framed.Violated(var violation), var _) -> {
                giveBack(lease, BackendConnection.Ending.FINISHED);
                yield session.fail(ProxyError.protocolViolation(violation));
            }
            case Kill(var why) -> {
                next.ifPresent(FromClient::releaseBytes);
                giveBack(lease, BackendConnection.Ending.FINISHED);
                yield session.fail(why);
            }
            case Drain _ -> {
                leaving = ProxyError.terminatedByShutdown();
                yield Behaviors.same();
            }
            case TokenEnds _ -> {
                tokenEnds();
                yield Behaviors.same();
            }
            case WakeUp _ ->
                afterWakeUp(why -> {
                    next.ifPresent(FromClient::releaseBytes);
                    giveBack(lease, BackendConnection.Ending.FINISHED);
                    return session.fail(why);
                });
            case FromBackend _ -> Behaviors.same();
            default -> session.common(command);
        });
    }

    private Behavior<Command> inspected(Lease lease, Optional<Findings> findings, Optional<FromClient> next) {
        findings.ifPresentOrElse(
                found -> {
                    watch.found(found);
                    session.parameters().found(found);
                },
                watch::notFound);
        pins.are(watch.pins());
        boolean keeps = keepsBackend();
        if (next.isPresent() && leaving == null && next.get().framed() instanceof Framed.Messages(var batch)) {
            Ack ack = next.get().ack();
            if (keeps) {
                return or(onBatchWhenLeased(lease, batch, ack), () -> leased(lease));
            }
            giveBack(lease, BackendConnection.Ending.FINISHED);
            return or(onBatchWhenIdle(batch, ack), this::idle);
        }
        next.ifPresent(FromClient::releaseBytes);
        return nothingOpen(lease);
    }

    /// What was done in another state's name leads there, unless it leads further.
    private static Behavior<Command> or(Behavior<Command> next, Supplier<Behavior<Command>> state) {
        return next == Behaviors.<Command>same() ? state.get() : next;
    }

    private static boolean saysGoodbye(FromClient from) {
        return from.framed() instanceof Framed.Messages(var batch) && batch.contains((byte) 'X');
    }

    private Behavior<Command> onBatchWhenLeased(Lease lease, Batch batch, Ack ack) {
        boolean goodbye = cutOffTerminate(batch);
        Batch now;
        try {
            @Nullable StatementUse @Nullable [] uses = usesIn(batch);
            now = readable(batch, ack);
            timeouts.querySent();
            lease.batchesSent++;
            Ack heard = now == batch ? ack : Ack.NONE;
            lease.backend.tell(new BackendConnection.Relay(lease.id, new ClientBatch(now, uses, heard)));
        } catch (ProtocolViolation violation) {
            batch.release();
            abandon(lease);
            return session.fail(ProxyError.protocolViolation(violation));
        }
        if (goodbye && now == batch) {
            giveBack(lease, BackendConnection.Ending.TERMINATED);
            return parting(lease, false);
        }
        return Behaviors.same();
    }

    /// The client has said goodbye. It gets what it is still owed; whether it stays for that or not, the
    /// backend connection goes on telling and must be heard.
    private Behavior<Command> parting(Lease lease, boolean gone) {
        return session.state(Activity.LEAVING, command -> switch (command) {
            case FromBackend(LeaseEvent.Replies replies) -> {
                if (gone || !replies.lease().equals(lease.id)) {
                    yield session.afterRelease(replies);
                }
                session.client().send(replies.bytes());
                replies.ack().ifPresent(session.client()::acknowledge);
                yield Behaviors.same();
            }
            case FromBackend(var event) -> event.lease().equals(lease.id) ? session.closeQuietly() : Behaviors.same();
            case FromClient late -> {
                late.releaseBytes();
                yield Behaviors.same();
            }
            case ClientGone _ -> parting(lease, true);
            case Kill _ -> {
                session.client().close();
                yield parting(lease, true);
            }
            case CancelRequested(var done) -> ClientSession.cancelled(done);
            case Drain _, WakeUp _, TokenEnds _ -> Behaviors.same();
            default -> session.common(command);
        });
    }

    private Behavior<Command> onReplies(Lease lease, LeaseEvent.Replies replies) {
        if (!pass(lease, replies)) {
            return Behaviors.same();
        }
        if (kept != null) {
            boolean news = replies.outcomes().length > 0 || replies.settled();
            return news ? sendKept(lease) : Behaviors.same();
        }
        if (!replies.settled() || replies.batchesSeen() != lease.batchesSent) {
            return Behaviors.same();
        }
        return settled(lease, replies.status());
    }

    /// Passes on what the backend says.
    ///
    /// @return false if it says it of a lease that is over
    private boolean pass(Lease lease, LeaseEvent.Replies replies) {
        if (!replies.lease().equals(lease.id)) {
            session.afterRelease(replies);
            return false;
        }
        // Our own cycle ran before what the client sent, so what the client has changed itself counts last.
        if (!replies.aligned().isEmpty()) {
            ByteBuf news = session.client().buffer();
            session.parameters().aligned(replies.aligned(), news);
            session.client().send(news);
        }
        session.parameters().reported(replies.reported());
        if (replies.forgotten() == ServerOutput.Forgotten.STATEMENTS
                || replies.forgotten() == ServerOutput.Forgotten.SESSION) {
            names.allGone(); // before the outcomes: what was prepared behind it may have been answered already
        }
        if (mapping != null) {
            for (byte outcome : replies.outcomes()) {
                switch (outcome) {
                    case LeaseEvent.NAME_CONFIRMED -> names.settle(true);
                    case LeaseEvent.NAME_REFUSED -> names.refused();
                    default -> names.settle(false);
                }
            }
        }
        forget(replies.forgotten());
        session.client().nowInsideFrame(replies.insideFrame());
        session.client().send(replies.bytes());
        replies.ack().ifPresent(session.client()::acknowledge);
        return true;
    }

    private void forget(ServerOutput.Forgotten forgotten) {
        switch (forgotten) {
            case NOTHING -> {}
            case SCHEMA -> {
                if (mapping != null) {
                    mapping.schemaChanged();
                }
            }
            case PLANS -> {
                if (mapping != null) {
                    mapping.renewOutdated();
                }
            }
            case STATEMENTS -> {}
            case SESSION -> {
                session.parameters().discarded();
                watch.discarded();
                pins.are(watch.pins());
            }
        }
    }

    /// Everything that was sent has been answered.
    private Behavior<Command> settled(Lease lease, TransactionStatus status) {
        timeouts.answered(status);
        if (status != TransactionStatus.IDLE) {
            if (mode == PoolMode.STATEMENT) {
                giveBack(lease, BackendConnection.Ending.FINISHED);
                return session.fail(ProxyError.statementPoolingBlock());
            }
            return Behaviors.same();
        }
        Optional<Inspection> due = watch.due();
        if (due.isPresent()) {
            lease.backend.tell(new BackendConnection.Inspect(lease.id, due.get()));
            return inspecting(lease, Optional.empty());
        }
        return nothingOpen(lease);
    }

    /// No transaction is open, and what the session has left on the backend is known.
    private Behavior<Command> nothingOpen(Lease lease) {
        if (keepsBackend()) {
            return leased(lease);
        }
        giveBack(lease, BackendConnection.Ending.FINISHED);
        return idle();
    }

    private boolean keepsBackend() {
        return (mode == PoolMode.SESSION || watch.pins() != 0) && leaving == null;
    }

    /// @param end what to do when something has taken too long
    private Behavior<Command> afterWakeUp(Function<ErrorResponse, Behavior<Command>> end) {
        return timeouts.wakeUp(() -> session.client().send(ProxyError.queued()))
                .map(end)
                .orElseGet(Behaviors::same);
    }

    private void giveBack(Lease lease, BackendConnection.Ending ending) {
        dropKept();
        lease.backend.tell(new BackendConnection.Return(lease.id, ending, watch.leaves()));
        watch.left();
        pins.are(0);
    }

    private void abandon(Lease lease) {
        giveBack(lease, BackendConnection.Ending.ABANDONED);
    }

    private Behavior<Command> lost(Optional<ErrorResponse> lastWords, boolean insideFrame) {
        dropKept();
        session.client().nowInsideFrame(insideFrame);
        if (lastWords.isPresent()) {
            return session.closeQuietly(); // the client has read it from the server itself
        }
        return session.fail(ProxyError.backendLost());
    }
}
