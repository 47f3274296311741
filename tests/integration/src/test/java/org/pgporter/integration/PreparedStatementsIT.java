package org.pgporter.integration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.pgporter.integration.TwoBackends.Place.A;

import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.pgporter.protocol.message.Close;
import org.pgporter.protocol.message.Describe;
import org.pgporter.protocol.message.Execute;
import org.pgporter.protocol.message.Flush;
import org.pgporter.protocol.message.Target;
import org.pgporter.support.RawClient;

/// Prepared statements in transaction mode, between two backends: the client hears what PostgreSQL would have said.
class PreparedStatementsIT extends BetweenBackends {
    private static final String USER = "prepared_user";

    PreparedStatementsIT() {
        super(USER);
    }

    @BeforeAll
    static void createTables() {
        POSTGRES.createUser(USER, TwoBackends.PASSWORD, "md5");
        POSTGRES.createDatabase(USER, USER);
        POSTGRES.sqlIn(
                USER,
                "create table public.place as select 'public' as name",
                "grant create on schema public to public",
                "grant select on all tables in schema public to public");
    }

    // ---- names and definitions: 87, 96 -----------------------------------------------------------------------------

    @Test
    void shouldTellStatementsApartByTextAndTypes() { // checklist 87
        TwoBackends stage = stage();
        Twin one = twin(stage);
        Twin two = twin(stage);
        onBoth(stage, () -> {
            one.says(
                    parse("s", "select pg_typeof($1)", INT4),
                    bind("s", "1"),
                    EXECUTE,
                    new Close(Target.STATEMENT, "s"),
                    SYNC);
            two.says(
                    parse("s", "select pg_typeof($1)", TEXT),
                    bind("s", "1"),
                    EXECUTE,
                    new Close(Target.STATEMENT, "s"),
                    SYNC);
            one.says(
                    parse("s", "select pg_typeof( $1)", INT4),
                    bind("s", "1"),
                    EXECUTE,
                    new Close(Target.STATEMENT, "s"),
                    SYNC);
            two.says(
                    parse("s", "select pg_typeof($1)"),
                    bind("s", "1"),
                    EXECUTE,
                    new Close(Target.STATEMENT, "s"),
                    SYNC);
        });
    }

    @Test
    void shouldGiveANameANewMeaningAfterCloseAndDeallocate() { // checklist 87
        TwoBackends stage = stage();
        Twin one = twin(stage);
        one.says(parse("s", "select 'one'"), SYNC);
        one.says(new Close(Target.STATEMENT, "s"), parse("s", "select 'two'"), bind("s"), EXECUTE, SYNC);
        move(stage);
        one.says(bind("s"), EXECUTE, SYNC);
        one.asks("deallocate s");
        one.says(parse("s", "select 'three'"), bind("s"), EXECUTE, SYNC);
        move(stage);
        one.says(bind("s"), EXECUTE, SYNC);
        one.says(parse("", "deallocate \"s\""), bind(""), EXECUTE, SYNC);
        one.says(bind("s"), EXECUTE, SYNC);
        one.says(parse("s", "select 'four'"), bind("s"), EXECUTE, SYNC);
        one.asks("deallocate prepare s");
        one.asks("deallocate s");
        one.says(bind("s"), EXECUTE, SYNC);
    }

    @Test
    void shouldRefuseADuplicateNameAndGoOn() { // checklist 87
        TwoBackends stage = stage();
        Twin one = twin(stage);
        one.says(parse("s", "select 'first'"), SYNC);
        onBoth(stage, () -> {
            // Refused although the definition is the same, and the rest of the pipeline is skipped.
            one.says(parse("s", "select 'first'"), bind("s"), EXECUTE, SYNC, bind("s"), EXECUTE, SYNC);
            assertThat(errors(one.says(bind("s"), EXECUTE, parse("s", "select 'second'"), bind("s"), EXECUTE, SYNC)))
                    .containsExactly("42P05");
            one.says(bind("s"), EXECUTE, SYNC);
            one.asks("begin");
            one.says(parse("s", "select 'second'"), SYNC);
            one.says(bind("s"), EXECUTE, SYNC);
            one.asks("rollback");
            one.says(bind("s"), EXECUTE, SYNC);
        });
    }

