package org.pgporter.node.backend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.pgporter.node.backend.Wires.bytes;
import static org.pgporter.node.backend.Wires.client;
import static org.pgporter.node.backend.Wires.joined;
import static org.pgporter.node.backend.Wires.server;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.pgporter.cluster.PoolKey;
import org.pgporter.node.stats.Statistics;
import org.pgporter.protocol.codec.Batch;
import org.pgporter.protocol.codec.DecodePolicy;
import org.pgporter.protocol.codec.FrameDecoder;
import org.pgporter.protocol.message.Bind;
import org.pgporter.protocol.message.BindComplete;
import org.pgporter.protocol.message.Bytes;
import org.pgporter.protocol.message.Close;
import org.pgporter.protocol.message.CloseComplete;
import org.pgporter.protocol.message.CommandComplete;
import org.pgporter.protocol.message.Describe;
import org.pgporter.protocol.message.ErrorResponse;
import org.pgporter.protocol.message.Execute;
import org.pgporter.protocol.message.NoData;
import org.pgporter.protocol.message.NoticeResponse;
import org.pgporter.protocol.message.ParameterStatus;
import org.pgporter.protocol.message.Parse;
import org.pgporter.protocol.message.ParseComplete;
import org.pgporter.protocol.message.Query;
import org.pgporter.protocol.message.ReadyForQuery;
import org.pgporter.protocol.message.Severity;
import org.pgporter.protocol.message.SqlState;
import org.pgporter.protocol.message.Sync;
import org.pgporter.protocol.message.Target;
import org.pgporter.protocol.message.TransactionStatus;
import org.pgporter.protocol.message.WireMessage;

class BackendConversationTest {
    private static final ReadyForQuery READY = new ReadyForQuery(TransactionStatus.IDLE);
    private static final ErrorResponse ERROR =
            ErrorResponse.of(Severity.ERROR, new SqlState("22012"), "division by zero");

    private static final PoolKey POOL = new PoolKey("db", "app");

    private final Statistics statistics = new Statistics(1);
    private long clock = -100; // as System.nanoTime() may be
    private final AcceptedValues accepted = new AcceptedValues();
    private final ServerParameters reported =
            ServerParameters.none().with("TimeZone", "UTC").with("application_name", "");
    private final BackendConversation talk = conversation(2);

    private BackendConversation conversation(int capacity) {
        Meter meter = new Meter(statistics.of(POOL, 0), state -> statistics.error(POOL, state.code()), () -> clock);
        return new BackendConversation(
                UnpooledByteBufAllocator.DEFAULT, capacity, accepted, meter, "app", "none", reported);
    }

    private static PreparedStatement statement(String sql) {
        return PreparedStatement.named((sql + "\0\0\0").getBytes(StandardCharsets.UTF_8), PlanContext.DEFAULT);
    }

    private static StatementUse use(PreparedStatement statement, String clientName) {
        return new StatementUse.Named(statement, clientName, false);
    }

    private static Parse parse(String name, String sql) {
        return new Parse(name, sql, List.of());
    }

    private static Bind bind(String statement) {
        return new Bind("p", statement, List.of(), List.of(Optional.of(Bytes.ofText("v"))), List.of());
    }

    private static final Execute EXECUTE = new Execute("p", 0);
    private static final CommandComplete DONE = new CommandComplete("SELECT 1");

    /// Sends to the server; each use stands for the mark at its place.
    private String send(Batch batch, @Nullable StatementUse... uses) {
        @Nullable StatementUse @Nullable [] perMark = null;
        if (uses.length > 0) {
            perMark = new @Nullable StatementUse[batch.marks()];
            System.arraycopy(uses, 0, perMark, 0, uses.length);
        }
        return bytes(talk.toServer(batch, perMark));
    }

    private String receive(WireMessage... messages) {
        return bytes(talk.fromServer(server(messages)).bytes());
    }

    private void prepare(PreparedStatement statement, String name, String sql) {
        send(client(parse(name, sql), new Sync()), use(statement, name));
        receive(new ParseComplete(), READY);
        assertThat(talk.drainOutcomes()).isEmpty();
        assertThat(talk.settled()).isTrue();
    }

    // ---- names -----------------------------------------------------------------------------------------------

