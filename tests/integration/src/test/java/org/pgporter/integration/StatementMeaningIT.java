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
import org.pgporter.protocol.message.Target;
import org.pgporter.support.RawClient;

/// When a prepared statement is forgotten, and what it means, in transaction mode between two backends.
class StatementMeaningIT extends BetweenBackends {
    private static final String USER = "meaning_user";

    StatementMeaningIT() {
        super(USER);
    }

    @BeforeAll
    static void createTables() {
        POSTGRES.createUser(USER, TwoBackends.PASSWORD, "md5");
        POSTGRES.sql("create role meaning_role", "grant meaning_role to " + USER);
        POSTGRES.createDatabase(USER, USER);
        POSTGRES.sqlIn(
                USER,
                "create schema other",
                "create table public.place as select 'public' as name",
                "create table other.place as select 'other' as name",
                "grant usage on schema other to public",
                "grant create on schema public to public",
                "grant select on all tables in schema public, other to public");
    }

    // ---- DISCARD and DEALLOCATE: 92 --------------------------------------------------------------------------------

    @ParameterizedTest
    @ValueSource(
            strings = {"discard all", "deallocate all", "DEALLOCATE PREPARE ALL", "/* all */ Discard -- all\n All;"})
    void shouldForgetWhatTheClientThrowsAway(String sql) { // checklist 92
        TwoBackends stage = stage();
        Twin one = twin(stage);
        Twin other = twin(stage);
        other.says(parse("s", "select 'of the other'"), SYNC);
        onBoth(stage, () -> {
            one.says(parse("s", "select 'mine'"), parse("", "select 'unnamed'"), SYNC);
            one.says(bind("s"), EXECUTE, SYNC);
            one.asks(sql);
            assertThat(errors(one.says(bind("s"), EXECUTE, SYNC))).containsExactly("26000");
            one.says(bind(""), EXECUTE, SYNC);
            other.says(bind("s"), EXECUTE, SYNC);
            // In the extended protocol, and with others in a batch.
            one.says(parse("s", "select 'mine'"), SYNC, parse("", sql), bind(""), EXECUTE, SYNC);
            one.says(bind("s"), EXECUTE, SYNC);
            one.says(parse("d", sql), parse("s", "select 'mine'"), SYNC);
            one.says(
                    bind("d"),
                    EXECUTE,
                    SYNC,
                    bind("s"),
                    EXECUTE,
                    SYNC,
                    parse("s", "select 'anew'"),
                    bind("s"),
                    EXECUTE,
                    SYNC);
            other.says(bind("s"), EXECUTE, SYNC);
            one.says(new Close(Target.STATEMENT, "s"), SYNC);
        });
    }

    @ParameterizedTest
    @ValueSource(strings = {"discard all", "deallocate all", "deallocate s"})
    void shouldForgetNothingInATransactionThatHasFailed(String sql) { // checklist 92
        TwoBackends stage = stage();
        Twin one = twin(stage);
        one.says(parse("s", "select 'mine'"), parse("d", sql), SYNC);
        onBoth(stage, () -> {
            one.asks("begin");
            one.asks("select 1/0");
            one.asks(sql);
            one.says(bind("d"), EXECUTE, SYNC);
            one.asks("rollback");
            one.says(bind("s"), EXECUTE, SYNC);
            // Not within a transaction block, or not undone by its end.
            one.asks("begin");
            one.asks(sql);
            one.asks("rollback");
            one.says(bind("s"), EXECUTE, SYNC);
            one.says(new Close(Target.STATEMENT, "s"), parse("s", "select 'mine'"), SYNC);
            one.says(new Close(Target.STATEMENT, "d"), parse("d", sql), SYNC);
        });
    }