    @Test
    void shouldRefuseAnUnknownNameAndGoOn() { // checklist 87
        TwoBackends stage = stage();
        Twin one = twin(stage);
        Twin other = twin(stage);
        onBoth(stage, () -> {
            other.says(new Close(Target.STATEMENT, "s"), parse("s", "select 'of the other'"), SYNC);
            assertThat(errors(one.says(bind("s"), EXECUTE, SYNC))).containsExactly("26000");
            one.says(new Describe(Target.STATEMENT, "s"), SYNC);
            one.says(new Close(Target.STATEMENT, "s"), SYNC);
            one.asks("begin; select 'in a transaction'");
            one.says(new Describe(Target.STATEMENT, "s"), bind("s"), EXECUTE, SYNC);
            one.says(SYNC);
            one.asks("rollback");
            one.asks("execute s");
            one.asks("deallocate s");
            other.says(bind("s"), EXECUTE, SYNC);
        });
    }

    @ParameterizedTest
    @ValueSource(strings = {"pgporter_1", "pgporter_1_1", "PGBOUNCER_1", "a \"name\"; --", "größer", "\\", "x"})
    void shouldTakeAnyName(String name) { // checklist 96
        TwoBackends stage = stage();
        Twin one = twin(stage);
        Twin two = twin(stage);
        for (String longer : List.of(name, name + "x".repeat(300), name + "y".repeat(9_000))) {
            one.says(parse(longer, "select 'one' where length($1) < 9"), SYNC);
            two.says(parse(longer, "select 'two' where length($1) < 9"), SYNC);
            onBoth(stage, () -> {
                one.says(bind(longer, "1"), EXECUTE, new Describe(Target.STATEMENT, longer), SYNC);
                two.says(bind(longer, "1"), EXECUTE, new Describe(Target.STATEMENT, longer), SYNC);
                one.says(parse(longer, "select 'second'"), SYNC);
            });
            one.says(new Close(Target.STATEMENT, longer), bind(longer, "1"), EXECUTE, SYNC);
            two.says(bind(longer, "1"), EXECUTE, SYNC);
        }
    }

    @Test
    void shouldNotMixUpAClientsNameWithOneOfTheServers() { // checklist 96
        TwoBackends stage = stage();
        Twin one = twin(stage);
        Twin two = twin(stage);
        one.says(parse("s", "select 'one'"), SYNC);
        List<List<String>> names =
                one.proxied().query("select name from pg_prepared_statements where statement = 'select ''one'''");
        assertThat(names).hasSize(1);
        String ofTheServer = names.getFirst().getFirst();
        onBoth(stage, () -> {
            two.says(bind(ofTheServer), EXECUTE, SYNC);
            two.says(parse(ofTheServer, "select 'two'"), bind(ofTheServer), EXECUTE, SYNC);
            one.says(bind("s"), EXECUTE, SYNC);
            two.says(new Close(Target.STATEMENT, ofTheServer), SYNC);
            one.says(bind("s"), EXECUTE, SYNC);
        });
    }

    // ---- the unnamed statement: 88 ---------------------------------------------------------------------------------