    @Test
    void shouldLeaveABatchAsItIsWhenNothingHasToChange() {
        Batch batch = client(new Query("select 1"));
        ByteBuf same = batch.bytes();
        assertThat(talk.toServer(batch, null)).isSameAs(same);
        Batch answer = server(DONE, READY);
        ByteBuf sameAnswer = answer.bytes();
        assertThat(talk.fromServer(answer).bytes()).isSameAs(sameAnswer);
        assertThat(talk.settled()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"s", "a name as long as no name of ours will ever be, whatever the number", "pgporter_"})
    void shouldTranslateNamesOfAnyLength(String name) { // checklist 73
        PreparedStatement statement = statement("select $1");
        String ours = statement.serverName();
        assertThat(send(
                        client(
                                parse(name, "select $1"),
                                new Describe(Target.STATEMENT, name),
                                bind(name),
                                new Describe(Target.PORTAL, "p"),
                                EXECUTE,
                                new Sync()),
                        use(statement, name),
                        use(statement, name),
                        use(statement, name)))
                .isEqualTo(joined(
                        parse(ours, "select $1"),
                        new Describe(Target.STATEMENT, ours),
                        bind(ours),
                        new Describe(Target.PORTAL, "p"),
                        EXECUTE,
                        new Sync()));
        assertThat(receive(new ParseComplete(), new NoData(), new BindComplete(), new NoData(), DONE, READY))
                .isEqualTo(joined(new ParseComplete(), new NoData(), new BindComplete(), new NoData(), DONE, READY));
        assertThat(talk.settled()).isTrue();
    }

    @Test
    void shouldTranslateTheHeadOfABindThatPassesInPieces() { // checklist 73
        PreparedStatement statement = statement("insert");
        prepare(statement, "s", "insert");
        String big = "x".repeat(200_000);
        Bind bind = new Bind("", "s", List.of(), List.of(Optional.of(Bytes.ofText(big))), List.of());
        Bind expected =
                new Bind("", statement.serverName(), List.of(), List.of(Optional.of(Bytes.ofText(big))), List.of());
        StringBuilder sent = new StringBuilder();
        int pieces = 0;
        for (Batch batch : Wires.pieces(DecodePolicy.FRONTEND, 70_000, bind, EXECUTE, new Sync())) {
            boolean head = batch.marks() > 0 && batch.type(0) == 'B';
            sent.append(head ? send(batch, use(statement, "s")) : send(batch));
            assertThat(talk.settled()).isFalse();
            pieces++;
        }
        assertThat(pieces).isGreaterThan(1);
        assertThat(sent.toString()).isEqualTo(joined(expected, EXECUTE, new Sync()));
        receive(new BindComplete(), DONE, READY);
        assertThat(talk.settled()).isTrue();
    }

    @Test
    void shouldNotBeSettledInTheMiddleOfAMessage() {
        List<Batch> toServer = Wires.pieces(DecodePolicy.FRONTEND, 70_000, new Query("x".repeat(100_000)));
        send(toServer.get(0));
        receive(DONE, READY);
        assertThat(talk.settled()).isFalse();
        assertThat(talk.canBeDrained()).isFalse();
        send(toServer.get(1));
        assertThat(talk.settled()).isTrue();
    }

    @Test
    void shouldSendParseBeforeBindWhereTheBackendDoesNotKnowTheStatement() {
        PreparedStatement statement = statement("select $1");
        String ours = statement.serverName();
        assertThat(send(client(bind("s"), EXECUTE, new Sync()), use(statement, "s")))
                .isEqualTo(joined(parse(ours, "select $1"), bind(ours), EXECUTE, new Sync()));
        assertThat(receive(new ParseComplete(), new BindComplete(), DONE, READY))
                .isEqualTo(joined(new BindComplete(), DONE, READY));
        assertThat(talk.settled()).isTrue();
        assertThat(send(client(bind("s"), EXECUTE, new Sync()), use(statement, "s")))
                .as("known now")
                .isEqualTo(joined(bind(ours), EXECUTE, new Sync()));
    }

    @Test
    void shouldBringAnUnnamedStatementToAnotherBackend() {
        PreparedStatement unnamed = PreparedStatement.unnamed("select\0\0\0".getBytes(StandardCharsets.US_ASCII));
        assertThat(send(client(bind(""), new Sync()), use(unnamed, "")))
                .isEqualTo(joined(parse("", "select"), bind(""), new Sync()));
        assertThat(receive(new ParseComplete(), new BindComplete(), READY))
                .isEqualTo(joined(new BindComplete(), READY));
        send(client(new Query("select 1")));
        receive(DONE, READY);
        assertThat(send(client(bind(""), new Sync()), use(unnamed, "")))
                .as("a simple query destroys it")
                .isEqualTo(joined(parse("", "select"), bind(""), new Sync()));
    }

