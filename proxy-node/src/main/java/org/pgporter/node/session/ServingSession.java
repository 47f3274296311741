package org.pgporter.node.session;

import io.netty.buffer.ByteBuf;
import java.util.Optional;
import java.util.function.Function;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.jspecify.annotations.Nullable;
import org.pgporter.config.PoolMode;
import org.pgporter.config.PoolSettings;
import org.pgporter.node.backend.BackendConnection;
import org.pgporter.node.backend.ClientBatch;
import org.pgporter.node.backend.LeaseEvent;
import org.pgporter.node.backend.LeaseId;
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
import org.pgporter.node.session.ClientSession.WakeUp;
import org.pgporter.node.transport.Ack;
import org.pgporter.protocol.codec.Batch;
import org.pgporter.protocol.message.ErrorResponse;
import org.pgporter.protocol.message.ProtocolViolation;
import org.pgporter.protocol.message.Severity;
import org.pgporter.protocol.message.TransactionStatus;
import org.pgporter.protocol.stream.Framed;

/// The part of a session between its first ReadyForQuery and its end; the machine is drawn at [ClientSession].
///
/// Each state answers what it has to do with; the rest goes to [ClientSession#common], which is the same for all,
/// so that what matters in a state can be seen.
final class ServingSession {
    private final ClientSession session;
    private final ActorRef<Pool.Command> pool;
    private final PoolMode mode;
    private final StatementNames names = new StatementNames();
    private final @Nullable StatementMapping mapping;
    private final LocalAnswers local = new LocalAnswers();
    private final SessionTimeouts timeouts;
    private @Nullable ErrorResponse refusal;
    private boolean draining;

    ServingSession(ClientSession session, PoolSettings settings, Pool.Joined joined) {
        this.session = session;
        this.pool = joined.pool();
        this.mode = settings.options().poolMode();
        this.timeouts = session.timeouts(settings);
        boolean translates = mode != PoolMode.SESSION && settings.options().preparedStatements();
        this.mapping = translates ? new StatementMapping(names, joined.statements()) : null;
    }

    // ---- idle

    Behavior<Command> idle() {
        if (draining) {
            return session.fail(ProxyError.terminatedByShutdown());
        }
        timeouts.idle();
        return session.state(command -> switch (command) {
            case FromClient(Framed.Messages(var batch), var ack) -> onBatchWhenIdle(batch, ack);
            case WakeUp _ -> afterWakeUp(session::fail);
            case ClientGone(var everythingRead) when !everythingRead -> Behaviors.same(); // its last words still come
            case CancelRequested(var done) -> ClientSession.cancelled(done);
            case Drain _ -> session.fail(ProxyError.terminatedByShutdown());
            case FromBackend(var event) -> session.afterRelease(event);
            default -> session.common(command);
        });
    }

    private Behavior<Command> onBatchWhenIdle(Batch batch, ActorRef<Ack> ack) {
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
        if (LocalAnswers.needsNoBackend(batch, uses)) {
            names.settleAll();
            ByteBuf out = session.client().buffer();
            local.answer(batch, out);
            return answered(batch, out, ack, goodbye);
        }
        timeouts.queued();
        LeaseId lease = LeaseId.next();
        ClientBatch first = new ClientBatch(batch, uses, ack);
        pool.tell(new Pool.Acquire(
                lease, session.leaseEvents(), session.parameters().wanted(), Optional.of(first)));
        return waiting(lease, goodbye);
    }

