package org.pgporter.node.backend;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.jspecify.annotations.Nullable;
import org.pgporter.node.backend.BackendConnection.Available;
import org.pgporter.node.backend.BackendConnection.Cancel;
import org.pgporter.node.backend.BackendConnection.CancelDone;
import org.pgporter.node.backend.BackendConnection.CancelFinished;
import org.pgporter.node.backend.BackendConnection.Closed;
import org.pgporter.node.backend.BackendConnection.Command;
import org.pgporter.node.backend.BackendConnection.Declined;
import org.pgporter.node.backend.BackendConnection.Ending;
import org.pgporter.node.backend.BackendConnection.Evict;
import org.pgporter.node.backend.BackendConnection.Farewell;
import org.pgporter.node.backend.BackendConnection.FromServer;
import org.pgporter.node.backend.BackendConnection.Inquire;
import org.pgporter.node.backend.BackendConnection.Inspect;
import org.pgporter.node.backend.BackendConnection.Left;
import org.pgporter.node.backend.BackendConnection.Lend;
import org.pgporter.node.backend.BackendConnection.Relay;
import org.pgporter.node.backend.BackendConnection.Retire;
import org.pgporter.node.backend.BackendConnection.Return;
import org.pgporter.node.backend.BackendConnection.ServerGone;
import org.pgporter.node.backend.BackendConnection.TookTooLong;
import org.pgporter.node.backend.ServerView.Activity;
import org.pgporter.node.transport.Ack;
import org.pgporter.node.transport.SocketHandle;
import org.pgporter.protocol.message.BackendKeyData;
import org.pgporter.protocol.message.ErrorResponse;
import org.pgporter.protocol.message.ParameterStatus;
import org.pgporter.protocol.message.Terminate;
import org.pgporter.protocol.message.TransactionStatus;
import org.pgporter.protocol.stream.Framed;

/// The states of a [BackendConnection] from its login to its end; the machine is drawn there.
///
/// Each state answers what it has to do with; the rest goes to [#common], which is the same for all, so that
/// what matters in a state can be seen.
final class OpenConnection {
    private final BackendConnection connection;
    private final SocketHandle socket;
    private final CancelRequests cancels;
    private final BackendConversation talk;

    private long idleSince;
    private long lentAt;
    private boolean goodbyeSaid;
    /// Who used the connection last.
    private @Nullable ActorRef<LeaseEvent> lastHolder;

    OpenConnection(
            BackendConnection connection, SocketHandle socket, Optional<BackendKeyData> key, BackendConversation talk) {
        this.connection = connection;
        this.socket = socket;
        this.cancels = new CancelRequests(connection, socket, key);
        this.talk = talk;
    }

    // ---- what can be seen of it

    /// In nanoseconds of the monotonic clock, like [#idleSince]; empty before it was lent to anybody.
    Optional<Long> lentAt() {
        return lastHolder == null ? Optional.empty() : Optional.of(lentAt);
    }

    long idleSince() {
        return idleSince;
    }

    /// The session that has it, or had it last.
    Optional<String> holder() {
        return Optional.ofNullable(lastHolder).map(holder -> holder.path().name());
    }

    String applicationName() {
        return talk.parameters().get("application_name").orElse("");
    }

    int preparedStatements() {
        return talk.preparedStatements();
    }

    // ---- idle

    /// Free for the next session, unless it is to be closed.
    Behavior<Command> becomeIdle() {
        idleSince = System.nanoTime();
        talk.lent(false);
        return connection.retired().map(this::retires).orElseGet(this::idle);
    }

    private Behavior<Command> idle() {
        return connection.state(Activity.IDLE, command -> switch (command) {
            case Lend lend -> onLend(lend);
            case FromServer(Framed.Messages(var batch), var ack) -> {
                ServerOutput output = talk.fromServer(batch);
                output.bytes().release();
                ack.acknowledge();
                if (output.fatal().isPresent()) {
                    yield closing(output.fatal().get().message());
                }
                yield talk.settled() ? Behaviors.same() : closing("idle server got dirty");
            }
            case Retire(var reason) -> retires(reason);
            case Evict(var reason) -> evicted(reason);
            case CancelFinished finished -> cancelFinished(finished);
            case Relay relay -> dropped(relay);
            case Return _ -> Behaviors.same();
            case Cancel(var _, var done) -> nothingToCancel(done);
            default -> common(command);
        });
    }

