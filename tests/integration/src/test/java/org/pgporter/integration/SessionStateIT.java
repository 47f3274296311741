package org.pgporter.integration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.pgporter.integration.TwoBackends.Place.A;
import static org.pgporter.integration.TwoBackends.Place.B;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.pgporter.config.StateCheck;
import org.pgporter.integration.TwoBackends.Place;
import org.pgporter.protocol.message.ErrorResponse;
import org.pgporter.protocol.message.FrontendMessage;
import org.pgporter.protocol.message.NotificationResponse;
import org.pgporter.protocol.message.Query;
import org.pgporter.support.RawClient;
import org.pgporter.support.TestPostgres;

/// What two sessions that share backends in transaction mode must not have in common, where it takes more than a row of
/// [SessionStateMatrixIT] to show it. The numbers are those of the checklist's section G.
class SessionStateIT {
    private static final String USER = "state_user";
    private static final TestPostgres POSTGRES = TestPostgres.shared();

    private final List<AutoCloseable> open = new ArrayList<>();

    @BeforeAll
    static void createTables() {
        POSTGRES.createUser(USER, TwoBackends.PASSWORD, "md5");
        POSTGRES.createDatabase(USER, USER);
        POSTGRES.sql(
                "create role state_role",
                "create role state_lost_role",
                "grant state_role, state_lost_role to " + USER);
        POSTGRES.sqlIn(
                USER,
                "create sequence ticket",
                "create table numbered (id serial, word text)",
                "grant all on all tables in schema public to public",
                "grant all on all sequences in schema public to public",
                "create schema \"Other\"",
                "create function sets_memory() returns void language plpgsql as $$ begin set work_mem = '7MB'; end $$",
                "create function sets_role() returns void language plpgsql as $$ begin set role state_role; end $$",
                "create function makes_table() returns void language plpgsql as"
                        + " $$ begin create temp table mine as select 1 as i; end $$",
                "create function locks() returns void language sql as 'select pg_advisory_lock(4711)'",
                "create function listens() returns void language plpgsql as $$ begin listen news; end $$",
                "create schema other",
                "create table \"Other\".place as select 'Other' as name",
                "create table other.place as select 'other' as name",
                "grant usage on schema other, \"Other\" to public",
                "grant select on all tables in schema other, \"Other\" to public");
    }

    @AfterEach
    void closeAll() throws Exception {
        for (AutoCloseable it : open.reversed()) {
            it.close();
        }
        open.clear();
    }

    // ---- sequences -------------------------------------------------------------------------------------------------

    private static Stream<Arguments> numbers() {
        String insert = "insert into numbered (word) values ('x')";
        return Stream.of(
                Arguments.of("select nextval('ticket')", "select currval('ticket')"),
                Arguments.of("select nextval('ticket')", "select lastval()"),
                Arguments.of(insert, "select lastval()"),
                Arguments.of(insert, "select currval(pg_get_serial_sequence('numbered', 'id'))"),
                Arguments.of("select setval('ticket', 777)", "select currval('ticket')"),
                Arguments.of("select pg_catalog . nextval ('ticket')", "select \"lastval\" /* ( */ ( )"));
    }

    @ParameterizedTest
    @MethodSource("numbers")
    void shouldNotTellTheNumberOfAnotherSession(String takes, String asks) { // checklist 106
        TwoBackends stage = stage();
        stage.free(A);
        RawClient one = stage.client();
        RawClient two = stage.client();
        one.query(takes);
        assertThat(stage.ask(two, A, asks)).containsExactly("error 55000");
        // Also when it is asked alone, and in the extended protocol.
        one.query(takes);
        assertThat(two.queryExpectingError(asks).sqlState().code()).isEqualTo("55000");
        one.query(takes);
        two.sendsParse("", asks).sendsBind("", "").sendsExecute("").sendsSync();
        assertThat(TwoBackends.answer(two)).containsExactly("error 55000");
        stage.occupy(A);

        // Where somebody else took one, there is none of this session's either.
        stage.free(B);
        two.query(takes);
        assertThat(stage.ask(one, B, asks)).containsExactly("error 55000");
        // Within a transaction all is as ever.
        List<String> both = TwoBackends.answer(one.sendsQuery("begin; " + takes + "; " + asks + "; commit"));
        assertThat(both.getLast()).matches("[0-9]+");
        stage.occupy(B);
    }

