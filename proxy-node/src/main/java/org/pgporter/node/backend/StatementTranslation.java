package org.pgporter.node.backend;

import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.pgporter.protocol.codec.Batch;
import org.pgporter.protocol.message.ErrorResponse;
import org.pgporter.protocol.message.WireText;

/// Translates what a client says of its prepared statements into what the backend knows, and keeps the account of
/// the replies that are owed for it. Confined to the thread of its backend connection.
final class StatementTranslation {
    /// Type byte and length word.
    private static final int EMPTY_MESSAGE = 5;

    /// No statement has a name that begins like this: what follows the prefix there is a number.
    private static final String NOBODYS = PreparedStatement.NAME_PREFIX + "_";

    private final PreparedOnBackend prepared;
    private final RepliesOwed owed;
    private final Meter meter;
    private final BooleanSupplier failed;
    /// What was bound to the unnamed portal last.
    private @Nullable PreparedStatement inUnnamedPortal;
    private final Map<String, String> substitutes = new HashMap<>();

    /// @param meter counts what is prepared
    /// @param failed whether the backend is in a failed transaction as far as it has answered
    StatementTranslation(PreparedOnBackend prepared, RepliesOwed owed, Meter meter, BooleanSupplier failed) {
        this.prepared = prepared;
        this.owed = owed;
        this.meter = meter;
        this.failed = failed;
    }

    /// A message that goes as it is.
    void track(Batch batch, int mark) {
        byte type = batch.type(mark);
        switch (type) {
            case 'Q' -> prepared.unnamedGone();
            case 'S' -> prepared.cycleEnded();
            case 'P' -> meter.parsedAtServer();
            case 'D' -> {
                PreparedStatement bound = inUnnamedPortal;
                if (bound != null && isUnnamedPortal(batch, mark)) {
                    sentDescribe(bound);
                    return;
                }
            }
            case 'H' -> {
                if (batch.declaredLength(mark) > EMPTY_MESSAGE) {
                    owed.sentBrokenFlush();
                }
            }
            default -> {}
        }
        owed.sent(type);
    }

    private static boolean isUnnamedPortal(Batch batch, int mark) {
        int at = batch.start(mark) + EMPTY_MESSAGE;
        return batch.declaredLength(mark) == EMPTY_MESSAGE + 2
                && batch.bytes().getByte(at) == 'P'
                && batch.bytes().getByte(at + 1) == 0;
    }

    /// A Query.
    void translate(Batch batch, int mark, StatementUse.Text use, Translation out) {
        prepared.unnamedGone();
        if (use.forgetsAll()) {
            prepared.allInDoubt();
        }
        if (!use.forgets().isEmpty() && batch.complete(mark)) {
            ByteBuf body = batch.body(mark);
            byte[] text = new byte[body.readableBytes()];
            body.readBytes(text);
            byte[] rewritten = ForgottenNames.rewrite(text, use.forgets());
            ByteBuf buffer = out.replacing(batch.start(mark), batch.end(mark));
            ForgottenNames.writeSubstitutes(use.forgets().size(), buffer, owed);
            buffer.writeByte('Q').writeInt(4 + rewritten.length).writeBytes(rewritten);
        }
        owed.sentQuery(use.forgetsUnnamed(), use.forgetsNamed());
    }