    @Test
    void shouldKeepTheUnnamedStatementUntilASimpleQuery() { // checklist 88
        TwoBackends stage = stage();
        Twin one = twin(stage);
        Twin two = twin(stage);
        one.says(parse("", "select 'one', $1::int", INT4), SYNC);
        two.says(parse("", "select 'two'"), SYNC);
        onBoth(stage, () -> {
            one.says(bind("", "1"), EXECUTE, SYNC);
            two.says(bind(""), EXECUTE, SYNC);
            one.says(new Describe(Target.STATEMENT, ""), bind("", "2"), EXECUTE, SYNC);
            // One that fails is nobody's either.
            two.says(parse("", "select nothing"), bind(""), EXECUTE, SYNC);
            two.says(bind(""), EXECUTE, SYNC);
            two.says(parse("", "select 'two'"), SYNC);
        });
        one.asks("select 'simple'");
        assertThat(errors(one.says(bind("", "3"), EXECUTE, SYNC))).containsExactly("26000");
        one.says(parse("", "select 'again'"), SYNC, new Close(Target.STATEMENT, ""), SYNC, bind(""), EXECUTE, SYNC);
        move(stage);
        one.says(bind(""), EXECUTE, SYNC);
    }

    // ---- statements that fail: 89 ----------------------------------------------------------------------------------

    @Test
    void shouldForgetAParseThatFailed() { // checklist 89
        TwoBackends stage = stage();
        Twin one = twin(stage);
        Twin two = twin(stage);
        one.asks("drop table if exists late");
        onBoth(stage, () -> {
            one.says(parse("s", "select * from late"), SYNC);
            one.says(bind("s"), EXECUTE, SYNC);
            two.says(parse("s", "select * from late"), bind("s"), EXECUTE, SYNC, bind("s"), SYNC);
        });
        one.proxied().query("create table late as select 1 as i");
        one.says(parse("s", "select * from late"), bind("s"), EXECUTE, SYNC);
        move(stage);
        two.says(parse("s", "select * from late"), bind("s"), EXECUTE, SYNC);
        one.says(bind("s"), EXECUTE, SYNC);
    }

    @Test
    void shouldRefuseAKnownStatementInATransactionThatHasFailed() { // checklist 89
        TwoBackends stage = stage();
        Twin one = twin(stage);
        Twin two = twin(stage);
        onBoth(stage, () -> {
            two.says(new Close(Target.STATEMENT, "s"), parse("s", "select 'known'"), bind("s"), EXECUTE, SYNC);
            one.asks("begin");
            one.asks("select 1/0");
            assertThat(errors(one.says(parse("s", "select 'known'"), bind("s"), EXECUTE, SYNC)))
                    .containsExactly("25P02");
            one.says(bind("s"), EXECUTE, SYNC);
            one.says(parse("r", "rollback"), bind("r"), EXECUTE, SYNC);
            one.says(bind("s"), EXECUTE, SYNC);
            one.says(parse("s", "select 'known'"), bind("s"), EXECUTE, SYNC);
            one.says(new Close(Target.STATEMENT, "s"), new Close(Target.STATEMENT, "r"), SYNC);
        });
    }

    // ---- eviction: 90, 97 ------------------------------------------------------------------------------------------

    @Test
    void shouldEvictNothingThatAPipelineNeeds() { // checklist 90
        TwoBackends stage = stage(pool -> pool.withPreparedStatementsCacheSize(1));
        Twin one = twin(stage);
        for (String name : List.of("a", "b", "c", "d")) {
            one.says(parse(name, "select '" + name + "', 1 / ($1 * i) from generate_series(1, 1) i", INT4), SYNC);
        }
        onBoth(stage, () -> {
            one.says(
                    bind("a", "1"),
                    EXECUTE,
                    bind("b", "1"),
                    EXECUTE,
                    bind("c", "1"),
                    EXECUTE,
                    bind("a", "1"),
                    EXECUTE,
                    SYNC);
            one.says(
                    bind("d", "1"),
                    EXECUTE,
                    bind("a", "0"),
                    EXECUTE,
                    bind("b", "1"),
                    EXECUTE,
                    bind("d", "1"),
                    EXECUTE,
                    SYNC,
                    bind("b", "1"),
                    EXECUTE,
                    SYNC,
                    bind("c", "0"),
                    EXECUTE,
                    SYNC,
                    bind("d", "1"),
                    EXECUTE,
                    SYNC);
            for (String name : List.of("a", "b", "c", "d", "a")) {
                one.says(bind(name, "1"), EXECUTE, SYNC);
            }
        });
        one.says(
                new Close(Target.STATEMENT, "a"),
                new Close(Target.STATEMENT, "b"),
                bind("c", "1"),
                EXECUTE,
                bind("b", "1"),
                EXECUTE,
                SYNC,
                bind("c", "1"),
                EXECUTE,
                SYNC);
    }

