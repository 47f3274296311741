package org.pgporter.integration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.pgporter.integration.TwoBackends.Place.A;
import static org.pgporter.integration.TwoBackends.Place.B;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiFunction;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.pgporter.integration.StateRow.Fate;
import org.pgporter.integration.StateRow.Shape;
import org.pgporter.integration.StateRow.Statement;
import org.pgporter.protocol.message.FrontendMessage;
import org.pgporter.protocol.message.Query;
import org.pgporter.protocol.message.Sync;
import org.pgporter.support.PostgresMajor;
import org.pgporter.support.RawClient;
import org.pgporter.support.TestPostgres;

/// What a client does to its session in transaction mode is its own: nobody else sees it, and it is not lost (checklist
/// 104 and 106).
///
/// Client one does something, client two gets the same backend and looks for it, and client one comes back on the
/// other. If the session has to keep its backend, client two gets the other until the reason is over. Which backend a
/// client gets is made certain by [TwoBackends]; what it has to see there is what PostgreSQL answers directly.
class SessionStateMatrixIT {
    private static final String USER = "matrix_user";
    private static final String SUPERUSER = "matrix_super";
    /// `-Dmatrix.everything=true` plays every row in every shape to both majors, which takes some minutes.
    private static final boolean EVERYTHING = Boolean.getBoolean("matrix.everything");

    private static final Map<String, TwoBackends> STAGES = new ConcurrentHashMap<>();
    private static final Map<String, List<String>> UNTOUCHED = new ConcurrentHashMap<>();

    /// How the reason for keeping a backend ends.
    private enum End {
        OWN,
        DISCARD_ALL,
        TERMINATE,
        RESET,
        LEAVE_IN_TRANSACTION
    }

    private record Case(PostgresMajor major, StateRow row, Shape shape, End end) {
        @Override
        public String toString() {
            return row.name() + (row.fate() == Fate.PINS ? ", until " + end : "") + ", " + shape + ", " + major;
        }
    }

    @BeforeAll
    static void createRolesAndTables() {
        for (PostgresMajor major : PostgresMajor.values()) {
            TestPostgres postgres = TestPostgres.shared(major);
            postgres.createUser(USER, TwoBackends.PASSWORD, "md5");
            postgres.createUser(SUPERUSER, TwoBackends.PASSWORD, "md5");
            postgres.sql(
                    "alter role " + SUPERUSER + " superuser",
                    "create role matrix_role",
                    "create role \"matrix \"\"Röle\"\"\"",
                    "grant matrix_role, \"matrix \"\"Röle\"\"\" to " + USER);
            postgres.createDatabase(USER, USER);
            postgres.sqlIn(USER, StateRows.PREPARATIONS);
        }
    }

    @AfterAll
    static void stop() {
        STAGES.values().forEach(TwoBackends::close);
        STAGES.clear();
    }

    private static Stream<Case> othersAndPassing() {
        return cases((row, number) -> row.fate() == Fate.PINS ? Stream.of() : shapes(row, number));
    }

    private static Stream<Case> pinning() {
        return cases((row, number) -> switch (row.fate()) {
            case TRAVELS, PASSES -> Stream.of();
            case PINS -> Stream.concat(row.ends().isEmpty() ? Stream.of() : shapes(row, number), ends(row));
        });
    }

    private static Stream<Case> cases(BiFunction<StateRow, Integer, Stream<Case>> ofRow) {
        List<StateRow> rows = StateRows.all();
        return IntStream.range(0, rows.size()).boxed().flatMap(number -> ofRow.apply(rows.get(number), number));
    }

    /// Each row in three shapes, and on both majors, in turn; with [#EVERYTHING] all of them.
    private static Stream<Case> shapes(StateRow row, int number) {
        boolean even = number % 2 == 0;
        return Arrays.stream(PostgresMajor.values())
                .flatMap(major -> row.shapes().stream()
                        .filter(shape -> EVERYTHING
                                || switch (shape) {
                                    case SIMPLE -> even == (major == PostgresMajor.NEWEST);
                                    case EXTENDED -> even == (major == PostgresMajor.OLDEST);
                                    case PIPELINED -> even && major == PostgresMajor.NEWEST;
                                    case HIDDEN -> !even && major == PostgresMajor.NEWEST;
                                })
                        .map(shape -> new Case(major, row, shape, End.OWN)));
    }

