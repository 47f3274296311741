package org.pgporter.node.session;

import io.netty.buffer.ByteBuf;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.pgporter.node.backend.PlanContext;
import org.pgporter.node.backend.PreparedStatement;
import org.pgporter.node.backend.StatementCatalog;
import org.pgporter.node.backend.StatementUse;
import org.pgporter.node.backend.WantedParameters;
import org.pgporter.node.sql.StatementEffects;
import org.pgporter.node.sql.StatementEffects.Deallocation;
import org.pgporter.protocol.codec.Batch;
import org.pgporter.protocol.codec.Limits;
import org.pgporter.protocol.message.ProtocolViolation;
import org.pgporter.protocol.message.SqlState;

/// Reads what a client says, as far as a session that changes its backend has to: finds out, for each message of a
/// batch that names a prepared statement, which statement that is, so that it can be used on any backend; and
/// shows the [StateWatch] what is going to be executed. A name that nobody has prepared is left as it is, and the
/// server says what it says.
final class StatementMapping {
    private static final String UNNAMED = "";
    private static final int STATEMENT = 'S';

    private final StatementNames names;
    private final StatementCatalog catalog;
    private final StateWatch watch;
    private final Supplier<WantedParameters> wanted;
    private final boolean translates;
    /// Null until there is something to read.
    private @Nullable BodyCursor cursor;
    private boolean asksSequences;
    private int mustWaitAt = -1;

    /// @param wanted the parameters of the session as they are now
    /// @param translates whether prepared statements are followed; otherwise they are left to the backends
    StatementMapping(
            StatementNames names,
            StatementCatalog catalog,
            StateWatch watch,
            Supplier<WantedParameters> wanted,
            boolean translates) {
        this.names = names;
        this.catalog = catalog;
        this.watch = watch;
        this.wanted = wanted;
        this.translates = translates;
    }

    /// One entry for each mark, or null when no message of the batch has to do with statements.
    ///
    /// The messages that name one are held by the decoder until all of it is there, up to a limit.
    ///
    /// @throws ProtocolViolation when a statement to prepare is too long to be followed
    @Nullable
    StatementUse @Nullable [] usesIn(Batch batch) {
        asksSequences = false;
        mustWaitAt = -1;
        @Nullable StatementUse @Nullable [] uses = null;
        for (int i = 0; i < batch.marks(); i++) {
            if (names.anythingPending() && translates && isInDoubt(batch, i)) {
                mustWaitAt = i;
                break;
            }
            StatementUse use = use(batch, i);
            if (use != null) {
                if (uses == null) {
                    uses = new @Nullable StatementUse[batch.marks()];
                }
                uses[i] = use;
            }
        }
        if (asksSequences) {
            catalog.noteThatSequencesAreAsked();
        }
        if (cursor != null) {
            cursor.leave();
        }
        return uses;
    }

    /// The first mark of the last batch whose meaning depends on answers that have not come: what a name means is not
    /// known before. The rest of the batch has not been read. -1: none.
    int mustWaitAt() {
        return mustWaitAt;
    }

    private BodyCursor body(Batch batch, int mark) {
        BodyCursor body = cursor;
        if (body == null) {
            body = new BodyCursor();
            cursor = body;
        }
        body.moveTo(batch, mark);
        return body;
    }

    private boolean isInDoubt(Batch batch, int mark) {
        try {
            return namesWhatIsInDoubt(batch, mark);
        } catch (BodyCursor.EndsTooSoon _) {
            return false;
        }
    }

    private boolean namesWhatIsInDoubt(Batch batch, int mark) {
        BodyCursor body = body(batch, mark);
        return switch (batch.type(mark)) {
            case 'P' -> {
                String name = body.readName();
                yield !name.equals(UNNAMED) && names.inDoubt(name);
            }
            case 'B' -> {
                body.skipText();
                yield names.inDoubt(body.readName());
            }
            case 'C', 'D' -> body.readByte() == STATEMENT && names.inDoubt(body.readName());
            case 'Q' ->
                batch.complete(mark)
                        && body.effects().deallocations().stream()
                                .anyMatch(deallocation -> names.inDoubt(deallocation.name()));
            default -> false;
        };
    }

    /// Whether sessions of this pool, this one or another, ask for the last values of sequences.
    boolean sequencesAreAsked() {
        return catalog.sequencesAreAsked();
    }

    /// A table, view or function has changed: what is prepared from now on is planned anew.
    void schemaChanged() {
        catalog.schemaChanged();
    }

    /// The client has been told that a table has changed under one of its statements: they are planned anew.
    void renewOutdated() {
        names.renew(statement -> catalog.renewed(statement));
    }

    private @Nullable StatementUse use(Batch batch, int mark) {
        try {
            return readableUse(batch, mark);
        } catch (BodyCursor.EndsTooSoon _) {
            return null; // goes as it is, and the server says what is wrong with it, in its turn
        }
    }

