package org.pgporter.node.backend;

import static org.pgporter.node.backend.RepliesOwed.Verdict.SWALLOW;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
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
import org.pgporter.protocol.message.WireText;

/// What is being said on one backend connection, without its socket: which replies are owed, which statements
/// the backend knows, which parameters it has. Turns the client's batches into bytes for the server and the
/// server's batches into bytes for the client, and leaves both as they are where nothing has to change.
///
/// Mutable and confined to the thread of its backend connection.
final class BackendConversation {
    /// Type byte and length word.
    private static final int EMPTY_MESSAGE = 5;

    private static final byte[] DISCARD_ALL = "DISCARD ALL\0".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] DEALLOCATE_ALL = "DEALLOCATE ALL\0".getBytes(StandardCharsets.US_ASCII);

    private static final Pattern DISCARD = Pattern.compile("\\s*DISCARD\\s+ALL\\s*;?\\s*", Pattern.CASE_INSENSITIVE);

    /// The routine that says "cached plan must not change result type" (`plancache.c`); drivers look for it, too.
    private static final String REVALIDATION = "RevalidateCachedQuery";

    private final ByteBufAllocator allocator;
    private final PreparedOnBackend prepared;
    private final RepliesOwed owed;
    private final AcceptedValues accepted;
    private ServerParameters defaults;

    private ServerParameters current;
    private boolean lent;
    private final TreeMap<String, String> applied = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    private @Nullable WantedParameters alignedTo;
    private Alignment aligning = Alignment.NONE;
    private Optional<ErrorResponse> cycleError = Optional.empty();

    private TransactionStatus status = TransactionStatus.IDLE;
    private boolean insideClientFrame;
    private boolean insideServerFrame;
    private final Map<String, String> duplicates = new HashMap<>();

    BackendConversation(
            ByteBufAllocator allocator, int statementCapacity, AcceptedValues accepted, ServerParameters reported) {
        this.allocator = allocator;
        this.prepared = new PreparedOnBackend(statementCapacity);
        this.owed = new RepliesOwed(prepared);
        this.accepted = accepted;
        this.defaults = reported;
        this.current = reported;
        this.alignedTo = WantedParameters.none();
    }

    ServerParameters parameters() {
        return current;
    }

    /// A parameter reported while nobody uses the backend is a new default: the server's configuration changed.
    void lent(boolean lent) {
        this.lent = lent;
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

    boolean inOwnCycle() {
        return owed.inOwnCycle();
    }

    boolean canBeDrained() {
        return !owed.lost() && !owed.inCopyIn() && !insideClientFrame;
    }

    boolean insideServerFrame() {
        return insideServerFrame;
    }

    int preparedStatements() {
        return prepared.count();
    }

    // ---- our own cycles

    /// What must be sent before a session with these parameters may use the backend, or nothing.
    Optional<Preparation> prepareFor(WantedParameters wanted) {
        List<PreparedStatement> evicted = prepared.evictable();
        if (evicted.isEmpty() && isAlignedTo(wanted)) {
            return Optional.empty();
        }
        Alignment alignment = Alignment.between(current, defaults, applied, wanted, accepted);
        alignedTo = wanted;
        if (evicted.isEmpty() && alignment.isEmpty()) {
            return Optional.empty();
        }
        ByteBuf out = allocator.buffer();
        for (PreparedStatement statement : evicted) {
            statement.writeClose(out);
        }
        alignment.write(out);
        out.writeByte('S').writeInt(4);
        if (!alignment.isEmpty()) {
            prepared.unnamedGone();
            aligning = alignment;
        }
        owed.startOwnCycle();
        return Optional.of(new Preparation(out, alignment.mayBePipelined(accepted)));
    }

    private boolean isAlignedTo(WantedParameters wanted) {
        WantedParameters now = alignedTo;
        return now != null && wanted.equals(now);
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

    /// The query that cleans the backend for the next session. After anything but DISCARD ALL nobody knows which
    /// of the parameters that were applied are still there.
    ByteBuf resetQuery(String sql) {
        ByteBuf out = ownQuery(sql);
        if (DISCARD.matcher(sql).matches()) {
            sessionStateDiscarded();
        } else {
            applied.replaceAll((_, _) -> Alignment.UNKNOWN);
            alignedTo = null;
        }
        return out;
    }

    private void sessionStateDiscarded() {
        prepared.allGone();
        applied.clear();
        alignedTo = null;
    }

    // ---- from the client

    /// The bytes to write for a batch. Takes over the batch's bytes.
    ByteBuf toServer(Batch batch, @Nullable StatementUse @Nullable [] uses) {
        insideClientFrame = batch.endsInsideFrame();
        if (uses == null) {
            for (int i = 0; i < batch.marks(); i++) {
                track(batch, i);
            }
            return batch.bytes();
        }
        Translation translation = new Translation(batch, allocator);
        for (int i = 0; i < batch.marks(); i++) {
            StatementUse use = uses[i];
            if (use == null) {
                track(batch, i);
            } else {
                translate(batch, i, use, translation);
            }
        }
        return translation.result();
    }

    private void track(Batch batch, int mark) {
        byte type = batch.type(mark);
        switch (type) {
            case 'Q' -> prepared.unnamedGone();
            case 'S' -> prepared.cycleEnded();
            case 'H' -> {
                if (batch.declaredLength(mark) > EMPTY_MESSAGE) {
                    owed.sentBrokenFlush();
                }
            }
            default -> {}
        }
        owed.sent(type);
    }

    private void translate(Batch batch, int mark, StatementUse use, Translation out) {
        PreparedStatement statement = use.statement();
        switch (batch.type(mark)) {
            case 'P' -> {
                if (use.duplicate()) {
                    ensurePrepared(statement, batch, mark, out);
                    statement.writeParse(out.replacing(batch.start(mark), batch.end(mark)));
                    duplicates.put(statement.serverName(), clientName(use));
                    owed.sent((byte) 'P');
                } else if (!statement.isNamed()) {
                    prepared.parseSent(statement);
                    owed.sentParse(false);
                } else if (prepared.knows(statement)) {
                    out.replacing(batch.start(mark), batch.end(mark));
                    owed.answerLocally((byte) '1', true);
                } else {
                    writeParse(statement, out.replacing(batch.start(mark), batch.end(mark)), false);
                }
            }
            case 'B' -> {
                ensurePrepared(statement, batch, mark, out);
                if (statement.isNamed()) {
                    renameBind(batch, mark, statement, out);
                }
                owed.sent((byte) 'B');
            }
            case 'D' -> {
                ensurePrepared(statement, batch, mark, out);
                if (statement.isNamed()) {
                    ByteBuf buffer = out.replacing(batch.start(mark), batch.end(mark));
                    buffer.writeByte('D')
                            .writeInt(4 + 1 + statement.nameLength() + 1)
                            .writeByte('S');
                    statement.writeName(buffer);
                }
                owed.sent((byte) 'D');
            }
            case 'C' -> {
                if (statement.isNamed()) {
                    out.replacing(batch.start(mark), batch.end(mark));
                    owed.answerLocally((byte) '3', true);
                } else {
                    prepared.unnamedGone();
                    owed.sentRename((byte) 'C');
                }
            }
            case 'Q' -> {
                prepared.unnamedGone();
                owed.sentRename((byte) 'Q');
            }
            default -> track(batch, mark);
        }
    }

    /// The name as a text that goes into messages; in a [StatementUse] each of its bytes is one character.
    private static String clientName(StatementUse use) {
        return WireText.decode(use.clientName().getBytes(StandardCharsets.ISO_8859_1));
    }

    private void ensurePrepared(PreparedStatement statement, Batch batch, int mark, Translation out) {
        if (!prepared.knows(statement)) {
            writeParse(statement, out.replacing(batch.start(mark), batch.start(mark)), true);
        }
    }

    private void writeParse(PreparedStatement statement, ByteBuf out, boolean ours) {
        if (prepared.inDoubt(statement)) {
            statement.writeClose(out);
            owed.sentOwnClose();
        }
        statement.writeParse(out);
        prepared.parseSent(statement);
        owed.sentParse(ours);
    }

    private static void renameBind(Batch batch, int mark, PreparedStatement statement, Translation out) {
        ByteBuf bytes = batch.bytes();
        int start = batch.start(mark);
        int portal = start + 5;
        int name = endOfString(bytes, portal, batch.end(mark));
        int rest = endOfString(bytes, name, batch.end(mark));
        ByteBuf buffer = out.replacing(start, rest);
        int oldNameLength = rest - name - 1;
        buffer.writeByte('B').writeInt(batch.declaredLength(mark) - 1 - oldNameLength + statement.nameLength());
        buffer.writeBytes(bytes, portal, name - portal);
        statement.writeName(buffer);
    }

    private static int endOfString(ByteBuf bytes, int from, int limit) {
        int zero = bytes.indexOf(from, limit, (byte) 0);
        return zero < 0 ? limit : zero + 1;
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
                        out.replacing(ownFrom, batch.end(i));
                        own = owed.inOwnCycle();
                        ownFrom = batch.end(i);
                        localReplies(batch.end(i));
                    }
                } else {
                    clientFrame(type, i);
                    own = owed.inOwnCycle();
                    ownFrom = batch.end(i);
                }
            }
            if (own) {
                out.replacing(ownFrom, batch.bytes().writerIndex());
            } else if (!insideServerFrame) {
                localReplies(batch.bytes().writerIndex());
            }
            return new ServerOutput(
                    out.result(), reported, ours, owed.drainOutcomes(), forgotten, fatal, ownCycleEnded, ownError);
        }

        private void ownFrame(byte type, int mark) {
            switch (type) {
                case 'S' -> {
                    ParameterStatus parameter = ParameterStatus.decode(batch.body(mark));
                    current = current.with(parameter.name(), parameter.value());
                    ours = plus(ours, parameter);
                }
                case 'E' -> {
                    ErrorResponse error = batch.complete(mark)
                            ? ErrorResponse.decode(batch.body(mark))
                            : ProxyError.backendSurprise("an error of " + batch.declaredLength(mark) + " bytes");
                    cycleError = Optional.of(error);
                    noteFatal(error);
                }
                case 'Z' -> {
                    ownCycleEnded = true;
                    status = ReadyForQuery.decode(batch.body(mark)).status();
                    alignmentEnded();
                }
                default -> {}
            }
            owed.onReply(type);
        }

        private void alignmentEnded() {
            ownError = cycleError;
            cycleError = Optional.empty();
            if (aligning.isEmpty()) {
                return;
            }
            if (ownError.isPresent()) {
                alignedTo = null;
            } else {
                aligning.reset().forEach(applied::remove);
                for (Alignment.Setting setting : aligning.set()) {
                    String reportedValue = current.get(setting.name()).orElse(setting.value());
                    accepted.accepted(setting.name(), setting.value(), reportedValue);
                    if (!current.reports(setting.name())) {
                        applied.put(setting.name(), setting.value());
                    }
                }
            }
            aligning = Alignment.NONE;
        }

        private void clientFrame(byte type, int mark) {
            switch (type) {
                case 'S' -> {
                    ParameterStatus parameter = ParameterStatus.decode(batch.body(mark));
                    current = current.with(parameter.name(), parameter.value());
                    if (lent) {
                        alignedTo = null;
                    } else {
                        defaults = defaults.with(parameter.name(), parameter.value());
                    }
                    reported = plus(reported, parameter);
                }
                case 'E' -> error(mark);
                case 'C' -> commandComplete(mark);
                case 'Z' -> status = ReadyForQuery.decode(batch.body(mark)).status();
                default -> {}
            }
            if (owed.onReply(type) == SWALLOW) {
                out.replacing(batch.start(mark), batch.end(mark));
            }
            localReplies(batch.end(mark));
            if (type == 'Z' && owed.settled()) {
                duplicates.clear();
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
            if (error.sqlState().equals(SqlState.FEATURE_NOT_SUPPORTED)
                    && REVALIDATION.equals(error.fields().get('R'))) {
                prepared.planOutdated();
            }
            if (!duplicates.isEmpty() && error.sqlState().equals(SqlState.DUPLICATE_PREPARED_STATEMENT)) {
                ErrorResponse renamed = inTheClientsWords(error);
                renamed.encodeTo(out.replacing(batch.start(mark), batch.end(mark)));
            }
        }

        private ErrorResponse inTheClientsWords(ErrorResponse error) {
            for (Map.Entry<String, String> name : duplicates.entrySet()) {
                String ours = '"' + name.getKey() + '"';
                if (error.message().contains(ours)) {
                    return error.with('M', error.message().replace(ours, '"' + name.getValue() + '"'));
                }
            }
            return error;
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
            if (length == 0 || bytes.getByte(at) != 'D') {
                return;
            }
            if (startsWith(bytes, at, length, DISCARD_ALL)) {
                sessionStateDiscarded();
                forgotten = Forgotten.SESSION;
            } else if (startsWith(bytes, at, length, DEALLOCATE_ALL)) {
                prepared.allGone();
                forgotten = Forgotten.STATEMENTS;
            }
        }

        private static boolean startsWith(ByteBuf bytes, int at, int length, byte[] text) {
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