    /// What has no end of its own only ends with the session.
    private static Stream<Case> ends(StateRow row) {
        return Stream.of(End.DISCARD_ALL, End.TERMINATE, End.RESET, End.LEAVE_IN_TRANSACTION)
                .filter(end -> end != End.DISCARD_ALL || !row.ends().isEmpty())
                .map(end -> new Case(PostgresMajor.NEWEST, row, Shape.SIMPLE, end));
    }

    // ---- the session has it wherever it goes, or not at all --------------------------------------------------------

    @ParameterizedTest(name = "{0}")
    @MethodSource("othersAndPassing")
    void shouldFollowTheSessionAndNobodyElse(Case it) { // checklist 99, 102, 103, 104, 106, 107
        Expected expected = played(it);
        onStage(it, stage -> {
            StateRow row = it.row();
            stage.free(A);
            RawClient one = stage.client(row.startup().toArray(String[]::new));
            RawClient two = stage.client();
            assertThat(play(one, it.shape(), row.deed())).isEqualTo(expected.answers());

            assertThat(stage.ask(two, A, row.probe())).isEqualTo(expected.untouched());
            assertThat(stage.ask(one, A, row.probe())).isEqualTo(expected.own());
            stage.occupy(A);
            stage.free(B);
            assertThat(stage.ask(one, B, row.probe())).isEqualTo(expected.own());
            assertThat(stage.ask(two, B, row.probe())).isEqualTo(expected.untouched());
            assertThat(told(one)).isEqualTo(expected.told());
            assertThat(told(two)).isEqualTo(expected.toldUntouched());
            one.terminates();
            assertThat(stage.ask(two, B, row.probe())).isEqualTo(expected.untouched());
            stage.occupy(B);
        });
    }

    // ---- the session keeps its backend -----------------------------------------------------------------------------

    @ParameterizedTest(name = "{0}")
    @MethodSource("pinning")
    void shouldKeepItsBackendUntilTheReasonIsOver(Case it) { // checklist 106
        Expected expected = played(it);
        onStage(it, stage -> {
            StateRow row = it.row();
            stage.free(A);
            RawClient one = stage.client(row.startup().toArray(String[]::new));
            RawClient two = stage.client();
            assertThat(play(one, it.shape(), row.deed())).isEqualTo(expected.answers());

            stage.free(B);
            assertThat(stage.ask(two, B, row.probe())).isEqualTo(expected.untouched());
            assertThat(stage.ask(one, A, row.probe())).isEqualTo(expected.own());
            assertThat(stage.ask(two, B, row.probe())).isEqualTo(expected.untouched());
            stage.occupy(B);
            // Now somebody waits for the backend that the session keeps, and does not get it before the end.
            String probe = "select clock_timestamp(); " + row.probe();
            two.sendsQuery(TwoBackends.naming(probe));
            String before = stage.ask(one, A, "select clock_timestamp()").getFirst();
            end(one, it);
            switch (it.end()) {
                case OWN, DISCARD_ALL -> {
                    assertClean(stage.expectsAnswer(two, A, probe), expected, before);
                    assertThat(stage.ask(one, A, row.probe())).isEqualTo(expected.afterTheEnd());
                    stage.occupy(A);
                    stage.free(B);
                    assertThat(stage.ask(one, B, row.probe())).isEqualTo(expected.afterTheEnd());
                    stage.occupy(B);
                }
                case TERMINATE, RESET, LEAVE_IN_TRANSACTION -> {
                    List<String> answer = TwoBackends.answer(two);
                    assertThat(answer.removeFirst()).isNotEqualTo(stage.processId(B));
                    assertClean(answer, expected, before);
                    stage.occupyThisOrItsSuccessor(A);
                }
            }
        });
    }

    private static void assertClean(List<String> answer, Expected expected, String before) {
        assertThat(answer.getFirst()).isGreaterThan(before);
        assertThat(answer.subList(1, answer.size())).isEqualTo(expected.untouched());
    }