    /// A message that names a prepared statement.
    void translate(Batch batch, int mark, StatementUse.Named use, Translation out) {
        PreparedStatement statement = use.statement();
        switch (batch.type(mark)) {
            case 'P' -> {
                if (use.duplicate()) {
                    ensurePrepared(statement, batch, mark, out);
                    renameParse(batch, mark, statement.serverName(), out);
                    substitutes.put(statement.serverName(), clientName(use.clientName()));
                    owed.sent((byte) 'P');
                    meter.parsedAtServer();
                } else if (!statement.isNamed()) {
                    if (!statement.forgets().isEmpty()) {
                        statement.writeParse(out.replacing(batch.start(mark), batch.end(mark)));
                    }
                    prepared.parseSent(statement);
                    owed.sentParse(false);
                    meter.parsedAtServer();
                } else if (prepared.knows(statement) && !mayHaveFailed()) {
                    out.replacing(batch.start(mark), batch.end(mark));
                    owed.answerLocally((byte) '1', true);
                } else {
                    writeParse(statement, out.replacing(batch.start(mark), batch.end(mark)), false);
                }
            }
            case 'B' -> {
                ensurePrepared(statement, batch, mark, out);
                if (batch.bytes().getByte(batch.start(mark) + EMPTY_MESSAGE) == 0) {
                    inUnnamedPortal = statement;
                }
                if (!statement.forgets().isEmpty()) {
                    ForgottenNames.writeSubstitutes(
                            statement.forgets().size(), out.replacing(batch.start(mark), batch.start(mark)), owed);
                }
                if (statement.isNamed()) {
                    renameBind(batch, mark, statement.serverName(), out);
                    prepared.bound(statement, use.clientName());
                }
                if (use.forgetsNamed()) {
                    if (statement.effects().forgetsAllStatements()) {
                        prepared.allInDoubt();
                    }
                    owed.sentRename((byte) 'B');
                } else {
                    owed.sent((byte) 'B');
                }
            }
            case 'D' -> {
                ensurePrepared(statement, batch, mark, out);
                if (statement.isNamed()) {
                    writeAbout((byte) 'D', statement.serverName(), batch, mark, out);
                }
                sentDescribe(statement);
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
            default -> track(batch, mark);
        }
    }

    /// A message about a name that the client has given to nothing: it must not reach what others have prepared here.
    void translate(Batch batch, int mark, StatementUse.Unknown use, Translation out) {
        byte type = batch.type(mark);
        if (use.clientName().isEmpty()) {
            out.replacing(batch.start(mark), batch.start(mark))
                    .writeByte('C')
                    .writeInt(4 + 1 + 1)
                    .writeByte('S')
                    .writeByte(0);
            owed.sentOwnClose();
            prepared.unnamedGone();
        } else {
            String nobodys = NOBODYS + substitutes.size();
            substitutes.put(nobodys, clientName(use.clientName()));
            if (type == 'B') {
                renameBind(batch, mark, nobodys, out);
            } else {
                writeAbout(type, nobodys, batch, mark, out);
            }
        }
        owed.sent(type);
    }

    /// A Describe or Close of another statement instead.
    private static void writeAbout(byte type, String name, Batch batch, int mark, Translation out) {
        byte[] bytes = name.getBytes(StandardCharsets.US_ASCII);
        out.replacing(batch.start(mark), batch.end(mark))
                .writeByte(type)
                .writeInt(4 + 1 + bytes.length + 1)
                .writeByte('S')
                .writeBytes(bytes)
                .writeByte(0);
    }

    /// The name as a text that goes into messages; in a [StatementUse] each of its bytes is one character.
    private static String clientName(String name) {
        return WireText.decode(name.getBytes(StandardCharsets.ISO_8859_1));
    }

    private void ensurePrepared(PreparedStatement statement, Batch batch, int mark, Translation out) {
        if (!prepared.knows(statement)) {
            writeParse(statement, out.replacing(batch.start(mark), batch.start(mark)), true);
        }
    }

    /// A failed transaction refuses every Parse (25P02), and only the server can say so. Behind a cycle that has
    /// not been answered nobody knows whether there is one.
    private boolean mayHaveFailed() {
        return failed.getAsBoolean() || owed.owesReadyForQuery();
    }

    private void writeParse(PreparedStatement statement, ByteBuf out, boolean ours) {
        if (!ours && prepared.knows(statement) || prepared.inDoubt(statement)) {
            statement.writeClose(out);
            owed.sentOwnClose();
        }
        statement.writeParse(out);
        prepared.parseSent(statement);
        owed.sentParse(ours);
        meter.parsedAtServer();
        if (statement.description().isPresent()) {
            // A table may have changed since somebody was told what rows there are.
            statement.writeDescribe(out);
            prepared.describeSent(statement);
            owed.sentDescribe(true, !ours);
        }
    }

    /// A Describe of the client. The first answer is remembered.
    private void sentDescribe(PreparedStatement statement) {
        if (statement.isNamed() && statement.description().isEmpty()) {
            prepared.describeSent(statement);
            owed.sentDescribe(false, false);
        } else {
            owed.sent((byte) 'D');
        }
    }

    /// The text stays, because the server looks at it before it looks whether the name is taken.
    private static void renameParse(Batch batch, int mark, String newName, Translation out) {
        int name = batch.start(mark) + EMPTY_MESSAGE;
        rename(batch, mark, (byte) 'P', name, name, newName, out);
    }

    private static void renameBind(Batch batch, int mark, String newName, Translation out) {
        int portal = batch.start(mark) + EMPTY_MESSAGE;
        int name = endOfString(batch.bytes(), portal, batch.end(mark));
        rename(batch, mark, (byte) 'B', portal, name, newName, out);
    }

    /// Puts another name in the place of the one that begins at `name`; what stands from `body` to there stays.
    private static void rename(Batch batch, int mark, byte type, int body, int name, String newName, Translation out) {
        ByteBuf bytes = batch.bytes();
        int rest = endOfString(bytes, name, batch.end(mark));
        ByteBuf buffer = out.replacing(batch.start(mark), rest);
        int oldNameLength = rest - name - 1;
        buffer.writeByte(type).writeInt(batch.declaredLength(mark) - 1 - oldNameLength + newName.length());
        buffer.writeBytes(bytes, body, name - body);
        buffer.writeCharSequence(newName, StandardCharsets.US_ASCII);
        buffer.writeByte(0);
    }

    private static int endOfString(ByteBuf bytes, int from, int limit) {
        int zero = bytes.indexOf(from, limit, (byte) 0);
        return zero < 0 ? limit : zero + 1;
    }

    /// The server's error about a name of ours, with the client's name in it.
    Optional<ErrorResponse> inTheClientsWords(ErrorResponse error) {
        String message = error.message();
        int from = message.indexOf('"' + PreparedStatement.NAME_PREFIX) + 1;
        int to = message.indexOf('"', from);
        if (from == 0 || to < 0) {
            return Optional.empty();
        }
        String ours = message.substring(from, to);
        return Optional.ofNullable(substitutes.get(ours))
                .or(() -> prepared.clientNameOf(ours).map(StatementTranslation::clientName))
                .map(theirs -> error.with('M', message.substring(0, from) + theirs + message.substring(to)));
    }

    /// Everything has been answered.
    void settled() {
        substitutes.clear();
        inUnnamedPortal = null;
    }
}
