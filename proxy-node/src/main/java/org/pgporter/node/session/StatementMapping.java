package org.pgporter.node.session;

import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.pgporter.node.backend.PreparedStatement;
import org.pgporter.node.backend.StatementCatalog;
import org.pgporter.node.backend.StatementUse;
import org.pgporter.protocol.codec.Batch;
import org.pgporter.protocol.codec.Limits;
import org.pgporter.protocol.message.ProtocolViolation;
import org.pgporter.protocol.message.SqlState;

/// Finds out, for each message of a batch that names a prepared statement, which statement that is: so that a
/// session may use its statements on any backend. A name that nobody has prepared is left as it is, and the
/// server says what it says.
final class StatementMapping {
    private static final String UNNAMED = "";
    private static final int STATEMENT = 'S';

    private final StatementNames names;
    private final StatementCatalog catalog;

    StatementMapping(StatementNames names, StatementCatalog catalog) {
        this.names = names;
        this.catalog = catalog;
    }

    /// One entry for each mark, or null when no message of the batch has to do with statements.
    ///
    /// @throws ProtocolViolation when such a message cannot be read
    @Nullable
    StatementUse @Nullable [] usesIn(Batch batch) {
        @Nullable StatementUse @Nullable [] uses = null;
        for (int i = 0; i < batch.marks(); i++) {
            StatementUse use = use(batch, i);
            if (use != null) {
                if (uses == null) {
                    uses = new @Nullable StatementUse[batch.marks()];
                }
                uses[i] = use;
            }
        }
        return uses;
    }

    private @Nullable StatementUse use(Batch batch, int mark) {
        return switch (batch.type(mark)) {
            case 'P' -> parse(batch, mark);
            case 'B' -> {
                ByteBuf body = batch.body(mark);
                skipText(body);
                yield named(readText(body));
            }
            case 'D' -> {
                ByteBuf body = batch.body(mark);
                yield target(body) == STATEMENT ? named(readText(body)) : null;
            }
            case 'C' -> close(batch.body(mark));
            case 'Q' -> query();
            default -> null;
        };
    }

    private StatementUse parse(Batch batch, int mark) {
        ByteBuf body = batch.body(mark);
        String name = readText(body);
        if (!batch.complete(mark)) {
            throw new ProtocolViolation(
                    SqlState.PROGRAM_LIMIT_EXCEEDED,
                    "a statement to prepare may have at most " + Limits.HELD_PARSE + " bytes");
        }
        byte[] definition = new byte[body.readableBytes()];
        body.readBytes(definition);
        if (name.equals(UNNAMED)) {
            PreparedStatement statement = PreparedStatement.unnamed(definition);
            names.parsed(name, statement);
            return new StatementUse(statement, name, false);
        }
        Optional<PreparedStatement> existing = names.get(name);
        if (existing.isPresent()) {
            return new StatementUse(existing.get(), name, true);
        }
        PreparedStatement statement = catalog.statement(definition);
        names.parsed(name, statement);
        return new StatementUse(statement, name, false);
    }

    private @Nullable StatementUse named(String name) {
        return names.get(name)
                .map(statement -> new StatementUse(statement, name, false))
                .orElse(null);
    }

    private @Nullable StatementUse close(ByteBuf body) {
        if (target(body) != STATEMENT) {
            return null;
        }
        String name = readText(body);
        StatementUse use = named(name);
        if (use != null) {
            names.closed(name);
        }
        return use;
    }

    /// A simple query destroys the unnamed statement.
    private @Nullable StatementUse query() {
        if (names.isEmpty()) {
            return null;
        }
        StatementUse use = named(UNNAMED);
        if (use != null) {
            names.closed(UNNAMED);
        }
        return use;
    }

    private static int target(ByteBuf body) {
        if (!body.isReadable()) {
            throw malformed();
        }
        return body.readByte();
    }

    private static String readText(ByteBuf body) {
        int length = body.bytesBefore((byte) 0);
        if (length < 0) {
            throw malformed();
        }
        String text = body.readString(length, StandardCharsets.ISO_8859_1);
        body.skipBytes(1);
        return text;
    }

    private static void skipText(ByteBuf body) {
        int length = body.bytesBefore((byte) 0);
        if (length < 0) {
            throw malformed();
        }
        body.skipBytes(length + 1);
    }

    private static ProtocolViolation malformed() {
        return new ProtocolViolation(SqlState.PROTOCOL_VIOLATION, "invalid string in message");
    }
}