    @Test
    void shouldCloseTheUnnamedStatementOfSomebodyElse() { // checklist 88
        assertThat(send(client(bind(""), new Sync()), new StatementUse.Unknown("")))
                .isEqualTo(joined(new Close(Target.STATEMENT, ""), bind(""), new Sync()));
        assertThat(receive(new CloseComplete(), ERROR, READY)).isEqualTo(joined(ERROR, READY));
        assertThat(talk.settled()).isTrue();
    }

    @Test
    void shouldTellErrorsOfABindInTheClientsWords() { // checklist 96
        PreparedStatement statement = statement("select $1");
        prepare(statement, "mine", "select $1");
        send(client(bind("mine"), new Sync()), use(statement, "mine"));
        ErrorResponse error = ErrorResponse.of(
                Severity.ERROR,
                SqlState.PROTOCOL_VIOLATION,
                "but prepared statement \"" + statement.serverName() + "\" requires 2");
        assertThat(receive(error, READY))
                .isEqualTo(joined(error.with('M', "but prepared statement \"mine\" requires 2"), READY));
    }

    @Test
    void shouldAskForNamesOfOursByOtherNames() { // checklist 96
        StatementUse.Unknown unknown = new StatementUse.Unknown("pgporter_1");
        assertThat(send(
                        client(
                                new Close(Target.STATEMENT, "pgporter_1"),
                                new Describe(Target.STATEMENT, "pgporter_1"),
                                bind("pgporter_1"),
                                new Sync()),
                        unknown,
                        unknown,
                        unknown))
                .isEqualTo(joined(
                        new Close(Target.STATEMENT, "pgporter__0"),
                        new Describe(Target.STATEMENT, "pgporter__1"),
                        bind("pgporter__2"),
                        new Sync()));
        SqlState notThere = SqlState.INVALID_SQL_STATEMENT_NAME;
        ErrorResponse ofServer =
                ErrorResponse.of(Severity.ERROR, notThere, "prepared statement \"pgporter__1\" does not exist");
        assertThat(receive(new CloseComplete(), ofServer, READY))
                .isEqualTo(joined(
                        new CloseComplete(),
                        ErrorResponse.of(Severity.ERROR, notThere, "prepared statement \"pgporter_1\" does not exist"),
                        READY));
        assertThat(talk.settled()).isTrue();
    }

    @Test
    void shouldAnswerParseOfAKnownStatementInItsTurn() {
        PreparedStatement statement = statement("select 1");
        prepare(statement, "s", "select 1");
        String sent = send(
                client(new Describe(Target.PORTAL, ""), parse("t", "select 1"), bind("t"), new Sync()),
                null,
                use(statement, "t"),
                use(statement, "t"));
        assertThat(sent).isEqualTo(joined(new Describe(Target.PORTAL, ""), bind(statement.serverName()), new Sync()));
        assertThat(talk.dueLocalReplies().isReadable()).isFalse();
        ServerOutput output = talk.fromServer(server(new NoData(), new BindComplete(), READY));
        assertThat(bytes(output.bytes()))
                .isEqualTo(joined(new NoData(), new ParseComplete(), new BindComplete(), READY));
        assertThat(output.outcomes()).containsExactly(LeaseEvent.NAME_CONFIRMED);
    }

    @Test
    void shouldAnswerAtOnceWhenNothingIsSent() {
        PreparedStatement statement = statement("select 1");
        prepare(statement, "s", "select 1");
        assertThat(send(client(parse("t", "select 1")), use(statement, "t"))).isEmpty();
        assertThat(bytes(talk.dueLocalReplies())).isEqualTo(joined(new ParseComplete()));
        assertThat(talk.drainOutcomes()).containsExactly(1);
        assertThat(send(client(new Close(Target.STATEMENT, "t")), use(statement, "t")))
                .isEmpty();
        assertThat(bytes(talk.dueLocalReplies())).isEqualTo(joined(new CloseComplete()));
        assertThat(talk.settled()).isFalse();
    }