    private Behavior<Command> onLend(Lend lend) {
        talk.lent(true);
        lentAt = System.nanoTime();
        boolean checked =
                lentAt - idleSince < connection.settings().checkDelay().toNanos();
        Optional<BackendConversation.Preparation> preparation =
                talk.prepareFor(lend.wanted(), mustForgetSequences(lend));
        lastHolder = lend.holder();
        if (checked && preparation.isEmpty()) {
            return attach(lend, List.of());
        }
        if (checked && preparation.get().pipelined() && lend.first().isPresent()) {
            socket.write(preparation.get().bytes());
            return attach(lend, List.of());
        }
        preparation.ifPresent(own -> socket.write(own.bytes()));
        if (preparation.isEmpty()) {
            socket.write(talk.ownQuery(""));
        }
        socket.flush();
        connection.limit("preparation of the connection", connection.settings().connectTimeout());
        return preparing(lend, List.of(), Optional.empty());
    }

    private boolean mustForgetSequences(Lend lend) {
        Optional<OwnSequences> sequences = lend.first().flatMap(ClientBatch::sequences);
        if (sequences.isEmpty() || lastHolder == null) {
            return false;
        }
        boolean followsItself = lend.holder().equals(lastHolder)
                && sequences
                        .get()
                        .lastBackend()
                        .equals(Optional.of(connection.context().getSelf()));
        return !followsItself;
    }

    /// `refusal` is the server's error, when it has said one; the preparation still has to end.
    private Behavior<Command> preparing(Lend lend, List<ParameterStatus> aligned, Optional<ErrorResponse> refusal) {
        return connection.state(Activity.ACTIVE, command -> switch (command) {
            case FromServer(Framed.Messages(var batch), var ack) -> {
                ServerOutput output = talk.fromServer(batch);
                output.bytes().release();
                ack.acknowledge();
                if (output.fatal().isPresent()) {
                    yield declined(lend, output.fatal().get().message());
                }
                List<ParameterStatus> all = Stream.concat(aligned.stream(), output.aligned().stream())
                        .toList();
                Optional<ErrorResponse> error = refusal.or(output::ownError);
                if (output.ownCycleEnded() && talk.settled()) {
                    connection.unlimited();
                    yield error.isPresent() ? refused(lend, error.get()) : attach(lend, all);
                }
                yield preparing(lend, all, error);
            }
            case Return(var lease, var _, var left) -> {
                if (!lease.equals(lend.lease())) {
                    yield Behaviors.same();
                }
                lend.releaseBytes();
                yield cleaning(left);
            }
            case FromServer(Framed.Violated(var violation), var _) -> declined(lend, violation.getMessage());
            case ServerGone _ -> declined(lend, "connection closed by the server");
            case TookTooLong(var what) -> declined(lend, what + " took too long");
            case Cancel(var _, var done) -> nothingToCancel(done);
            case CancelFinished finished -> cancelFinished(finished);
            case Relay relay -> dropped(relay);
            case Retire(var reason) -> connection.retireWhenOpen(reason);
            default -> common(command);
        });
    }

    private Behavior<Command> refused(Lend lend, ErrorResponse error) {
        lend.releaseBytes();
        lend.holder().tell(new LeaseEvent.Refused(lend.lease(), error));
        return ended(Left.NOTHING);
    }

    private Behavior<Command> declined(Lend lend, String reason) {
        connection.owner().tell(new Declined(connection.context().getSelf(), lend));
        return closing(reason);
    }

    // ---- leased

