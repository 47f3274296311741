package org.pgporter.node.backend;

import static org.pgporter.node.backend.RepliesOwed.Verdict.SWALLOW;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.pgporter.node.backend.ServerOutput.Forgotten;
import org.pgporter.node.error.ProxyError;
import org.pgporter.protocol.codec.Batch;
import org.pgporter.protocol.message.ErrorResponse;
import org.pgporter.protocol.message.ParameterStatus;
import org.pgporter.protocol.message.ProtocolViolation;
import org.pgporter.protocol.message.ReadyForQuery;
import org.pgporter.protocol.message.Severity;
import org.pgporter.protocol.message.SqlState;
import org.pgporter.protocol.message.TransactionStatus;

/// What is being said on one backend connection, without its socket: which replies are owed, which statements
/// the backend knows, which parameters it has. Turns the client's batches into bytes for the server and the
/// server's batches into bytes for the client, and leaves both as they are where nothing has to change.
///
/// Mutable and confined to the thread of its backend connection.
final class BackendConversation {
    private static final byte[] DISCARD_ALL = "DISCARD ALL\0".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] DISCARD_SEQUENCES = "DISCARD SEQUENCES".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] DEALLOCATE_ALL = "DEALLOCATE ALL\0".getBytes(StandardCharsets.US_ASCII);

    private static final Pattern DISCARD = Pattern.compile("\\s*DISCARD\\s+ALL\\s*;?\\s*", Pattern.CASE_INSENSITIVE);

    /// Errors with the name of a statement in their message: "already exists", "does not exist", and "bind
    /// message supplies 1 parameters, but prepared statement "s" requires 2".
    private static final Set<SqlState> TELL_NAMES = Set.of(
            SqlState.DUPLICATE_PREPARED_STATEMENT, SqlState.INVALID_SQL_STATEMENT_NAME, SqlState.PROTOCOL_VIOLATION);

    /// The routine that says "cached plan must not change result type" (`plancache.c`); drivers look for
    /// it, too.
    private static final String REVALIDATION = "RevalidateCachedQuery";

    /// Length of the whole message.
    private static final int READY_FOR_QUERY = 6;

    private final ByteBufAllocator allocator;
    private final PreparedOnBackend prepared;
    private final RepliesOwed owed;
    private final StatementTranslation statements;
    private final BackendParameters parameters;
    private final AcceptedValues accepted;
    private final Meter meter;
    private final String loginRole;
    private final String defaultRole;
    private boolean lent;

    private final OwnRows ownRows = new OwnRows();
    private @Nullable Inspection inspecting;
    private Optional<ErrorResponse> cycleError = Optional.empty();

    private TransactionStatus status = TransactionStatus.IDLE;
    private boolean insideClientFrame;
    private boolean insideServerFrame;
    /// The client has been told that a table has changed; what the server says up to ReadyForQuery is not
    /// for it.
    private boolean refusing;

    /// @param meter counts what is said
    /// @param loginRole the role that the backend connection logged in as
    /// @param defaultRole what its parameter `role` says while nobody has changed it
    /// @param reported the parameters that the backend reported at its login
    BackendConversation(
            ByteBufAllocator allocator,
            int statementCapacity,
            AcceptedValues accepted,
            Meter meter,
            String loginRole,
            String defaultRole,
            ServerParameters reported) {
        this.allocator = allocator;
        this.meter = meter;
        this.prepared = new PreparedOnBackend(statementCapacity);
        this.owed = new RepliesOwed(prepared);
        this.statements = new StatementTranslation(prepared, owed, meter, () -> status == TransactionStatus.FAILED);
        this.parameters = new BackendParameters(accepted, reported);
        this.accepted = accepted;
        this.loginRole = loginRole;
        this.defaultRole = defaultRole;
    }

    ServerParameters parameters() {
        return parameters.current();
    }

    /// Whether a session uses the backend: what is reported then is that session's doing.
    void lent(boolean lent) {
        this.lent = lent;
        meter.handedOver();
    }

    TransactionStatus status() {
        return status;
    }

    /// Nothing is asked, nothing is half sent in either direction: what the status says is the whole truth.
    boolean settled() {
        return owed.settled() && !insideClientFrame && !insideServerFrame;
    }

    /// The client is owed something: a cancel request has something to cancel.
    boolean clientWaits() {
        return owed.anythingOwed() && !owed.inOwnCycle();
    }

    /// Whether nobody can say any more what the server is going to answer, so that messages of ours among
    /// those of the client would have answers that nobody can tell from its own.
    boolean lostTrack() {
        return owed.lost();
    }

    boolean inOwnCycle() {
        return owed.inOwnCycle();
    }

    /// What was asked will be answered without another word of the client. PostgreSQL undoes what a client has
    /// left without its Sync, so nobody may send that in its place.
    boolean canBeDrained() {
        return !owed.lost() && !owed.inCopyIn() && !owed.awaitsSync() && !insideClientFrame;
    }

    boolean insideServerFrame() {
        return insideServerFrame;
    }

    int preparedStatements() {
        return prepared.count();
    }

    // ---- our own cycles

    /// What must be sent before a session with these parameters may use the backend, or nothing.
    ///
    /// @param forgetSequences the session is going to ask for values of sequences, and those that the backend
    ///     remembers are not its own
    Optional<Preparation> prepareFor(WantedParameters wanted, boolean forgetSequences) {
        List<PreparedStatement> evicted = prepared.evictable();
        boolean aligned = parameters.isAlignedTo(wanted);
        if (evicted.isEmpty() && aligned && !forgetSequences) {
            return Optional.empty();
        }
        Alignment alignment = aligned ? Alignment.NONE : parameters.alignTo(wanted);
        if (evicted.isEmpty() && alignment.isEmpty() && !forgetSequences) {
            return Optional.empty();
        }
        ByteBuf out = allocator.buffer();
        for (PreparedStatement statement : evicted) {
            statement.writeClose(out);
        }
        alignment.write(out);
        if (forgetSequences) {
            OwnMessages.writeParse(out, DISCARD_SEQUENCES, 0, 0);
            OwnMessages.writeBind(out);
            OwnMessages.writeExecute(out);
        }
        if (forgetSequences || !alignment.isEmpty()) {
            prepared.unnamedGone();
        }
        OwnMessages.writeSync(out);
        owed.startOwnCycle();
        return Optional.of(new Preparation(out, alignment.mayBePipelined(accepted)));
    }

    /// @param bytes for the server
    /// @param pipelined the client's batch may follow in the same write
    record Preparation(ByteBuf bytes, boolean pipelined) {}

    /// A simple query of our own (ROLLBACK, the reset query, the empty check query).
    ByteBuf ownQuery(String sql) {
        byte[] text = sql.getBytes(StandardCharsets.UTF_8);
        ByteBuf out = allocator.buffer(text.length + 6);
        out.writeByte('Q').writeInt(4 + text.length + 1).writeBytes(text).writeByte(0);
        prepared.unnamedGone();
        owed.startOwnCycle();
        return out;
    }

    /// Asks what the session has left here; only while nothing is owed. [ServerOutput#findings] brings the
    /// answer.
    ByteBuf inspect(Inspection inspection) {
        ByteBuf out = allocator.buffer();
        inspection.write(out);
        prepared.unnamedGone();
        inspecting = inspection;
        owed.startOwnCycle();
        return out;
    }

    /// Nothing is going on but a cycle of our own.
    boolean onlyOwnCycleLeft() {
        return owed.inOwnCycle() && owed.onlyOneOwed() && !insideClientFrame;
    }

    /// The query that cleans the backend for the next session. After anything but DISCARD ALL nobody knows
    /// which of the parameters that were applied are still there.
    ByteBuf resetQuery(String sql) {
        ByteBuf out = ownQuery(sql);
        if (DISCARD.matcher(sql).matches()) {
            sessionStateDiscarded();
        } else {
            parameters.inDoubt();
        }
        return out;
    }

    /// Sets every parameter back to what it was after the login; who the session is stays.
    ByteBuf resetAll() {
        ByteBuf out = ownQuery("RESET ALL");
        parameters.allReset();
        return out;
    }

    private void sessionStateDiscarded() {
        prepared.allGone();
        parameters.discarded();
    }

    // ---- from the client

    /// The bytes to write for a batch. Takes over the batch's bytes.
    ByteBuf toServer(Batch batch, @Nullable StatementUse @Nullable [] uses) {
        insideClientFrame = batch.endsInsideFrame();
        meter.sent(batch);
        if (uses == null) {
            for (int i = 0; i < batch.marks(); i++) {
                statements.track(batch, i);
            }
            return batch.bytes();
        }
        Translation out = new Translation(batch, allocator);
        for (int i = 0; i < batch.marks(); i++) {
            switch (uses[i]) {
                case null -> statements.track(batch, i);
                case StatementUse.Named use -> statements.translate(batch, i, use, out);
                case StatementUse.Unknown use -> statements.translate(batch, i, use, out);
                case StatementUse.Text use -> statements.translate(batch, i, use, out);
            }
        }
        return out.result();
    }

    /// Replies of ours that are due although the server said nothing: the client's Parse was answered here and
    /// now.
    ByteBuf dueLocalReplies() {
        if (insideServerFrame) {
            return Unpooled.EMPTY_BUFFER; // they follow when the message that the client is getting is complete
        }
        byte reply = owed.nextLocalReply();
        if (reply == 0) {
            return Unpooled.EMPTY_BUFFER;
        }
        ByteBuf out = allocator.buffer(16);
        for (; reply != 0; reply = owed.nextLocalReply()) {
            out.writeByte(reply).writeInt(4);
        }
        return out;
    }

    byte[] drainOutcomes() {
        return owed.drainOutcomes();
    }

    boolean outcomesWait() {
        return owed.outcomesWait();
    }

    // ---- from the server

    /// What a batch of the server means and what of it is for the client. Takes over the batch's bytes.
    ServerOutput fromServer(Batch batch) {
        insideServerFrame = batch.endsInsideFrame();
        try {
            return new ServerReading(batch).read();
        } catch (ProtocolViolation violation) {
            batch.release(); // the connection ends with this: nothing of the batch is passed on
            throw violation;
        }
    }

    /// One pass over a batch of the server.
    private final class ServerReading {
        private final Batch batch;
        private final Translation out;
        private List<ParameterStatus> reported = List.of();
        private List<ParameterStatus> ours = List.of();
        private Forgotten forgotten = Forgotten.NOTHING;
        private Optional<ErrorResponse> fatal = Optional.empty();
        private Optional<ErrorResponse> ownError = Optional.empty();
        private boolean ownCycleEnded;
        private Optional<Findings> findings = Optional.empty();

        ServerReading(Batch batch) {
            this.batch = batch;
            this.out = new Translation(batch, allocator);
        }

        ServerOutput read() {
            boolean own = owed.inOwnCycle();
            int ownFrom = 0;
            for (int i = 0; i < batch.marks(); i++) {
                byte type = batch.type(i);
                if (own) {
                    ownFrame(type, i);
                    if (type == 'Z') {
                        own = owed.inOwnCycle();
                    }
                    if (type == 'Z' || type == 'A') {
                        swallow(ownFrom, type == 'A' ? batch.start(i) : batch.end(i));
                        ownFrom = batch.end(i);
                    }
                    if (type == 'Z') {
                        ownCycleEnded();
                        localReplies(batch.end(i));
                    }
                } else if (refusing) {
                    if (type == 'Z') {
                        out.replacing(ownFrom, batch.start(i));
                        refusing = false;
                        clientFrame(type, i);
                    } else {
                        unheardFrame(type, i);
                    }
                    own = owed.inOwnCycle();
                    ownFrom = refusing ? ownFrom : batch.end(i);
                } else {
                    clientFrame(type, i);
                    own = owed.inOwnCycle();
                    ownFrom = batch.end(i);
                }
            }
            if (refusing) {
                out.replacing(ownFrom, batch.bytes().writerIndex());
            } else if (own) {
                swallow(ownFrom, batch.bytes().writerIndex());
            } else if (!insideServerFrame) {
                localReplies(batch.bytes().writerIndex());
            }
            ByteBuf forClient = out.result();
            meter.toClient(forClient.readableBytes());
            return new ServerOutput(
                    forClient,
                    reported,
                    ours,
                    owed.drainOutcomes(),
                    forgotten,
                    fatal,
                    ownCycleEnded,
                    ownError,
                    findings);
        }

        /// A notification in the middle of our own cycle is the client's; everything else in there is not.
        private void swallow(int from, int to) {
            if (inspecting != null || parameters.isAligning()) {
                ownRows.add(batch.bytes(), from, to);
            }
            out.replacing(from, to);
        }

        private void ownFrame(byte type, int mark) {
            switch (type) {
                case 'S' -> {
                    ParameterStatus parameter = ParameterStatus.decode(batch.body(mark));
                    parameters.reportedToUs(parameter);
                    ours = plus(ours, parameter);
                }
                case 'E' -> {
                    ErrorResponse error = batch.complete(mark)
                            ? ErrorResponse.decode(batch.body(mark))
                            : ProxyError.backendSurprise("an error of " + batch.declaredLength(mark) + " bytes");
                    cycleError = Optional.of(error);
                    noteFatal(error);
                }
                case 'Z' -> status = readyStatus(mark);
                default -> {}
            }
            owed.onReply(type);
        }

        private void ownCycleEnded() {
            ownCycleEnded = true;
            ownError = cycleError;
            cycleError = Optional.empty();
            List<List<String>> rows = ownRows.take();
            Inspection inspection = inspecting;
            if (inspection != null) {
                inspecting = null;
                if (ownError.isEmpty()) {
                    Findings found = Findings.of(inspection, rows, loginRole, defaultRole);
                    parameters.found(found);
                    findings = Optional.of(found);
                }
            } else if (parameters.isAligning()) {
                if (ownError.isPresent()) {
                    parameters.alignmentFailed();
                } else {
                    parameters.aligned(rows);
                }
            }
        }

        /// What comes of a statement whose rows the client would misread: the account is kept, and nothing
        /// passed on.
        private void unheardFrame(byte type, int mark) {
            switch (type) {
                case 'S' -> parameters.reportedToUs(ParameterStatus.decode(batch.body(mark)));
                case 'E' -> {
                    if (batch.complete(mark)) {
                        noteFatal(ErrorResponse.decode(batch.body(mark)));
                    }
                }
                default -> {}
            }
            owed.onReply(type);
            while (owed.nextLocalReply() != 0) {
                // skipped like the rest, as after any error
            }
        }

        /// The answer to a Describe of a shared statement.
        private void description(byte type, int mark) {
            if (!owed.describes() || !batch.complete(mark)) {
                return;
            }
            PreparedStatement statement = prepared.described();
            ResultDescription now = type == 'n' ? ResultDescription.NO_ROWS : ResultDescription.of(batch.body(mark));
            Optional<ResultDescription> told = statement.description();
            if (told.isEmpty()) {
                statement.describedAs(now);
            } else if (!told.get().equals(now)) {
                prepared.outdated(statement);
                refusing = owed.describesForAnOldStatement();
                if (refusing) {
                    forgotten = Forgotten.PLANS;
                    ProxyError.resultChanged(statement.isQuery())
                            .encodeTo(out.replacing(batch.start(mark), batch.end(mark)));
                }
            }
        }

        private void clientFrame(byte type, int mark) {
            if (type == 'T' || type == 'n') {
                description(type, mark);
            }
            switch (type) {
                case 'S' -> {
                    ParameterStatus parameter = ParameterStatus.decode(batch.body(mark));
                    parameters.reportedToClient(parameter, lent);
                    reported = plus(reported, parameter);
                }
                case 'E' -> error(mark);
                case 'C' -> commandComplete(mark);
                case 'Z' -> status = readyStatus(mark);
                default -> {}
            }
            if (owed.onReply(type) == SWALLOW && !refusing) {
                out.replacing(batch.start(mark), batch.end(mark));
            }
            if (refusing) {
                while (owed.nextLocalReply() != 0) {
                    // the client has got its error
                }
                return;
            }
            localReplies(batch.end(mark));
            if (type == 'Z') {
                boolean settled = owed.settled();
                meter.ready(status, !settled);
                if (settled) {
                    statements.settled();
                }
            }
        }

        private void localReplies(int at) {
            for (byte reply = owed.nextLocalReply(); reply != 0; reply = owed.nextLocalReply()) {
                out.replacing(at, at).writeByte(reply).writeInt(4);
            }
        }

        private void error(int mark) {
            if (!batch.complete(mark)) {
                return; // longer than anybody reads: passes as it is
            }
            ErrorResponse error = ErrorResponse.decode(batch.body(mark));
            noteFatal(error);
            meter.failed(error.sqlState());
            if (error.sqlState().equals(SqlState.FEATURE_NOT_SUPPORTED)
                    && REVALIDATION.equals(error.fields().get('R'))) {
                prepared.planOutdated();
                forgotten = Forgotten.PLANS;
            }
            if (TELL_NAMES.contains(error.sqlState())) {
                statements
                        .inTheClientsWords(error)
                        .ifPresent(renamed -> renamed.encodeTo(out.replacing(batch.start(mark), batch.end(mark))));
            }
        }

        private TransactionStatus readyStatus(int mark) {
            return batch.declaredLength(mark) == READY_FOR_QUERY
                    ? TransactionStatus.of(batch.bytes().getByte(batch.bodyStart(mark)))
                    : ReadyForQuery.decode(batch.body(mark)).status(); // and what is wrong with it
        }

        private void noteFatal(ErrorResponse error) {
            if (error.severity() == Severity.FATAL || error.severity() == Severity.PANIC) {
                fatal = Optional.of(error);
            }
        }

        private void commandComplete(int mark) {
            ByteBuf bytes = batch.bytes();
            int at = batch.start(mark) + 5;
            int length = batch.end(mark) - at;
            if (length == 0) {
                return;
            }
            if (SchemaChange.isOne(bytes, at, length)) {
                forgotten = Forgotten.SCHEMA;
            }
            if (bytes.getByte(at) != 'D') {
                return;
            }
            if (is(bytes, at, length, DISCARD_ALL)) {
                sessionStateDiscarded();
                forgotten = Forgotten.SESSION;
            } else if (is(bytes, at, length, DEALLOCATE_ALL)) {
                prepared.allGone();
                forgotten = Forgotten.STATEMENTS;
            }
        }

        private static boolean is(ByteBuf bytes, int at, int length, byte[] text) {
            return length == text.length
                    && io.netty.buffer.ByteBufUtil.equals(bytes, at, Unpooled.wrappedBuffer(text), 0, length);
        }

        private static List<ParameterStatus> plus(List<ParameterStatus> list, ParameterStatus parameter) {
            List<ParameterStatus> longer = new ArrayList<>(list);
            longer.add(parameter);
            return longer;
        }
    }
}