    // ---- notifications ---------------------------------------------------------------------------------------------

    @Test
    void shouldDeliverNotificationsAtOnceAndToTheListenerOnly() { // checklist 111
        TwoBackends stage = stage();
        stage.free(A);
        RawClient one = stage.client();
        RawClient two = stage.client();
        one.query("listen news");
        stage.free(B);

        // While it is idle: nothing is asked, and it comes.
        POSTGRES.sqlIn(USER, "notify news, 'first'");
        assertThat(one.expects(NotificationResponse.class).payload()).isEqualTo("first");
        // From the other session, and from itself.
        two.query("notify news, 'second'");
        assertThat(one.expects(NotificationResponse.class).payload()).isEqualTo("second");
        one.query("notify news, 'third'");
        NotificationResponse own = one.expects(NotificationResponse.class);
        assertThat(own.payload()).isEqualTo("third");
        assertThat(Integer.toString(own.processId())).isEqualTo(stage.processId(A));
        // Not within a transaction, but at its end.
        one.query("begin");
        POSTGRES.sqlIn(USER, "notify news, 'fourth'");
        one.query("select 'still in the transaction'");
        assertThat(one.transcript()).doesNotContain("fourth");
        one.query("commit");
        assertThat(one.expects(NotificationResponse.class).payload()).isEqualTo("fourth");

        // Both listen, each to its own.
        two.query("listen weather");
        POSTGRES.sqlIn(USER, "notify weather, 'rain'", "notify news, 'fifth'");
        assertThat(two.expects(NotificationResponse.class).payload()).isEqualTo("rain");
        assertThat(one.expects(NotificationResponse.class).payload()).isEqualTo("fifth");
        one.query("select 1");
        two.query("select 1");
        assertThat(one.transcript()).doesNotContain("rain");
        assertThat(two.transcript()).doesNotContain("NotificationResponse \"news\"");
    }

    @Test
    void shouldDeliverNothingToWhoeverFollowsAListener() { // checklist 111
        TwoBackends stage = stage();
        stage.free(A);
        RawClient one = stage.client();
        RawClient leaving = stage.client();
        RawClient two = stage.client();
        one.query("listen news");
        one.query("unlisten news");
        POSTGRES.sqlIn(USER, "notify news, 'to nobody'");
        assertThat(stage.ask(two, A, "select 1")).containsExactly("1");
        leaving.query("listen news");
        leaving.terminates();
        assertThat(TwoBackends.answer(two.sendsQuery("select 2"))).containsExactly("2");
        POSTGRES.sqlIn(USER, "notify news, 'to nobody'");
        two.query("select 3");
        assertThat(two.transcript()).doesNotContain("NotificationResponse");
        one.query("select 4");
        assertThat(one.transcript()).doesNotContain("NotificationResponse");
    }

    // ---- a session that keeps its backend --------------------------------------------------------------------------

    @Test
    void shouldTellASessionThatTheBackendItKeepsIsGone() { // checklist 109
        TwoBackends stage = stage();
        stage.free(A);
        RawClient one = stage.client();
        RawClient two = stage.client();
        one.query("create temp table mine (i int)");
        POSTGRES.rows("select pg_terminate_backend(?, 10000)", Integer.valueOf(stage.processId(A)));

        // As with PostgreSQL: what it had there is lost, so the session is.
        one.expectsError("57P01");
        one.expectsClosed();
        assertThat(TwoBackends.answer(two.sendsQuery("select 'served by another'")))
                .containsExactly("served by another");
    }

    // ---- values ----------------------------------------------------------------------------------------------------