    private Behavior<Command> attach(Lend lend, List<ParameterStatus> aligned) {
        Lease lease = new Lease(lend.lease(), lend.holder());
        lend.holder()
                .tell(new LeaseEvent.Attached(
                        lend.lease(), connection.context().getSelf(), talk.parameters(), aligned));
        lend.first().ifPresent(batch -> relay(lease, batch));
        return leased(lease);
    }

    /// The current use of the connection.
    private static final class Lease {
        final LeaseId id;
        final ActorRef<LeaseEvent> holder;
        long batchesSeen;
        boolean inspected;
        Optional<ErrorResponse> lastWords = Optional.empty();

        Lease(LeaseId id, ActorRef<LeaseEvent> holder) {
            this.id = id;
            this.holder = holder;
        }
    }

    private Behavior<Command> leased(Lease lease) {
        return connection.state(Activity.ACTIVE, command -> switch (command) {
            case Relay relay -> {
                if (!relay.lease().equals(lease.id)) {
                    yield dropped(relay);
                }
                if (talk.lostTrack() && relay.batch().uses() != null) {
                    dropped(relay);
                    yield lost(lease, "a prepared statement is used where nobody knows what the server answers");
                }
                relay(lease, relay.batch());
                yield Behaviors.same();
            }
            case FromServer(Framed.Messages(var batch), var ack) -> replies(lease, talk.fromServer(batch), ack);
            case Return(var id, var ending, var left) ->
                id.equals(lease.id) ? onReturn(lease, ending, left) : Behaviors.same();
            case Inspect(var id, var inspection) -> {
                if (id.equals(lease.id)) {
                    inspect(lease, inspection);
                }
                yield Behaviors.same();
            }
            case Cancel(var id, var done) -> id.equals(lease.id) ? cancel(done) : nothingToCancel(done);
            case CancelFinished finished -> {
                cancelFinished(finished);
                yield cancelNext();
            }
            case Inquire(var id) -> {
                if (id.equals(lease.id)) {
                    tellReplies(lease, nothingButBytes(Unpooled.EMPTY_BUFFER), Optional.empty());
                }
                yield Behaviors.same();
            }
            case ServerGone _ -> lost(lease, "connection closed by the server");
            case FromServer(Framed.Violated(var violation), var _) -> lost(lease, violation.getMessage());
            case Retire(var reason) -> connection.retireWhenOpen(reason);
            case TookTooLong(var what) -> lease.inspected ? lost(lease, what + " took too long") : Behaviors.same();
            default -> common(command);
        });
    }

    private void relay(Lease lease, ClientBatch batch) {
        lease.batchesSeen++;
        ByteBuf bytes = talk.toServer(batch.batch(), batch.uses());
        if (bytes.isReadable()) {
            socket.writeAndFlush(bytes);
        } else {
            bytes.release();
            socket.flush();
        }
        acknowledgeWhenWritable(batch.ack());
        ByteBuf due = talk.dueLocalReplies();
        // The server may have nothing to say to this, as to COPY data that comes too late or to what it skips after
        // an error: the holder waits for a word all the same.
        if (due.isReadable() || talk.settled() || talk.outcomesWait()) {
            tellReplies(lease, nothingButBytes(due), Optional.empty());
        }
    }

    private ServerOutput nothingButBytes(ByteBuf bytes) {
        return new ServerOutput(
                bytes,
                List.of(),
                List.of(),
                talk.drainOutcomes(),
                ServerOutput.Forgotten.NOTHING,
                Optional.empty(),
                false,
                Optional.empty(),
                Optional.empty());
    }

    private void inspect(Lease lease, Inspection inspection) {
        if (talk.settled()) {
            socket.writeAndFlush(talk.inspect(inspection));
            lease.inspected = true;
            connection.limit(
                    "a look at the session's state", connection.settings().connectTimeout());
        } else {
            lease.holder.tell(new LeaseEvent.Inspected(lease.id, Optional.empty()));
        }
    }