    @Test
    void shouldBindWhatWasPreparedInSql() { // checklist 92
        TwoBackends stage = stage();
        Twin one = twin(stage);
        one.asks("prepare s(int) as select $1 + 1");
        one.says(bind("s", "4"), EXECUTE, SYNC);
        one.says(new Describe(Target.STATEMENT, "s"), SYNC);
        one.asks("execute s(5)");
        one.says(new Close(Target.STATEMENT, "s"), SYNC);
        one.asks("execute s(6)");
        one.says(bind("s", "7"), EXECUTE, SYNC);
    }

    // ---- what a statement means: 93, 94 ----------------------------------------------------------------------------

    @Test
    void shouldNotShareAStatementThatMeansSomethingElse() { // checklist 94
        TwoBackends stage = stage();
        Twin one = twin(stage, "search_path", "other");
        Twin two = twin(stage);
        Twin three = twin(stage, "DateStyle", "ISO, DMY");
        Twin four = twin(stage, "DateStyle", "German");
        String place = "select name from place";
        String date = "select '01/02/2026'::date, extract(month from '01/02/2026'::date)";
        for (Twin twin : List.of(one, two, three, four)) {
            twin.says(parse("place", place), parse("date", date), SYNC);
        }
        onBoth(stage, () -> {
            for (Twin twin : List.of(one, two, three, four)) {
                twin.says(bind("place"), EXECUTE, bind("date"), EXECUTE, SYNC);
                twin.says(parse("", place), bind(""), EXECUTE, parse("", date), bind(""), EXECUTE, SYNC);
            }
        });
        assertThat(rows(one.says(bind("place"), EXECUTE, SYNC))).containsExactly("other");
        assertThat(rows(two.says(bind("place"), EXECUTE, SYNC))).containsExactly("public");
    }

    @Test
    void shouldPlanAStatementAnewWhenItsSessionChangesTheSearchPath() { // checklist 94
        TwoBackends stage = stage();
        Twin one = twin(stage);
        Twin two = twin(stage);
        for (Twin twin : List.of(one, two)) {
            twin.says(parse("s", "select name from place"), bind("s"), EXECUTE, SYNC);
        }
        onBoth(stage, () -> {
            one.asks("set search_path to other");
            one.says(bind("s"), EXECUTE, SYNC);
            two.says(bind("s"), EXECUTE, SYNC);
            move(stage);
            one.says(bind("s"), EXECUTE, SYNC);
            two.says(bind("s"), EXECUTE, SYNC);
            one.asks("reset search_path");
            one.says(bind("s"), EXECUTE, SYNC);
        });
    }

    @Test
    void shouldNotLetATransactionSpoilTheStatementOfOthers() { // checklist 94
        TwoBackends stage = stage();
        Twin one = twin(stage);
        Twin two = twin(stage);
        String place = "select name from place, (values (1)) as round";
        // Nobody has prepared it before; the SET and the Parse travel together.
        one.says(parse("", "set search_path to other"), bind(""), EXECUTE, parse("s", place), bind("s"), EXECUTE, SYNC);
        two.says(parse("s", place), bind("s"), EXECUTE, SYNC);
        move(stage);
        two.says(bind("s"), EXECUTE, SYNC);
        one.says(bind("s"), EXECUTE, SYNC);
        one.asks("reset search_path");
        String local = "select name from place, (values (2)) as round";
        one.asks("begin");
        one.asks("set local search_path to other");
        one.says(parse("l", local), bind("l"), EXECUTE, SYNC);
        one.asks("commit");
        one.says(bind("l"), EXECUTE, SYNC);
        two.says(parse("l", local), bind("l"), EXECUTE, SYNC);
        move(stage);
        one.says(bind("l"), EXECUTE, SYNC);
        two.says(bind("l"), EXECUTE, SYNC);
    }

    @Test
    void shouldNotShareAcrossRoles() { // checklist 94
        TwoBackends stage = stage();
        Twin one = twin(stage, "options", "-c role=meaning_role");
        Twin two = twin(stage);
        for (Twin twin : List.of(one, two)) {
            twin.says(parse("s", "select current_user, session_user"), SYNC);
        }
        onBoth(stage, () -> {
            one.says(bind("s"), EXECUTE, SYNC);
            two.says(bind("s"), EXECUTE, SYNC);
        });
        assertThat(rows(one.says(bind("s"), EXECUTE, SYNC))).containsExactly("meaning_role|" + USER);
    }