    @ParameterizedTest
    @CsvSource({
        "application_name, App, app, show application_name",
        "app.tenant, Tenant, tenant, show app.tenant",
        "app.tenant, tenant, 'tenant ', show app.tenant",
        "search_path, \"\"\"Other\"\"\", Other, select name from place"
    })
    void shouldTellValuesApartThatDifferInCaseOnly(
            String name, String first, String second, String probe) { // checklist 101
        TwoBackends stage = stage();
        stage.free(A);
        for (boolean atStartup : List.of(false, true)) {
            Map<RawClient, RawClient> directly = new java.util.LinkedHashMap<>();
            for (String value : List.of(first, second)) {
                String[] parameters = atStartup ? new String[] {name, value} : new String[0];
                RawClient client = stage.client(parameters);
                RawClient direct = direct(parameters);
                if (!atStartup) {
                    String sql = "select set_config('" + name + "', '" + value + "', false)";
                    client.query(sql);
                    direct.query(sql);
                }
                directly.put(client, direct);
            }
            List<List<String>> expected = new ArrayList<>();
            for (int round = 0; round < 2; round++) {
                expected.clear();
                directly.forEach((client, direct) -> {
                    expected.add(TwoBackends.answer(direct.sendsQuery(probe)));
                    assertThat(stage.ask(client, A, probe)).isEqualTo(expected.getLast());
                });
            }
            assertThat(expected.get(0)).isNotEqualTo(expected.get(1));
        }
    }

    /// What differs in spelling only is the same: the server hears the queries, and nothing else.
    @Test
    void shouldSayNothingForValuesThatMeanTheSame() { // checklist 100
        try (Wiretap wiretap = new Wiretap(POSTGRES);
                TestNode node = TestNode.inFrontOf(POSTGRES.host(), wiretap.port())
                        .user(USER, USER, POSTGRES.secretOf(USER))
                        .pools(pool -> pool.withPoolSize(1))
                        .start();
                RawClient one =
                        login(node, "client_encoding", "utf8", "DateStyle", "iso", "options", "-c work_mem=2048");
                RawClient two =
                        login(node, "client_encoding", "UTF-8", "DateStyle", "ISO, MDY", "options", "-c work_mem=2MB");
                RawClient three = login(node);
                RawClient four = login(node)) {
            three.query("set client_encoding to 'unicode'; set datestyle to 'iso, us'; set work_mem = '2048kB'");
            four.query("set work_mem = '0.001953125GB'; set timezone = 'UTC'; set application_name = ''");
            List<RawClient> clients = List.of(one, two, three, four);
            clients.forEach(client -> client.query("select 'warm'"));
            clients.forEach(client -> client.query("select 'warm'"));
            wiretap.heard();

            for (int round = 0; round < 3; round++) {
                for (RawClient client : clients) {
                    assertThat(client.query("show work_mem; show datestyle; show client_encoding"))
                            .containsExactly(List.of("2MB"), List.of("ISO, MDY"), List.of("UTF8"));
                }
            }

            Query query = new Query("show work_mem; show datestyle; show client_encoding");
            assertThat(wiretap.heard())
                    .isEqualTo(Stream.<FrontendMessage>generate(() -> query)
                            .limit(12)
                            .toList());
        }
    }

    /// And what differs costs one write in front of the query, not a round trip of its own for each transaction.
    @Test
    void shouldSayNothingWhileTheBackendServesTheSameSession() { // checklist 100
        try (Wiretap wiretap = new Wiretap(POSTGRES);
                TestNode node = TestNode.inFrontOf(POSTGRES.host(), wiretap.port())
                        .user(USER, USER, POSTGRES.secretOf(USER))
                        .pools(pool -> pool.withPoolSize(1))
                        .start();
                RawClient one = login(node, "DateStyle", "German")) {
            one.query("set work_mem = '3MB'; set search_path to other; select set_config('app.tenant', 'x', false)");
            one.query("select 'warm'");
            wiretap.heard();
            for (int round = 0; round < 5; round++) {
                one.query("show work_mem");
            }
            assertThat(wiretap.heard())
                    .isEqualTo(Stream.<FrontendMessage>generate(() -> new Query("show work_mem"))
                            .limit(5)
                            .toList());
        }
    }

    // ---- what cannot be seen from outside --------------------------------------------------------------------------

    @ParameterizedTest
    @CsvSource({
        "select sets_memory(), show work_mem, 7MB, 4MB",
        "select sets_role(), select current_user, state_role, state_user"
    })
    void shouldSeeWhatAFunctionSetsIfAskedTo(
            String takes, String probe, String own, String untouched) { // checklist 104
        TwoBackends stage = alwaysLooking();
        stage.free(A);
        RawClient one = stage.client();
        RawClient two = stage.client();
        one.query(takes);
        assertThat(stage.ask(two, A, probe)).containsExactly(untouched);
        stage.occupy(A);
        stage.free(B);
        assertThat(stage.ask(one, B, probe)).containsExactly(own);
        assertThat(stage.ask(two, B, probe)).containsExactly(untouched);
        // And what it sets for the transaction only is gone with it.
        one.query("reset all; set role none");
        one.query("begin");
        one.query(takes);
        one.query("rollback");
        assertThat(stage.ask(one, B, probe)).containsExactly(untouched);
    }