    private static void end(RawClient client, Case it) {
        switch (it.end()) {
            case OWN -> play(client, it.shape(), it.row().ends());
            case DISCARD_ALL -> client.query("discard all");
            case TERMINATE -> client.terminates();
            case RESET -> client.resets();
            case LEAVE_IN_TRANSACTION -> {
                client.query("begin");
                client.queryExpectingError("select 1/0");
                client.terminates();
            }
        }
    }

    // ---- what PostgreSQL says ----------------------------------------------------------------------------------

    /// @param answers of the deed
    /// @param own the probe's answer for whoever has done the deed
    /// @param untouched the probe's answer for everybody else
    /// @param afterTheEnd the probe's answer for whoever has done the deed and ended it
    private record Expected(
            List<String> answers,
            List<String> own,
            List<String> untouched,
            List<String> afterTheEnd,
            Map<String, String> told,
            Map<String, String> toldUntouched) {}

    private static Expected played(Case it) {
        StateRow row = it.row();
        TestPostgres postgres = TestPostgres.shared(it.major());
        try (RawClient one = direct(postgres, row, row.startup());
                RawClient two = direct(postgres, row, List.of())) {
            List<String> answers = play(one, it.shape(), row.deed());
            List<String> own = ask(one, row.probe());
            Map<String, String> told = told(one);
            List<String> untouched =
                    UNTOUCHED.computeIfAbsent(it.major() + row.probe() + row.superuser(), _ -> ask(two, row.probe()));
            switch (row.fate()) {
                case TRAVELS, PINS -> assertThat(own).as("what the row shows").isNotEqualTo(untouched);
                case PASSES -> assertThat(own).as("what the row shows").isEqualTo(untouched);
            }
            List<String> afterTheEnd = List.of();
            if (it.end() == End.OWN || it.end() == End.DISCARD_ALL) {
                end(one, it);
                afterTheEnd = ask(one, row.probe());
            }
            // Its backend ends some time after the client has closed: nobody shall wait for that.
            one.query("select pg_advisory_unlock_all()");
            return new Expected(answers, own, untouched, afterTheEnd, told, told(two));
        }
    }

    private static RawClient direct(TestPostgres postgres, StateRow row, List<String> startup) {
        return RawClient.connects(postgres)
                .logsIn(row.superuser() ? SUPERUSER : USER, TwoBackends.PASSWORD, USER, startup.toArray(String[]::new));
    }

    private static List<String> ask(RawClient client, String query) {
        return TwoBackends.answer(client.sendsQuery(query));
    }

    // ---- words -------------------------------------------------------------------------------------------------

    private static List<String> play(RawClient client, Shape shape, List<Statement> statements) {
        List<String> answers = new ArrayList<>();
        for (Statement statement : statements) {
            FrontendMessage[] messages = shape.messages(statement);
            client.sends(messages);
            for (FrontendMessage message : messages) {
                if (message instanceof Sync || message instanceof Query) {
                    answers.addAll(TwoBackends.answer(client));
                }
            }
        }
        return answers;
    }

    /// Sorted for the sake of those who read a difference.
    private static Map<String, String> told(RawClient client) {
        return new TreeMap<>(client.parameterStatus());
    }

    @FunctionalInterface
    private interface Play {
        void on(TwoBackends stage);
    }

    /// All rows share a stage, so that each finds what the others have left. One that has failed leaves a new one.
    private static void onStage(Case it, Play play) {
        String user = it.row().superuser() ? SUPERUSER : USER;
        String key = it.major() + user;
        TwoBackends stage = STAGES.computeIfAbsent(
                key, _ -> TwoBackends.of(TestPostgres.shared(it.major()), USER, user, pool -> pool));
        try {
            play.on(stage);
            stage.closeClients();
        } catch (AssertionError | RuntimeException e) {
            STAGES.remove(key);
            try {
                stage.close();
            } catch (AssertionError | RuntimeException closing) {
                e.addSuppressed(closing);
            }
            throw e;
        }
    }
}