    /// In a failed transaction PostgreSQL refuses every Parse, and only it knows whether there is one.
    @Test
    void shouldLetTheServerAnswerAParseWhereTheTransactionMayHaveFailed() {
        PreparedStatement statement = statement("select 1");
        String ours = statement.serverName();
        prepare(statement, "s", "select 1");
        String asked = joined(new Close(Target.STATEMENT, ours), parse(ours, "select 1"), new Sync());
        assertThat(send(client(new Query("oops"), parse("t", "select 1"), new Sync()), null, use(statement, "t")))
                .as("behind a query whose answer is not known")
                .isEqualTo(joined(new Query("oops")) + asked);
        receive(ERROR, new ReadyForQuery(TransactionStatus.FAILED));
        receive(new CloseComplete(), ERROR, new ReadyForQuery(TransactionStatus.FAILED));
        assertThat(send(client(parse("t", "select 1"), new Sync()), use(statement, "t")))
                .as("in a failed transaction")
                .isEqualTo(asked);
        assertThat(receive(new CloseComplete(), ERROR, new ReadyForQuery(TransactionStatus.FAILED)))
                .isEqualTo(joined(ERROR, new ReadyForQuery(TransactionStatus.FAILED)));
        assertThat(talk.settled()).isTrue();
    }

    /// A client that leaves without its Sync leaves an implicit transaction open that nobody will ever end.
    @Test
    void shouldNotBeDrainedWhileASyncIsMissing() {
        send(client(parse("", "select 1"), bind(""), EXECUTE));
        assertThat(talk.canBeDrained()).isFalse();
        receive(new ParseComplete(), new BindComplete(), DONE);
        assertThat(talk.canBeDrained()).isFalse();
        send(client(new Sync()));
        assertThat(talk.canBeDrained()).isTrue();
        receive(READY);
        send(client(bind("unknown")));
        receive(ERROR);
        assertThat(talk.canBeDrained()).as("skipping to Sync").isFalse();
    }

    @Test
    void shouldNotAnswerInTheMiddleOfTheServersMessage() {
        PreparedStatement statement = statement("select 1");
        prepare(statement, "s", "select 1");
        NoticeResponse notice = NoticeResponse.of(Severity.NOTICE, SqlState.SUCCESSFUL_COMPLETION, "n".repeat(100));
        List<Batch> pieces = Wires.pieces(DecodePolicy.BACKEND, 50, notice);
        // Given a notice that is half there
        StringBuilder seen =
                new StringBuilder(bytes(talk.fromServer(pieces.get(0)).bytes()));
        // When
        send(client(parse("t", "select 1")), use(statement, "t"));
        // Then
        assertThat(talk.dueLocalReplies().isReadable()).isFalse();
        for (Batch rest : pieces.subList(1, pieces.size())) {
            seen.append(bytes(talk.fromServer(rest).bytes()));
        }
        assertThat(seen.toString()).isEqualTo(joined(notice, new ParseComplete()));
    }

    @Test
    void shouldForgetAParseThatFailed() {
        PreparedStatement statement = statement("selec");
        send(client(parse("s", "selec"), new Sync()), use(statement, "s"));
        ServerOutput output = talk.fromServer(server(ERROR, READY));
        output.bytes().release();
        assertThat(output.outcomes()).containsExactly(LeaseEvent.NAME_REFUSED);
        assertThat(talk.preparedStatements()).isZero();
        assertThat(send(client(parse("s", "selec"), new Sync()), use(statement, "s")))
                .isEqualTo(joined(parse(statement.serverName(), "selec"), new Sync()));
    }

    @Test
    void shouldNotRelyOnAParseThatMayHaveBeenSkipped() {
        PreparedStatement known = statement("insert");
        PreparedStatement statement = statement("select $1");
        String ours = statement.serverName();
        prepare(known, "k", "insert");
        // Given two cycles in one write, whose first one may fail before the injected Parse is read
        String sent = send(
                client(bind("k"), EXECUTE, bind("s"), new Sync(), bind("s"), EXECUTE, new Sync()),
                use(known, "k"),
                null,
                use(statement, "s"),
                null,
                use(statement, "s"));
        // Then the second one brings it again
        assertThat(sent)
                .isEqualTo(joined(
                        bind(known.serverName()),
                        EXECUTE,
                        parse(ours, "select $1"),
                        bind(ours),
                        new Sync(),
                        new Close(Target.STATEMENT, ours),
                        parse(ours, "select $1"),
                        bind(ours),
                        EXECUTE,
                        new Sync()));
        assertThat(receive(
                        new BindComplete(),
                        ERROR,
                        READY,
                        new CloseComplete(),
                        new ParseComplete(),
                        new BindComplete(),
                        DONE,
                        READY))
                .isEqualTo(joined(new BindComplete(), ERROR, READY, new BindComplete(), DONE, READY));
        assertThat(talk.settled()).isTrue();
        assertThat(send(client(bind("s"), new Sync()), use(statement, "s"))).isEqualTo(joined(bind(ours), new Sync()));
    }