    private static Stream<Arguments> hiddenReasons() {
        return Stream.of(
                Arguments.of("select makes_table()", "select i from mine", "drop table mine"),
                Arguments.of(
                        "select locks()",
                        "select objid from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()",
                        "select pg_advisory_unlock(4711)"),
                Arguments.of("select listens()", "select * from pg_listening_channels()", "unlisten *"));
    }

    @ParameterizedTest
    @MethodSource("hiddenReasons")
    void shouldKeepTheBackendForWhatAFunctionDoesIfAskedTo(String takes, String probe, String end) { // checklist 106
        TwoBackends stage = alwaysLooking();
        stage.free(A);
        RawClient one = stage.client();
        RawClient two = stage.client();
        one.query(takes);
        stage.free(B);
        List<String> untouched = stage.ask(two, B, probe);
        List<String> own = stage.ask(one, A, probe);
        assertThat(own).hasSize(1).isNotEqualTo(untouched);
        stage.occupy(B);
        one.query(end);
        assertThat(stage.ask(two, A, probe)).isEqualTo(untouched);
    }

    /// PostgreSQL lists parameters of applications nowhere, so one whose name is made up in code is not taken along.
    /// But nobody else finds it.
    @ParameterizedTest
    @ValueSource(
            strings = {
                "do $$ begin perform set_config('app.' || 'tenant', 'mine', false); end $$",
                "select set_config('app.' || 'tenant', 'mine', false)"
            })
    void shouldLeaveToNobodyWhatIsNamedInCode(String sql) { // checklist 106
        TwoBackends stage = stage();
        stage.free(A);
        RawClient one = stage.client();
        RawClient two = stage.client();
        one.query(sql);
        assertThat(stage.ask(two, A, "select coalesce(current_setting('app.tenant', true), '')"))
                .containsExactly("");
    }

    // ---- what a server refuses -------------------------------------------------------------------------------------

    @Test
    void shouldTellTheClientWhatABackendRefusesAndHarmNobody() { // checklist 105
        TwoBackends stage = stage();
        stage.free(A);
        RawClient one = stage.client();
        RawClient two = stage.client();
        one.query("set role state_lost_role");
        assertThat(stage.ask(one, A, "select current_user")).containsExactly("state_lost_role");
        POSTGRES.sql("revoke state_lost_role from " + USER);
        try {
            stage.occupy(A);
            stage.free(B);
            ErrorResponse refused = one.queryExpectingError("select current_user");
            assertThat(refused.sqlState().code()).isIn("42501", "22023");
            for (Place place : Place.values()) {
                assertThat(stage.ask(two, stage.onlyFree(), "select current_user"))
                        .containsExactly(USER);
                if (place == A) {
                    stage.occupy(B);
                    stage.free(A);
                }
            }
        } finally {
            POSTGRES.sql("grant state_lost_role to " + USER);
        }
    }

    // ---- words -------------------------------------------------------------------------------------------------

    private TwoBackends stage() {
        TwoBackends stage = TwoBackends.of(POSTGRES, USER, USER, pool -> pool);
        open.add(stage);
        return stage;
    }

    private TwoBackends alwaysLooking() {
        TwoBackends stage = TwoBackends.of(POSTGRES, USER, USER, pool -> pool.withSessionStateCheck(StateCheck.ALWAYS));
        open.add(stage);
        return stage;
    }

    private RawClient direct(String... parameters) {
        RawClient client = RawClient.connects(POSTGRES).logsIn(USER, TwoBackends.PASSWORD, USER, parameters);
        open.add(client);
        return client;
    }

    private static RawClient login(TestNode node, String... parameters) {
        return RawClient.connects(node.host(), node.port()).logsIn(USER, TwoBackends.PASSWORD, USER, parameters);
    }
}