    @Test
    void shouldKeepNoMoreStatementsOnABackendThanConfigured() { // checklist 97
        TwoBackends stage = stage(pool -> pool.withPreparedStatementsCacheSize(3));
        for (int client = 0; client < 10; client++) {
            RawClient one = stage.client();
            for (int i = 0; i < 10; i++) {
                one.sends(parse("s" + i, "select '" + client + i + "'"), bind("s" + i), EXECUTE, SYNC);
                assertThat(TwoBackends.answer(one)).containsExactly("" + client + i);
            }
            one.terminates();
        }
        assertThat(stage.ask(stage.client(), A, "select count(*) <= 4 from pg_prepared_statements"))
                .containsExactly("t");
    }

    // ---- answers of our own: 91, 98 --------------------------------------------------------------------------------

    @Test
    void shouldAnswerInOrderWhoeverAnswers() { // checklist 91
        TwoBackends stage = stage();
        Twin one = twin(stage);
        Twin two = twin(stage);
        onBoth(stage, () -> {
            two.says(new Close(Target.STATEMENT, "k"), parse("k", "select 'known', $1"), SYNC);
            one.says(
                    parse("k", "select 'known', $1"),
                    parse("n", "select 'new'"),
                    new Close(Target.STATEMENT, "never"),
                    bind("k", "1"),
                    EXECUTE,
                    new Close(Target.STATEMENT, "k"),
                    new Close(Target.STATEMENT, "n"),
                    parse("k", "select 'new', $1::int"),
                    new Describe(Target.STATEMENT, "k"),
                    parse("second", "select 'known', $1"),
                    bind("k", "7"),
                    EXECUTE,
                    bind("second", "x"),
                    EXECUTE,
                    new Close(Target.PORTAL, ""),
                    new Flush(),
                    new Close(Target.STATEMENT, "second"),
                    new Close(Target.STATEMENT, "k"),
                    SYNC,
                    bind("k", "1"),
                    new Close(Target.STATEMENT, "k"),
                    SYNC,
                    SYNC);
            one.says(parse("k", "select 'known', $1"), SYNC, new Close(Target.STATEMENT, "k"), SYNC);
            one.says(new Close(Target.STATEMENT, "k"), new Close(Target.STATEMENT, "n"), SYNC);
        });
    }

    @Test
    void shouldDescribeAsTheServerDoes() { // checklist 98
        TwoBackends stage = stage();
        Twin one = twin(stage);
        Twin two = twin(stage);
        String sql = "select name, $1::numeric(7,2) as n, length($2) from place where length($2) > $3";
        onBoth(stage, () -> {
            for (Twin twin : List.of(one, two)) {
                twin.says(
                        new Close(Target.STATEMENT, "s"),
                        parse("s", sql, 0, TEXT),
                        new Describe(Target.STATEMENT, "s"),
                        SYNC);
                twin.says(new Describe(Target.STATEMENT, "s"), SYNC);
                for (int described = 0; described < 2; described++) {
                    assertThat(twin.proxied().expectsParameterDescription())
                            .isEqualTo(twin.direct().expectsParameterDescription())
                            .hasSize(3);
                }
                twin.says(
                        new org.pgporter.protocol.message.Bind(
                                "p", "s", List.of(), List.of(value("1"), value("x"), value("0")), List.of(1)),
                        new Describe(Target.PORTAL, "p"),
                        new Execute("p", 0),
                        SYNC);
            }
        });
    }
}