    @Test
    void shouldNotRunSomebodyElsesUnnamedStatement() {
        PreparedStatement mine = PreparedStatement.unnamed("mine\0\0\0".getBytes(StandardCharsets.US_ASCII));
        String sent = send(client(bind(""), new Sync(), bind(""), new Sync()), use(mine, ""), null, use(mine, ""));
        assertThat(sent)
                .isEqualTo(joined(parse("", "mine"), bind(""), new Sync(), parse("", "mine"), bind(""), new Sync()));
    }

    @Test
    void shouldLetTheServerRefuseANameThatIsTaken() {
        PreparedStatement statement = statement("select 1");
        String ours = statement.serverName();
        prepare(statement, "s", "select 1");
        // The session writes each byte of a name as one character.
        String name = new String("naïve".getBytes(StandardCharsets.UTF_8), StandardCharsets.ISO_8859_1);
        assertThat(send(
                        client(parse("naïve", "select 2"), new Sync(), parse("naïve", "select 2"), new Sync()),
                        new StatementUse.Named(statement, name, true),
                        null,
                        new StatementUse.Named(statement, name, true)))
                .as("with its own text, which the server looks at first")
                .isEqualTo(joined(parse(ours, "select 2"), new Sync(), parse(ours, "select 2"), new Sync()));
        ErrorResponse fromServer = ErrorResponse.of(
                        Severity.ERROR,
                        SqlState.DUPLICATE_PREPARED_STATEMENT,
                        "prepared statement \"" + ours + "\" already exists")
                .with('S', "FEHLER")
                .with('F', "prepare.c")
                .with('L', "450")
                .with('R', "StorePreparedStatement");
        ErrorResponse expected = fromServer.with('M', "prepared statement \"naïve\" already exists");
        assertThat(receive(fromServer, READY, fromServer, READY)).isEqualTo(joined(expected, READY, expected, READY));
        assertThat(talk.settled()).isTrue();
        assertThat(send(client(bind("s"), new Sync()), use(statement, "s")))
                .as("the statement is still there")
                .isEqualTo(joined(bind(ours), new Sync()));
    }

    @Test
    void shouldEvictOnlyBetweenLeases() {
        List<PreparedStatement> statements = List.of(statement("a"), statement("b"), statement("c"));
        statements.forEach(statement -> prepare(statement, "s", "x"));
        assertThat(talk.preparedStatements()).isEqualTo(3);
        BackendConversation.Preparation preparation =
                talk.prepareFor(WantedParameters.none(), false).orElseThrow();
        assertThat(bytes(preparation.bytes()))
                .isEqualTo(joined(new Close(Target.STATEMENT, statements.get(0).serverName()), new Sync()));
        assertThat(preparation.pipelined()).isTrue();
        assertThat(receive(new CloseComplete(), READY)).isEmpty();
        assertThat(talk.settled()).isTrue();
        assertThat(talk.preparedStatements()).isEqualTo(2);
    }

    @Test
    void shouldNotBeSettledByAFlushThatTheServerRefuses() {
        ByteBuf broken = Unpooled.buffer().writeByte('H').writeInt(5).writeByte(0);
        send(Wires.batch(DecodePolicy.FRONTEND, broken));
        assertThat(talk.settled()).isFalse();
        receive(ERROR);
        assertThat(talk.settled()).isFalse();
        send(client(new Sync()));
        receive(READY);
        assertThat(talk.settled()).isTrue();
    }

    @ParameterizedTest
    @CsvSource({"DISCARD ALL,SESSION", "DEALLOCATE ALL,STATEMENTS", "DISCARD TEMP,NOTHING", "DEALLOCATE,NOTHING"})
    void shouldNoticeWhatTheClientThrowsAway(String tag, ServerOutput.Forgotten forgotten) {
        prepare(statement("a"), "s", "a");
        send(client(new Query("...")));
        ServerOutput output = talk.fromServer(server(new CommandComplete(tag), READY));
        output.bytes().release();
        assertThat(output.forgotten()).isEqualTo(forgotten);
        assertThat(talk.preparedStatements()).isEqualTo(forgotten == ServerOutput.Forgotten.NOTHING ? 1 : 0);
    }