    @Test
    void shouldHealAStatementWhoseTableHasChanged() { // checklist 93
        TwoBackends stage = stage();
        POSTGRES.sqlIn(
                USER,
                "drop table if exists changing",
                "create table changing as select 1 as a",
                "grant select on changing to public");
        RawClient one = stage.client();
        one.sends(parse("s", "select * from changing"), SYNC);
        assertThat(TwoBackends.answer(one)).isEmpty();
        onBoth(stage, () -> assertThat(said(one, bind("s"), EXECUTE, SYNC)).containsExactly("1"));
        POSTGRES.sqlIn(USER, "alter table changing add b int default 2");
        // It hears of it once, as with PostgreSQL; but then it need not prepare it anew.
        assertThat(said(one, bind("s"), EXECUTE, SYNC)).containsExactly("error 0A000");
        onBoth(stage, () -> assertThat(said(one, bind("s"), EXECUTE, SYNC)).containsExactly("1|2"));
        POSTGRES.sqlIn(USER, "alter table changing add c int default 3");
        one.query("begin");
        assertThat(said(one, bind("s"), EXECUTE, SYNC)).containsExactly("error 0A000");
        one.query("rollback");
        onBoth(stage, () -> assertThat(said(one, bind("s"), EXECUTE, SYNC)).containsExactly("1|2|3"));
    }

    @Test
    void shouldNotSendRowsOfAnotherShapeThanWasDescribed() { // checklist 93, 98
        TwoBackends stage = stage();
        POSTGRES.sqlIn(
                USER,
                "drop table if exists reshaped",
                "create table reshaped as select 1 as a",
                "grant select, insert on reshaped to public");
        RawClient one = stage.client();
        one.sends(parse("s", "select * from reshaped"), new Describe(Target.STATEMENT, "s"), SYNC);
        assertThat(TwoBackends.answer(one)).isEmpty();
        one.sends(
                parse("w", "insert into reshaped (a) values (7) returning *"),
                new Describe(Target.STATEMENT, "w"),
                SYNC);
        assertThat(TwoBackends.answer(one)).isEmpty();
        POSTGRES.sqlIn(USER, "alter table reshaped add b text default 'b'");

        // The other backend has never had the statements: it would plan them for the new columns.
        move(stage);
        assertThat(said(one, bind("s"), EXECUTE, bind("s"), EXECUTE, SYNC)).containsExactly("error 0A000");
        assertThat(said(one, bind("s"), EXECUTE, SYNC)).containsExactly("1|b");
        assertThat(said(one, bind("w"), EXECUTE, SYNC)).containsExactly("error 40003");
        assertThat(said(one, parse("", "select count(*) from reshaped where a = 7"), bind(""), EXECUTE, SYNC))
                .containsExactly("1");
        onBoth(stage, () -> assertThat(said(one, bind("s"), EXECUTE, SYNC)).contains("1|b"));
    }

    // ---- backends that die: 95 -------------------------------------------------------------------------------------

    @Test
    void shouldPrepareEverythingAnewOnNewBackends() { // checklist 95
        TwoBackends stage = stage();
        Twin one = twin(stage);
        one.says(parse("s", "select $1"), parse("", "select 'unnamed', $1"), SYNC);
        for (int round = 0; round < 2; round++) {
            one.says(bind("s", "before"), EXECUTE, SYNC);
            POSTGRES.rows("select pg_terminate_backend(?, 10000)", Integer.valueOf(stage.processId(A)));
            stage.occupyThisOrItsSuccessor(A);
            stage.free(A);
            one.says(bind("s", "after"), EXECUTE, bind("", "after"), EXECUTE, SYNC);
            one.says(parse("s", "select 'taken'"), SYNC);
        }
    }
}