    private Behavior<Command> replies(Lease lease, ServerOutput output, Ack ack) {
        if (lease.inspected && output.ownCycleEnded()) {
            lease.inspected = false;
            connection.unlimited();
            lease.holder.tell(new LeaseEvent.Inspected(lease.id, output.findings()));
        } else if (output.ownError().isPresent()) {
            // The batch went out together with parameters that this backend refused: its result must not count.
            output.bytes().release();
            return lost(lease, "parameters refused: " + output.ownError().get().message());
        }
        output.fatal().ifPresent(error -> lease.lastWords = Optional.of(error));
        if (output.ownCycleEnded() || talk.settled()) {
            cancelNext(); // what has been answered needs no second cancel
        }
        boolean nothingToTell =
                !output.bytes().isReadable() && output.aligned().isEmpty() && output.outcomes().length == 0;
        if (nothingToTell) {
            output.bytes().release();
            ack.acknowledge();
        } else {
            tellReplies(lease, output, Optional.of(ack));
        }
        return Behaviors.same();
    }

    private void tellReplies(Lease lease, ServerOutput output, Optional<Ack> ack) {
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

    private Behavior<Command> lost(Lease lease, String reason) {
        lease.holder.tell(new LeaseEvent.Lost(lease.id, lease.lastWords, talk.insideServerFrame()));
        return closing(lease.lastWords.map(ErrorResponse::message).orElse(reason));
    }

    // ---- the end of a lease

    private Behavior<Command> onReturn(Lease lease, Ending ending, Left left) {
        cancels.nothingToCancel();
        if (ending == Ending.TERMINATED && !talk.settled() && !talk.onlyOwnCycleLeft()) {
            return talk.canBeDrained() ? draining(lease, left) : endingWithTheClient(lease);
        }
        if (ending == Ending.TERMINATED) {
            over(lease);
        }
        if (talk.settled()) {
            return ended(left);
        }
        if (talk.onlyOwnCycleLeft()) {
            return cleaning(left);
        }
        return abandoned();
    }

    private static void over(Lease lease) {
        lease.holder.tell(new LeaseEvent.Over(lease.id));
    }

    /// What the server still does, it does for nobody: it is told to stop, and the connection ends.
    private Behavior<Command> abandoned() {
        cancels.sendForNobody();
        return closing("client left before its answer was complete");
    }

    /// The client has said goodbye and still gets its answers.
    private Behavior<Command> draining(Lease lease, Left left) {
        return connection.state(Activity.ACTIVE, command -> switch (command) {
            case FromServer(Framed.Messages(var batch), var ack) -> {
                Behavior<Command> next = replies(lease, talk.fromServer(batch), ack);
                if (next != Behaviors.<Command>same()) {
                    yield next;
                }
                if (talk.settled()) {
                    over(lease);
                    yield ended(left);
                }
                // A COPY that has just begun waits for data that nobody will send.
                yield talk.canBeDrained() ? Behaviors.same() : endingWithTheClient(lease);
            }
            case ServerGone _ -> lost(lease, "connection closed by the server");
            case FromServer(Framed.Violated(var violation), var _) -> lost(lease, violation.getMessage());
            case Retire(var reason) -> connection.retireWhenOpen(reason);
            case Cancel(var _, var done) -> nothingToCancel(done);
            case CancelFinished finished -> cancelFinished(finished);
            case Relay relay -> dropped(relay);
            case Return _ -> Behaviors.same();
            default -> common(command);
        });
    }

    /// What the client has left open only the server itself can end, as it does for any client that says Terminate.
    /// It has the last word, within the time that any clean-up has, and the connection ends.
    private Behavior<Command> endingWithTheClient(Lease lease) {
        sayGoodbye();
        socket.flush();
        connection.limit(
                "the end of the server's session", connection.settings().connectTimeout());
        return connection.state(Activity.ACTIVE, command -> switch (command) {
            case FromServer(Framed.Messages(var batch), var ack) -> replies(lease, talk.fromServer(batch), ack);
            case TookTooLong _ -> {
                over(lease);
                yield abandoned();
            }
            case ServerGone _ -> lost(lease, "the client has left");
            case FromServer(Framed.Violated(var violation), var _) -> lost(lease, violation.getMessage());
            case Retire(var reason) -> connection.retireWhenOpen(reason);
            case Cancel(var _, var done) -> nothingToCancel(done);
            case CancelFinished finished -> cancelFinished(finished);
            case Relay relay -> dropped(relay);
            case Return _ -> Behaviors.same();
            default -> common(command);
        });
    }

    private Behavior<Command> ended(Left left) {
        talk.lent(false);
        if (left == Left.LIBRARY) {
            return closing("the session has loaded a library");
        }
        if (talk.status() != TransactionStatus.IDLE) {
            socket.writeAndFlush(talk.ownQuery("ROLLBACK"));
            return cleaning(left);
        }
        if (left == Left.STATE && connection.settings().resetQuery().isEmpty()) {
            socket.writeAndFlush(talk.resetQuery("DISCARD ALL"));
            return resetting();
        }
        if (left == Left.PARAMETERS) {
            socket.writeAndFlush(talk.resetAll());
            return resetting();
        }
        if (connection.settings().resetQuery().isPresent()) {
            socket.writeAndFlush(
                    talk.resetQuery(connection.settings().resetQuery().get()));
            return resetting();
        }
        return clean();
    }

    /// A ROLLBACK is on its way, or whatever else must end before the connection can be told clean.
    private Behavior<Command> cleaning(Left left) {
        connection.limit("clean-up", connection.settings().connectTimeout());
        return awaitingOwnCycle(() -> ended(left));
    }

    private Behavior<Command> resetting() {
        connection.limit("reset query", connection.settings().connectTimeout());
        return awaitingOwnCycle(() -> clean());
    }

    private Behavior<Command> awaitingOwnCycle(Supplier<Behavior<Command>> next) {
        return connection.state(Activity.CLEANING, command -> switch (command) {
            case FromServer(Framed.Messages(var batch), var ack) -> {
                ServerOutput output = talk.fromServer(batch);
                output.bytes().release();
                ack.acknowledge();
                if (output.ownError().isPresent()) {
                    yield closing("clean-up failed: " + output.ownError().get().message());
                }
                if (!output.ownCycleEnded() || !talk.settled()) {
                    yield Behaviors.same();
                }
                connection.unlimited();
                yield talk.status() == TransactionStatus.IDLE
                        ? next.get()
                        : closing("clean-up left a transaction open");
            }
            case Retire(var reason) -> connection.retireWhenOpen(reason);
            case TookTooLong(var what) -> closing(what + " took too long");
            case Cancel(var _, var done) -> nothingToCancel(done);
            case CancelFinished finished -> cancelFinished(finished);
            case Relay relay -> dropped(relay);
            case Return _ -> Behaviors.same();
            default -> common(command);
        });
    }

    private Behavior<Command> clean() {
        if (cancels.inDoubt()) {
            return closing("a cancel request may still arrive");
        }
        if (cancels.onTheWay()) {
            return awaitingCancels();
        }
        if (connection.retired().isEmpty()) {
            connection.owner().tell(new Available(connection.context().getSelf()));
        }
        return becomeIdle();
    }

    /// Clean, but held back: a cancel request on its way to the server must not hit the next session's query.
    private Behavior<Command> awaitingCancels() {
        return connection.state(Activity.BEING_CANCELED, command -> switch (command) {
            case CancelFinished finished -> {
                cancelFinished(finished);
                yield clean();
            }
            case FromServer(Framed.Messages(var batch), var ack) -> {
                talk.fromServer(batch).bytes().release();
                ack.acknowledge();
                yield talk.settled() ? Behaviors.same() : closing("idle server got dirty");
            }
            case Retire(var reason) -> retires(reason);
            case Cancel(var _, var done) -> nothingToCancel(done);
            case Relay relay -> dropped(relay);
            case Return _ -> Behaviors.same();
            default -> common(command);
        });
    }

    // ---- cancel

    private Behavior<Command> cancel(ActorRef<CancelDone> done) {
        cancels.request(done);
        return cancelNext();
    }

    /// A cycle of our own, which may go before what the client has sent, is not cancelled: the request waits.
    private Behavior<Command> cancelNext() {
        if (talk.clientWaits()) {
            cancels.sendNext();
        } else if (!talk.inOwnCycle()) {
            cancels.nothingToCancel();
        }
        return Behaviors.same();
    }

    private Behavior<Command> cancelFinished(CancelFinished finished) {
        cancels.finished(finished);
        return Behaviors.same();
    }

    private static Behavior<Command> nothingToCancel(ActorRef<CancelDone> done) {
        done.tell(new CancelDone());
        return Behaviors.same();
    }

    // ---- the end, and what is the same everywhere

    private Behavior<Command> closing(String reason) {
        cancels.nothingToCancel();
        connection.owner().tell(new Closed(connection.context().getSelf(), reason));
        sayGoodbye();
        socket.closeAfterFlush();
        return closed(false);
    }

    /// Terminate, once.
    private void sayGoodbye() {
        if (!goodbyeSaid) {
            goodbyeSaid = true;
            ByteBuf goodbye = socket.allocator().buffer(8);
            new Terminate().encodeTo(goodbye);
            socket.write(goodbye);
        }
    }

    private Behavior<Command> retires(String reason) {
        return connection.replaced() ? evicted(reason) : closing(reason);
    }

    /// The server is told to go, and waited for.
    private Behavior<Command> evicted(String reason) {
        sayGoodbye();
        socket.flush();
        connection.limit("the server's end", connection.settings().connectTimeout());
        return connection.state(Activity.CLOSING, command -> switch (command) {
            case ServerGone _, TookTooLong _, FromServer(Framed.Violated _, var _) -> {
                connection.unlimited();
                yield closing(reason);
            }
            case FromServer(Framed.Messages(var batch), var ack) -> {
                batch.release();
                yield acknowledged(ack);
            }
            case Lend lend -> declinedBy(lend);
            case Cancel(var _, var done) -> nothingToCancel(done);
            case CancelFinished finished -> cancelFinished(finished);
            case Relay relay -> dropped(relay);
            default -> Behaviors.same();
        });
    }

    /// Until the owner has heard of it, requests that crossed the news are declined, so that none is lost; and
    /// until the cancel requests are through, because somebody waits for them.
    private Behavior<Command> closed(boolean farewell) {
        return connection.state(Activity.CLOSING, command -> switch (command) {
            case Farewell _ -> cancels.onTheWay() ? closed(true) : Behaviors.stopped();
            case CancelFinished finished -> {
                cancelFinished(finished);
                yield farewell ? Behaviors.stopped() : Behaviors.same();
            }
            case Lend lend -> declinedBy(lend);
            case Relay relay -> dropped(relay);
            case Cancel(var _, var done) -> nothingToCancel(done);
            case FromServer(Framed.Messages(var batch), var ack) -> {
                batch.release();
                yield acknowledged(ack);
            }
            default -> Behaviors.same();
        });
    }

    private Behavior<Command> common(Command command) {
        return switch (command) {
            case ServerGone _ -> closing("connection closed by the server");
            case FromServer(Framed.Violated(var violation), var _) -> closing(violation.getMessage());
            case TookTooLong _, Inquire _, Farewell _ -> Behaviors.same();
            case Lend lend -> declinedBy(lend);
            default -> connection.unexpected("open", command);
        };
    }

    private Behavior<Command> declinedBy(Lend lend) {
        connection.owner().tell(new Declined(connection.context().getSelf(), lend));
        return Behaviors.same();
    }

    private static Behavior<Command> dropped(Relay relay) {
        relay.releaseBytes();
        relay.batch().ack().acknowledge();
        return Behaviors.same();
    }

    private static Behavior<Command> acknowledged(Ack ack) {
        ack.acknowledge();
        return Behaviors.same();
    }

    private void acknowledgeWhenWritable(Ack ack) {
        if (socket.writable()) {
            ack.acknowledge();
        } else {
            socket.whenWritable(() -> ack.acknowledge());
        }
    }
}