    @Test
    void shouldReportTheLastWordsOfTheServer() {
        ErrorResponse fatal = ErrorResponse.of(Severity.FATAL, SqlState.ADMIN_SHUTDOWN, "terminating connection");
        send(client(new Query("select 1")));
        ServerOutput output = talk.fromServer(server(fatal));
        assertThat(bytes(output.bytes())).isEqualTo(joined(fatal));
        assertThat(output.fatal().map(ErrorResponse::message)).contains("terminating connection");
    }

    // ---- parameters ------------------------------------------------------------------------------------------

    private static final ParameterStatus ALIGNED = new ParameterStatus("TimeZone", "Europe/Paris");
    private static final WantedParameters PARIS = WantedParameters.of(Map.of("timezone", "Europe/Paris"));

    @Test
    void shouldSwallowTheAlignmentHoweverTheServersBytesAreSplit() {
        WireMessage[] own = {new ParseComplete(), new BindComplete(), ALIGNED, DONE, READY};
        WireMessage[] clients = {DONE, new ReadyForQuery(TransactionStatus.IN_TRANSACTION)};
        String all = joined(own) + joined(clients);
        for (int split = 0; split <= all.length(); split++) {
            BackendConversation one = conversation(2);
            one.lent(true);
            bytes(one.prepareFor(PARIS, false).orElseThrow().bytes());
            bytes(one.toServer(client(new Query("begin")), null));
            StringBuilder seen = new StringBuilder();
            List<ParameterStatus> aligned = new ArrayList<>();
            int ended = 0;
            try (var decoder = new FrameDecoder(DecodePolicy.BACKEND)) {
                for (String part : List.of(all.substring(0, split), all.substring(split))) {
                    decoder.feed(Wires.buffer(part));
                    for (var batch = decoder.next(); batch.isPresent(); batch = decoder.next()) {
                        ServerOutput output = one.fromServer(batch.get());
                        seen.append(bytes(output.bytes()));
                        aligned.addAll(output.aligned());
                        ended += output.ownCycleEnded() ? 1 : 0;
                        assertThat(output.reported()).isEmpty();
                        assertThat(output.ownError()).isEmpty();
                    }
                }
            }
            assertThat(seen.toString()).as("split at %d", split).isEqualTo(joined(clients));
            assertThat(aligned).as("split at %d", split).containsExactly(ALIGNED);
            assertThat(ended).isEqualTo(1);
            assertThat(one.settled()).isTrue();
            assertThat(one.status()).isEqualTo(TransactionStatus.IN_TRANSACTION);
            assertThat(one.parameters().get("TimeZone")).contains("Europe/Paris");
        }
    }

