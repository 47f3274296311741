package org.pgporter.node.backend;

import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.pgporter.node.sql.StatementEffects;

/// A protocol-level prepared statement as a client defined it: query text and parameter types, byte for byte.
///
/// Named statements are shared by everybody in a pool who prepares the same text with the same types in the same
/// [PlanContext]. Two are equal when all of these are and neither is [#outdated()]; the hash only finds
/// candidates. On a backend a named statement is known by [#serverName()], which no two statements of a node
/// share, so it never means another text.
public final class PreparedStatement {
    /// What every name of ours on a backend starts with.
    public static final String NAME_PREFIX = "pgporter_";

    private static final AtomicLong SEQUENCE = new AtomicLong();

    private final byte[] definition;
    private final PlanContext context;
    private final int generation;
    private final int hash;
    private final byte[] serverName;
    private final List<String> forgets;
    private volatile @Nullable StatementEffects effects;
    private volatile @Nullable ResultDescription description;
    private volatile boolean accepted;
    private volatile boolean outdated;

    private PreparedStatement(
            byte[] definition, PlanContext context, int generation, byte[] serverName, List<String> forgets) {
        this.definition = definition;
        this.context = context;
        this.generation = generation;
        this.hash = Arrays.hashCode(definition) * 31 + context.hashCode();
        this.serverName = serverName;
        this.forgets = forgets;
    }

    /// A named statement. `definition` is the body of a Parse message behind the statement's name: query text
    /// with its final zero, number of parameter types, and the types.
    public static PreparedStatement named(byte[] definition, PlanContext context) {
        return named(definition, context, 0);
    }

    /// As [#named(byte[], PlanContext)], equal only to those of the same generation: a schema has changed in between.
    static PreparedStatement named(byte[] definition, PlanContext context, int generation) {
        String name = NAME_PREFIX + Long.toString(SEQUENCE.incrementAndGet(), Character.MAX_RADIX);
        return new PreparedStatement(
                definition, context, generation, name.getBytes(StandardCharsets.US_ASCII), List.of());
    }

    /// The unnamed statement of one client; it keeps its empty name on the backend.
    public static PreparedStatement unnamed(byte[] definition) {
        return new PreparedStatement(definition, PlanContext.DEFAULT, 0, new byte[0], List.of());
    }

    /// This statement, whose text has DEALLOCATE of names that are known here and not to the backend, in a form
    /// that the backend understands: see [ForgottenNames]. Nobody shares it.
    public PreparedStatement forgetting(List<StatementEffects.Deallocation> deallocations) {
        byte[] rewritten = ForgottenNames.rewrite(definition, deallocations);
        List<String> names =
                deallocations.stream().map(StatementEffects.Deallocation::name).toList();
        PlanContext own = context.changedIn(List.of("")); // equal to no other
        byte[] name = isNamed() ? named(rewritten, own).serverName : serverName;
        PreparedStatement copy = new PreparedStatement(rewritten, own, 0, name, names);
        copy.effects = effects();
        return copy;
    }

    /// The names of the client that executing this statement deallocates.
    public List<String> forgets() {
        return forgets;
    }

    /// What executing this statement may do to the session.
    public StatementEffects effects() {
        StatementEffects known = effects;
        if (known == null) {
            int end = 0;
            while (end < definition.length && definition[end] != 0) {
                end++;
            }
            known = StatementEffects.of(definition, 0, end);
            effects = known;
        }
        return known;
    }

    /// The same definition for sessions in another context: the pool's statement for it.
    public PreparedStatement in(PlanContext wanted, StatementCatalog catalog) {
        return isNamed() && forgets.isEmpty() && !context.equals(wanted) ? catalog.statement(definition, wanted) : this;
    }

    /// The same statement, planned anew, when this one is outdated.
    PreparedStatement renewed(StatementCatalog catalog) {
        return isNamed() && outdated ? catalog.statement(definition, context) : this;
    }

    public boolean isNamed() {
        return serverName.length > 0;
    }

    /// The name that this statement has on every backend that knows it; empty for an unnamed one.
    public String serverName() {
        return new String(serverName, StandardCharsets.US_ASCII);
    }

    /// Some backend has accepted the Parse of this statement.
    void accepted() {
        if (!accepted) {
            accepted = true;
        }
    }

    /// Whether a backend of the pool has accepted it before: then its Parse can be answered without asking one
    /// again.
    public boolean isAccepted() {
        return accepted && isNamed();
    }

    /// A backend refused to execute it because the tables have changed under it. Who has it keeps it, as with
    /// PostgreSQL; who prepares the same text from now on gets another statement, so every backend plans anew.
    void outdated() {
        outdated = true;
    }

    public boolean isOutdated() {
        return outdated;
    }

    /// What rows it gives, as a client was told first.
    Optional<ResultDescription> description() {
        return Optional.ofNullable(description);
    }

    void describedAs(ResultDescription told) {
        description = told;
    }

    /// Whether it is a query by its first word, so that having executed it in vain does no harm.
    boolean isQuery() {
        String head = new String(definition, 0, Math.min(definition.length, 16), StandardCharsets.ISO_8859_1)
                .stripLeading()
                .toLowerCase(Locale.ROOT);
        return head.startsWith("select") || head.startsWith("values") || head.startsWith("table");
    }

    /// Bytes of the definition, for the sum of a cache's memory.
    public int size() {
        return definition.length;
    }

    /// Writes the name and its final zero.
    void writeName(ByteBuf out) {
        out.writeBytes(serverName).writeByte(0);
    }

    /// Writes the whole Parse message.
    void writeParse(ByteBuf out) {
        out.writeByte('P').writeInt(4 + serverName.length + 1 + definition.length);
        writeName(out);
        out.writeBytes(definition);
    }

    /// Writes a Describe message for it.
    void writeDescribe(ByteBuf out) {
        out.writeByte('D').writeInt(4 + 1 + serverName.length + 1).writeByte('S');
        writeName(out);
    }

    /// Writes the Close message that makes the backend forget it.
    void writeClose(ByteBuf out) {
        out.writeByte('C').writeInt(4 + 1 + serverName.length + 1).writeByte('S');
        writeName(out);
    }

    @Override
    public boolean equals(Object other) {
        return this == other
                || other instanceof PreparedStatement that
                        && hash == that.hash
                        && !outdated
                        && !that.outdated
                        && generation == that.generation
                        && isNamed() == that.isNamed()
                        && context.equals(that.context)
                        && Arrays.equals(definition, that.definition);
    }

    @Override
    public int hashCode() {
        return hash;
    }

    @Override
    public String toString() {
        return "PreparedStatement[" + serverName() + ", " + definition.length + " bytes]";
    }
}