    private @Nullable StatementUse readableUse(Batch batch, int mark) {
        return switch (batch.type(mark)) {
            case 'P' -> translates ? parse(batch, mark) : watched(batch, mark);
            case 'B' -> translates ? bind(body(batch, mark)) : null;
            case 'D' -> {
                if (!translates) {
                    yield null;
                }
                BodyCursor body = body(batch, mark);
                yield body.readByte() == STATEMENT ? namedOrUnknown(body.readName()) : null;
            }
            case 'C' -> translates ? close(body(batch, mark)) : null;
            case 'Q' -> {
                StatementUse use = query(batch, mark);
                names.cycleEnded();
                yield use;
            }
            case 'S' -> {
                names.cycleEnded();
                yield null;
            }
            case 'F' -> {
                names.cycleEnded();
                watch.seesFunctionCall(batch.body(mark));
                yield null;
            }
            default -> null;
        };
    }

    private StatementUse parse(Batch batch, int mark) {
        BodyCursor body = body(batch, mark);
        String name = body.readName();
        if (!batch.complete(mark)) {
            throw new ProtocolViolation(
                    SqlState.PROGRAM_LIMIT_EXCEEDED,
                    "a statement to prepare may have at most " + Limits.HELD_PARSE + " bytes");
        }
        byte[] definition = body.rest();
        if (name.equals(UNNAMED)) {
            PreparedStatement statement = withOwnNames(PreparedStatement.unnamed(definition));
            names.parsed(name, statement);
            return new StatementUse.Named(statement, name, false);
        }
        Optional<PreparedStatement> existing = names.get(name);
        if (existing.isPresent()) {
            return new StatementUse.Named(existing.get(), name, true);
        }
        PreparedStatement statement = withOwnNames(catalog.statement(definition, watch.planContext(wanted.get())));
        names.parsed(name, statement);
        return new StatementUse.Named(statement, name, false);
    }

    /// Names of the client's in DEALLOCATE are not those that the backend knows.
    private PreparedStatement withOwnNames(PreparedStatement statement) {
        List<Deallocation> known = known(statement.effects());
        return known.isEmpty() ? statement : statement.forgetting(known);
    }

    private List<Deallocation> known(StatementEffects effects) {
        if (effects.deallocations().isEmpty()) {
            return List.of();
        }
        return effects.deallocations().stream()
                .filter(deallocation -> names.get(deallocation.name()).isPresent())
                .toList();
    }

    /// Without translation a Parse counts as its execution, which may come in any later batch.
    private @Nullable StatementUse watched(Batch batch, int mark) {
        BodyCursor body = body(batch, mark);
        body.skipText();
        StatementEffects effects = batch.complete(mark) ? body.effects() : StatementEffects.ANYTHING;
        watch.sees(effects, _ -> "");
        asksSequences |= effects.asksSequences();
        return null;
    }

    private @Nullable StatementUse bind(BodyCursor body) {
        body.skipText();
        String name = body.readName();
        StatementUse.Named use = named(name);
        if (use == null) {
            StatementUse unknown = unknown(name);
            if (unknown == null) {
                watch.seesStatementOfSql();
            }
            return unknown;
        }
        StatementEffects effects = use.statement().effects();
        if (!effects.isNone()) {
            sees(effects, body.view());
            if (effects.forgetsAllStatements()) {
                names.allDeallocated();
            } else if (!use.statement().forgets().isEmpty()) {
                names.deallocated(use.statement().forgets());
            }
        }
        return use;
    }

    private void sees(StatementEffects effects, ByteBuf bind) {
        watch.sees(effects, number -> BoundValues.text(bind, number));
        asksSequences |= effects.asksSequences();
    }

    private StatementUse.@Nullable Named named(String name) {
        Optional<PreparedStatement> statement = names.get(name);
        if (statement.isEmpty()) {
            return null;
        }
        PlanContext context = watch.planContext(wanted.get());
        return new StatementUse.Named(statement.get().in(context, catalog), name, false);
    }

    private @Nullable StatementUse namedOrUnknown(String name) {
        StatementUse use = named(name);
        return use == null ? unknown(name) : use;
    }

    /// Most names that a client has not prepared mean nothing to the server either. But a backend keeps the unnamed
    /// statement of whoever used it before, and has statements under our names.
    private static @Nullable StatementUse unknown(String name) {
        boolean mayExist = name.isEmpty() || name.startsWith(PreparedStatement.NAME_PREFIX);
        return mayExist ? new StatementUse.Unknown(name) : null;
    }

    private @Nullable StatementUse close(BodyCursor body) {
        if (body.readByte() != STATEMENT) {
            return null;
        }
        String name = body.readName();
        StatementUse use = named(name);
        if (use == null) {
            return unknown(name);
        }
        names.closed(name);
        return use;
    }

    /// A simple query destroys the unnamed statement, and may do much else.
    private @Nullable StatementUse query(Batch batch, int mark) {
        StatementEffects effects = batch.complete(mark) ? body(batch, mark).effects() : StatementEffects.ANYTHING;
        watch.sees(effects, _ -> "");
        asksSequences |= effects.asksSequences();
        if (!translates) {
            return null;
        }
        boolean unnamed = !names.isEmpty() && names.get(UNNAMED).isPresent();
        if (unnamed) {
            names.closed(UNNAMED);
        }
        if (effects.forgetsAllStatements()) {
            names.allDeallocated();
            return new StatementUse.Text(unnamed, true, List.of());
        }
        List<Deallocation> known = known(effects);
        if (!known.isEmpty()) {
            names.deallocated(known.stream().map(Deallocation::name).toList());
        }
        return unnamed || !known.isEmpty() ? new StatementUse.Text(unnamed, false, known) : null;
    }
}