    @Test
    void shouldNotAlignAgainWhatIsAligned() {
        BackendConversation.Preparation first = talk.prepareFor(PARIS, false).orElseThrow();
        assertThat(first.pipelined()).as("nobody knows this value yet").isFalse();
        bytes(first.bytes());
        receive(new ParseComplete(), new BindComplete(), ALIGNED, DONE, READY);
        assertThat(talk.prepareFor(PARIS, false)).isEmpty();
        BackendConversation.Preparation back =
                talk.prepareFor(WantedParameters.none(), false).orElseThrow();
        assertThat(bytes(back.bytes())).contains("RESET \"timezone\"");
        receive(
                new ParseComplete(),
                new BindComplete(),
                new ParameterStatus("TimeZone", "UTC"),
                new CommandComplete("RESET"),
                READY);
        assertThat(talk.prepareFor(PARIS, false).orElseThrow().pipelined()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldTellAnErrorInTheOwnCycleAtItsEnd(boolean split) {
        bytes(talk.prepareFor(PARIS, false).orElseThrow().bytes());
        Optional<ErrorResponse> error;
        if (split) {
            ServerOutput first = talk.fromServer(server(new ParseComplete(), new BindComplete(), ERROR));
            assertThat(bytes(first.bytes())).isEmpty();
            assertThat(first.ownError()).isEmpty();
            assertThat(first.ownCycleEnded()).isFalse();
            error = talk.fromServer(server(READY)).ownError();
        } else {
            ServerOutput all = talk.fromServer(server(new ParseComplete(), new BindComplete(), ERROR, READY));
            assertThat(bytes(all.bytes())).isEmpty();
            error = all.ownError();
        }
        assertThat(error.map(ErrorResponse::message)).contains("division by zero");
        assertThat(talk.settled()).isTrue();
        assertThat(accepted.knows("TimeZone", "Europe/Paris")).isFalse();
        assertThat(talk.prepareFor(PARIS, false)).as("it is tried again").isPresent();
    }

    @Test
    void shouldNotForgetWhatAFailedAlignmentWouldHaveReset() {
        // Given a role that the last session wanted
        bytes(talk.prepareFor(WantedParameters.of(Map.of("role", "boss")), false)
                .orElseThrow()
                .bytes());
        receive(new ParseComplete(), new BindComplete(), DONE, READY);
        // When the next session's alignment fails and is rolled back
        assertThat(bytes(talk.prepareFor(PARIS, false).orElseThrow().bytes())).contains("RESET \"role\"");
        receive(ERROR, READY);
        // Then it is still to be reset
        assertThat(bytes(talk.prepareFor(WantedParameters.none(), false)
                        .orElseThrow()
                        .bytes()))
                .contains("RESET \"role\"");
    }

    @Test
    void shouldSurviveAnErrorTooLongToRead() {
        bytes(talk.prepareFor(PARIS, false).orElseThrow().bytes());
        ErrorResponse huge = ErrorResponse.of(Severity.ERROR, SqlState.INVALID_PARAMETER_VALUE, "x".repeat(200_000));
        Optional<ErrorResponse> error = Optional.empty();
        for (Batch batch : Wires.pieces(DecodePolicy.BACKEND, 70_000, huge, READY)) {
            ServerOutput output = talk.fromServer(batch);
            assertThat(bytes(output.bytes())).isEmpty();
            error = output.ownError();
        }
        assertThat(error).isPresent();
        assertThat(talk.settled()).isTrue();
    }

    @Test
    void shouldSetAgainWhatAResetQueryMayHaveReset() {
        WantedParameters wanted = WantedParameters.of(Map.of("statement_timeout", "5s"));
        bytes(talk.prepareFor(wanted, false).orElseThrow().bytes());
        receive(new ParseComplete(), new BindComplete(), DONE, READY);
        bytes(talk.resetQuery("RESET ALL"));
        receive(new CommandComplete("RESET"), READY);
        assertThat(bytes(talk.prepareFor(wanted, false).orElseThrow().bytes())).contains("set_config");
        receive(new ParseComplete(), new BindComplete(), DONE, READY);
        bytes(talk.resetQuery(" discard all; "));
        receive(new CommandComplete("DISCARD ALL"), READY);
        assertThat(talk.prepareFor(WantedParameters.none(), false))
                .as("all is gone")
                .isEmpty();
    }

    @Test
    void shouldTakeAParameterReportedOnAnIdleBackendForANewDefault() {
        ParameterStatus changed = new ParameterStatus("TimeZone", "Asia/Tokyo");
        bytes(talk.fromServer(server(changed)).bytes());
        assertThat(talk.prepareFor(WantedParameters.none(), false)).isEmpty();
        talk.lent(true);
        ServerOutput output = talk.fromServer(server(new ParameterStatus("TimeZone", "Mars")));
        assertThat(bytes(output.bytes())).isEqualTo(joined(new ParameterStatus("TimeZone", "Mars")));
        assertThat(output.reported()).hasSize(1);
        talk.lent(false);
        assertThat(bytes(talk.prepareFor(WantedParameters.none(), false)
                        .orElseThrow()
                        .bytes()))
                .contains("RESET");
    }

    @Test
    void shouldSwallowAnOwnQuery() {
        assertThat(bytes(talk.ownQuery("ROLLBACK"))).isEqualTo(joined(new Query("ROLLBACK")));
        assertThat(talk.clientWaits()).isFalse();
        assertThat(talk.settled()).isFalse();
        ServerOutput output = talk.fromServer(server(
                NoticeResponse.of(Severity.WARNING, SqlState.SUCCESSFUL_COMPLETION, "no transaction"),
                new CommandComplete("ROLLBACK"),
                READY));
        assertThat(bytes(output.bytes())).isEmpty();
        assertThat(output.ownCycleEnded()).isTrue();
        assertThat(talk.settled()).isTrue();
    }
}
