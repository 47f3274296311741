package org.pgporter.node.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.pgporter.config.StateCheck;
import org.pgporter.node.backend.PreparedStatement;
import org.pgporter.node.backend.StatementCatalog;
import org.pgporter.node.backend.StatementUse;
import org.pgporter.node.backend.WantedParameters;
import org.pgporter.protocol.codec.Batch;
import org.pgporter.protocol.codec.DecodePolicy;
import org.pgporter.protocol.codec.FrameDecoder;
import org.pgporter.protocol.codec.Limits;
import org.pgporter.protocol.message.Bind;
import org.pgporter.protocol.message.Close;
import org.pgporter.protocol.message.Describe;
import org.pgporter.protocol.message.Execute;
import org.pgporter.protocol.message.Parse;
import org.pgporter.protocol.message.ProtocolViolation;
import org.pgporter.protocol.message.Query;
import org.pgporter.protocol.message.SqlState;
import org.pgporter.protocol.message.Sync;
import org.pgporter.protocol.message.Target;
import org.pgporter.protocol.message.WireMessage;

class StatementMappingTest {
    private final StatementNames names = new StatementNames();
    private final StatementCatalog catalog = new StatementCatalog();
    private final StatementMapping mapping = new StatementMapping(
            names, catalog, new StateWatch(StateCheck.AUTO, () -> true), WantedParameters::none, true);

    @Test
    void shouldSayWhatEachMessageOfAPipelineMeans() {
        // When
        var uses = uses(
                new Parse("p", "select $1", List.of(23)),
                new Bind("", "p", List.of(), List.of(), List.of()),
                new Describe(Target.STATEMENT, "p"),
                new Describe(Target.PORTAL, "p"),
                new Execute("", 0),
                new Close(Target.STATEMENT, "p"),
                new Sync());

        // Then
        PreparedStatement statement = use(uses, 0).statement();
        assertThat(use(uses, 0).duplicate()).isFalse();
        assertThat(use(uses, 0).clientName()).isEqualTo("p");
        assertThat(statement.serverName()).startsWith(PreparedStatement.NAME_PREFIX);
        assertThat(use(uses, 1).statement()).isSameAs(statement);
        assertThat(use(uses, 2).statement()).isSameAs(statement);
        assertThat(use(uses, 5).statement()).isSameAs(statement);
        assertThat(java.util.stream.IntStream.of(3, 4, 6).mapToObj(i -> Optional.ofNullable(uses[i])))
                .containsOnly(Optional.empty());
        assertThat(names.get("p")).isEmpty();
    }

    /// On the backend another client's statement may have that name.
    @Test
    void shouldNotLetNamesReachWhatOthersHavePrepared() { // checklist 88, 96, 106
        // When
        var uses = uses(
                new Bind("", "", List.of(), List.of(), List.of()),
                new Describe(Target.STATEMENT, "pgporter_1"),
                new Close(Target.STATEMENT, "pgporter_2"),
                new Close(Target.STATEMENT, ""),
                new Describe(Target.STATEMENT, "mine"));

        // Then
        assertThat(uses)
                .containsExactly(
                        new StatementUse.Unknown(""),
                        new StatementUse.Unknown("pgporter_1"),
                        new StatementUse.Unknown("pgporter_2"),
                        new StatementUse.Unknown(""),
                        null);
        assertThat(names.isEmpty()).isTrue();
    }

    @Test
    void shouldShareAStatementOnlyWhenTextAndTypesAreTheSame() { // checklist 87
        // When
        var uses = uses(
                new Parse("a", "select $1", List.of(23)),
                new Parse("b", "select $1", List.of(23)),
                new Parse("c", "select $1", List.of(25)),
                new Parse("d", "select $1 ", List.of(23)));

        // Then
        assertThat(use(uses, 1).statement()).isSameAs(use(uses, 0).statement());
        assertThat(use(uses, 2).statement()).isNotEqualTo(use(uses, 0).statement());
        assertThat(use(uses, 3).statement()).isNotEqualTo(use(uses, 0).statement());
    }

    @Test
    void shouldMarkASecondParseOfAName() {
        // When
        var uses = uses(new Parse("a", "select 1", List.of()), new Parse("a", "select 2", List.of()));

        // Then
        assertThat(use(uses, 1).duplicate()).isTrue();
        assertThat(names.get("a")).contains(use(uses, 0).statement());
    }

    @Test
    void shouldAllowTheNameAgainAfterAClose() {
        // When
        var uses = uses(
                new Parse("a", "select 1", List.of()),
                new Close(Target.STATEMENT, "a"),
                new Parse("a", "select 2", List.of()));

        // Then
        assertThat(use(uses, 2).duplicate()).isFalse();
        assertThat(names.get("a")).contains(use(uses, 2).statement());
    }

    @Test
    void shouldNeverShareTheUnnamedStatementAndReplaceIt() {
        // When
        var uses = uses(new Parse("", "select 1", List.of()), new Parse("", "select 2", List.of()));

        // Then
        assertThat(use(uses, 0).statement().serverName()).isEmpty();
        assertThat(use(uses, 1).duplicate()).isFalse();
        assertThat(names.get("")).contains(use(uses, 1).statement());
    }

    @Test
    void shouldForgetTheUnnamedStatementWithASimpleQuery() { // checklist 88
        // Given
        uses(new Parse("", "select 1", List.of()), new Parse("kept", "select 1", List.of()));
        names.settleAll();

        // When
        var uses = uses(new Query("select 2"));
        names.settleAll();

        // Then
        assertThat(uses[0]).isEqualTo(new StatementUse.Text(true, false, List.of()));
        assertThat(names.get("")).isEmpty();
        assertThat(names.get("kept")).isPresent();
        assertThat(uses(new Bind("", "", List.of(), List.of(), List.of())))
                .containsExactly(new StatementUse.Unknown(""));
    }