    private Behavior<Command> answered(Batch batch, ByteBuf out, ActorRef<Ack> ack, boolean goodbye) {
        timeouts.idle();
        batch.release();
        session.client().send(out);
        if (goodbye) {
            return session.closeQuietly();
        }
        session.client().acknowledge(ack);
        return Behaviors.same();
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
        return session.state(command -> switch (command) {
            case FromBackend(LeaseEvent.Attached attached) -> {
                if (!attached.lease().equals(lease)) {
                    yield Behaviors.same();
                }
                if (!session.parameters().hasTold(attached.parameters())
                        || !attached.aligned().isEmpty()) {
                    ByteBuf news = session.client().buffer();
                    session.parameters().attachedTo(attached.parameters(), news);
                    session.parameters().aligned(attached.aligned(), news);
                    session.client().send(news);
                }
                session.passCancelsTo(attached.backend(), lease);
                if (goodbye) {
                    attached.backend().tell(new BackendConnection.Return(lease, BackendConnection.Ending.TERMINATED));
                    yield session.closeQuietly();
                }
                timeouts.attached();
                yield leased(new Lease(lease, attached.backend()));
            }
            case FromBackend(LeaseEvent.Unserved(var id, var batch, var error)) ->
                id.equals(lease) ? unserved(batch, error, goodbye) : Behaviors.same();
            case FromBackend(LeaseEvent.Refused(var id, var error)) ->
                id.equals(lease) ? session.fail(ProxyError.withSeverity(error, Severity.FATAL)) : Behaviors.same();
            case FromBackend(LeaseEvent.Lost(var id, var _, var _)) ->
                id.equals(lease) ? session.fail(ProxyError.backendLost()) : Behaviors.same();
            case FromBackend(LeaseEvent.Replies replies) -> session.afterRelease(replies);
            case CancelRequested(var done) -> {
                // It may be in the queue, or just on its way out of it: whichever answer comes settles the cancel.
                pool.tell(new Pool.Withdraw(lease, ProxyError.canceled()));
                session.cancelWhenLent(done);
                yield Behaviors.same();
            }
            case Drain _ -> {
                draining = true;
                yield Behaviors.same();
            }
            // After a goodbye the socket may close at any time; what was asked before it still counts.
            case ClientGone _ -> goodbye ? Behaviors.same() : session.leave(pool, lease, Optional.empty());
            case Kill _ -> session.leave(pool, lease, Optional.of(ProxyError.terminatedByShutdown()));
            case WakeUp _ -> afterWakeUp(why -> session.leave(pool, lease, Optional.of(why)));
            default -> session.common(command);
        });
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
        return goodbye ? session.closeQuietly() : idle();
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

    private Behavior<Command> leased(Lease lease) {
        return session.state(command -> switch (command) {
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
                draining = true;
                lease.backend.tell(new BackendConnection.Inquire(lease.id));
                yield Behaviors.same();
            }
            case ClientGone _ -> {
                abandon(lease);
                yield session.closeQuietly();
            }
            case Kill _ -> {
                abandon(lease);
                yield session.fail(ProxyError.terminatedByShutdown());
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

    private Behavior<Command> onBatchWhenLeased(Lease lease, Batch batch, ActorRef<Ack> ack) {
        boolean goodbye = cutOffTerminate(batch);
        try {
            ClientBatch more = new ClientBatch(batch, usesIn(batch), ack);
            timeouts.querySent();
            lease.batchesSent++;
            lease.backend.tell(new BackendConnection.Relay(lease.id, more));
        } catch (ProtocolViolation violation) {
            batch.release();
            abandon(lease);
            return session.fail(ProxyError.protocolViolation(violation));
        }
        if (goodbye) {
            lease.backend.tell(new BackendConnection.Return(lease.id, BackendConnection.Ending.TERMINATED));
            return session.closeQuietly();
        }
        return Behaviors.same();
    }

    private Behavior<Command> onReplies(Lease lease, LeaseEvent.Replies replies) {
        if (!replies.lease().equals(lease.id)) {
            return session.afterRelease(replies);
        }
        // Our own cycle ran before what the client sent, so what the client has changed itself counts last.
        if (!replies.aligned().isEmpty()) {
            ByteBuf news = session.client().buffer();
            session.parameters().aligned(replies.aligned(), news);
            session.client().send(news);
        }
        session.parameters().reported(replies.reported());
        if (mapping != null) {
            for (byte outcome : replies.outcomes()) {
                names.settle(outcome == LeaseEvent.NAME_CONFIRMED);
            }
        }
        if (replies.forgotten() != ServerOutput.Forgotten.NOTHING) {
            names.allGone();
            if (replies.forgotten() == ServerOutput.Forgotten.SESSION) {
                session.parameters().discarded();
            }
        }
        session.client().nowInsideFrame(replies.insideFrame());
        session.client().send(replies.bytes());
        replies.ack().ifPresent(session.client()::acknowledge);
        if (!replies.settled() || replies.batchesSeen() != lease.batchesSent) {
            return Behaviors.same();
        }
        return settled(lease, replies.status());
    }

    /// Everything that was sent has been answered.
    private Behavior<Command> settled(Lease lease, TransactionStatus status) {
        timeouts.answered(status);
        if (status != TransactionStatus.IDLE) {
            if (mode == PoolMode.STATEMENT) {
                release(lease);
                return session.fail(ProxyError.statementPoolingBlock());
            }
            return Behaviors.same();
        }
        if (mode == PoolMode.SESSION && !draining) {
            return Behaviors.same();
        }
        release(lease);
        return idle();
    }

    /// @param end what to do when something has taken too long
    private Behavior<Command> afterWakeUp(Function<ErrorResponse, Behavior<Command>> end) {
        return timeouts.wakeUp(() -> session.client().send(ProxyError.queued()))
                .map(end)
                .orElseGet(Behaviors::same);
    }

    private static void release(Lease lease) {
        lease.backend.tell(new BackendConnection.Return(lease.id, BackendConnection.Ending.FINISHED));
    }

    private static void abandon(Lease lease) {
        lease.backend.tell(new BackendConnection.Return(lease.id, BackendConnection.Ending.ABANDONED));
    }

    private Behavior<Command> lost(Optional<ErrorResponse> lastWords, boolean insideFrame) {
        session.client().nowInsideFrame(insideFrame);
        if (lastWords.isPresent()) {
            return session.closeQuietly(); // the client has read it from the server itself
        }
        return session.fail(ProxyError.backendLost());
    }
}