    @Test
    void shouldLeaveUnknownNamesToTheServer() {
        assertThat(Optional.ofNullable(mapping.usesIn(batch(
                        new Bind("", "nobody", List.of(), List.of(), List.of()),
                        new Describe(Target.STATEMENT, "nobody"),
                        new Close(Target.STATEMENT, "nobody"),
                        new Query("select 1"),
                        new Sync()))))
                .isEmpty();
        assertThat(names.isEmpty()).isTrue();
    }

    @Test
    void shouldTellNamesApartThatDifferOnlyInBytesBeyondAscii() {
        // When
        var uses = uses(
                new Parse("ä", "select 1", List.of()),
                new Parse("ö", "select 2", List.of()),
                new Bind("", "ä", List.of(), List.of(), List.of()));

        // Then
        assertThat(use(uses, 2).statement()).isSameAs(use(uses, 0).statement());
    }

    @Test
    void shouldTakeLongNames() { // checklist 96
        // Given
        String name = PreparedStatement.NAME_PREFIX + "n".repeat(9_000);

        // When
        var uses =
                uses(new Parse(name, "select 1", List.of()), new Bind("portal", name, List.of(), List.of(), List.of()));

        // Then
        assertThat(use(uses, 1).clientName()).isEqualTo(name);
        assertThat(use(uses, 1).statement()).isSameAs(use(uses, 0).statement());
    }

    @Test
    void shouldLeaveAMessageWithoutTheEndOfAStringToTheServer() { // checklist 74
        byte[][] broken = {
            {'B', 0, 0, 0, 6, 'x', 'y'},
            {'P', 0, 0, 0, 6, 'x', 'y'},
            {'C', 0, 0, 0, 4},
            {'D', 0, 0, 0, 5, 'S'}
        };
        for (byte[] message : broken) {
            assertThat(Optional.ofNullable(mapping.usesIn(decoded(message)))).isEmpty();
        }
        assertThat(names.isEmpty()).isTrue();
        uses(new Parse("a", "select 1", List.of()), new Sync());
        for (byte[] message : broken) {
            assertThat(Optional.ofNullable(mapping.usesIn(decoded(message))))
                    .as("while a name is in doubt")
                    .isEmpty();
        }
    }

    @Test
    void shouldRefuseAParseThatIsTooLongToBeHeld() {
        // Given the part of a Parse that is passed on before its end is there
        int length = Limits.HELD_PARSE + 100;
        ByteBuf parse = Unpooled.buffer(length).writeByte('P').writeInt(length - 1);
        parse.writeByte('a').writeByte(0).writeZero(Limits.HELD_PARSE - 7);
        try (var decoder = new FrameDecoder(DecodePolicy.FRONTEND)) {
            decoder.feed(parse);
            Batch batch = decoder.next().orElseThrow();

            // When, Then
            assertThatThrownBy(() -> mapping.usesIn(batch))
                    .isInstanceOfSatisfying(
                            ProtocolViolation.class,
                            violation -> assertThat(violation.sqlState()).isEqualTo(SqlState.PROGRAM_LIMIT_EXCEEDED));
            batch.release();
        }
        assertThat(names.isEmpty()).isTrue();
    }

    @Test
    void shouldWaitWhereANameDependsOnAnAnswerToComeBehindASync() {
        // When
        var batch = batch(
                new Parse("a", "select 1", List.of()),
                new Bind("", "a", List.of(), List.of(), List.of()),
                new Sync(),
                new Parse("b", "select 1", List.of()),
                new Parse("a", "select 2", List.of()),
                new Sync());
        mapping.usesIn(batch);

        // Then
        assertThat(mapping.mustWaitAt()).isEqualTo(4);
        Batch.Parts parts = batch.splitAt(4);
        assertThat(parts.before()).hasToString("Batch[" + parts.before().length() + " bytes P B S P]");

        // When the first was skipped and the other was not
        names.settle(false);
        names.settle(true);
        var uses = Objects.requireNonNull(mapping.usesIn(parts.rest()));

        // Then
        assertThat(mapping.mustWaitAt()).isEqualTo(-1);
        assertThat(use(uses, 0).duplicate()).isFalse();
        parts.before().release();
        parts.rest().release();
    }

    @Test
    void shouldNotWaitForWhatTheServerDecidesInTheSameCycle() {
        mapping.usesIn(batch(
                new Parse("a", "select 1", List.of()),
                new Bind("", "a", List.of(), List.of(), List.of()),
                new Close(Target.STATEMENT, "a"),
                new Parse("a", "select 2", List.of()),
                new Sync(),
                new Parse("", "select 3", List.of()),
                new Sync()));
        assertThat(mapping.mustWaitAt()).isEqualTo(-1);
    }

    private @Nullable StatementUse[] uses(WireMessage... messages) {
        return Objects.requireNonNull(mapping.usesIn(batch(messages)), "no uses");
    }

    private static StatementUse.Named use(@Nullable StatementUse[] uses, int mark) {
        return (StatementUse.Named) Objects.requireNonNull(uses[mark], "no use at mark " + mark);
    }

    private static Batch batch(WireMessage... messages) {
        return Batch.of(messages);
    }

    private static Batch decoded(byte[] bytes) {
        try (var decoder = new FrameDecoder(DecodePolicy.FRONTEND)) {
            decoder.feed(Unpooled.wrappedBuffer(bytes));
            return decoder.next().orElseThrow();
        }
    }
}
