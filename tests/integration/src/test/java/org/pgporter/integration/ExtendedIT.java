package org.pgporter.integration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.pgporter.protocol.message.TransactionStatus.FAILED;
import static org.pgporter.protocol.message.TransactionStatus.IDLE;
import static org.pgporter.protocol.message.TransactionStatus.IN_TRANSACTION;
import static org.pgporter.support.BackendMessages.bindComplete;
import static org.pgporter.support.BackendMessages.closeComplete;
import static org.pgporter.support.BackendMessages.commandComplete;
import static org.pgporter.support.BackendMessages.emptyQueryResponse;
import static org.pgporter.support.BackendMessages.noData;
import static org.pgporter.support.BackendMessages.parseComplete;
import static org.pgporter.support.BackendMessages.portalSuspended;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.pgporter.config.PoolMode;
import org.pgporter.protocol.message.Bind;
import org.pgporter.protocol.message.Bytes;
import org.pgporter.protocol.message.Close;
import org.pgporter.protocol.message.DataRow;
import org.pgporter.protocol.message.Describe;
import org.pgporter.protocol.message.Execute;
import org.pgporter.protocol.message.Flush;
import org.pgporter.protocol.message.FrontendMessage;
import org.pgporter.protocol.message.Parse;
import org.pgporter.protocol.message.Query;
import org.pgporter.protocol.message.RowDescription;
import org.pgporter.protocol.message.Sync;
import org.pgporter.protocol.message.Target;
import org.pgporter.protocol.message.TransactionStatus;
import org.pgporter.support.RawClient;
import org.pgporter.support.TestPostgres;

/// Portals, implicit and explicit transactions in transaction mode on one backend of a real server: they are
/// PostgreSQL's
/// own, and while one is open nobody else comes in between.
class ExtendedIT {
    private static TestPostgres postgres;
    private static Proxied proxied;

    private static final String NOW = "select (extract(epoch from clock_timestamp()) * 1000000)::bigint";

    private RawClient client;
    private RawClient other;
    private long aloneUntil;

    @BeforeAll
    static void start() {
        postgres =
                TestPostgres.newest().setting("max_prepared_transactions", "5").start();
        proxied = Proxied.start(postgres, PoolMode.TRANSACTION, "extended", 1, node -> node);
        proxied.sql(
                "create table visits (who text)",
                "alter table visits owner to " + proxied.name(),
                "create procedure commits() language plpgsql as "
                        + "$$ begin insert into visits values ('one'); commit; insert into visits values ('two'); end $$",
                "grant all on schema public to " + proxied.name());
    }

    @AfterAll
    static void stop() {
        proxied.close();
        postgres.close();
    }

    @BeforeEach
    void connect() {
        proxied.sql("truncate visits");
        client = connection();
        other = connection();
    }

    @AfterEach
    void leave() {
        client.close();
        other.close();
    }

    private static RawClient connection() {
        return RawClient.connects(proxied.node().host(), proxied.node().port())
                .logsIn(proxied.name(), Proxied.PASSWORD, proxied.name());
    }

    // ---- portals -------------------------------------------------------------------------------------------------

    @Test
    void shouldSuspendAPortalAndGoOnWithIt_checklist78() {
        client.sends(parse("", "select n from generate_series(1, 5) n"), bind("", ""), execute("", 2), new Flush());
        client.expects(parseComplete());
        client.expects(bindComplete());
        rows("1", "2");
        client.expects(portalSuspended());
        visits();

        isAlone();
        client.sends(execute("", 2), execute("", 0), new Sync());

        rows("3", "4");
        client.expects(portalSuspended());
        rows("5");
        client.expects(commandComplete("SELECT 1"));
        client.expectsReadyForQuery(IDLE);
        visitedAfter();
    }

    @Test
    void shouldAnswerAnEmptyQueryAndAStatementWithoutRows_checklist78() {
        client.sends(
                parse("", ""),
                bind("", ""),
                new Describe(Target.PORTAL, ""),
                execute("", 0),
                new Query(""),
                new Sync());
        client.expects(parseComplete());
        client.expects(bindComplete());
        client.expects(noData());
        client.expects(emptyQueryResponse());
        client.expects(emptyQueryResponse());
        client.expectsReadyForQuery(IDLE);
        client.expectsReadyForQuery(IDLE);
    }

    @Test
    void shouldKeepANamedPortalToTheEndOfItsTransaction_checklist79() {
        client.query("begin");
        client.sends(parse("", "select n from generate_series(1, 3) n"), bind("p", ""), execute("p", 1), new Sync());
        client.expects(parseComplete());
        client.expects(bindComplete());
        rows("1");
        client.expects(portalSuspended());
        client.expectsReadyForQuery(IN_TRANSACTION);
        visits();
        client.query("select 'something else'");
        client.sends(execute("p", 1), new Sync());
        rows("2");
        client.expects(portalSuspended());
        client.expectsReadyForQuery(IN_TRANSACTION);
        assertThat(client.query("fetch 1 from p")).containsExactly(List.of("3"));
        isAlone();
        client.query("commit");
        visitedAfter();

        client.sends(execute("p", 1), new Sync());
        client.expectsError("34000");
        client.expectsReadyForQuery(IDLE);
    }

    @Test
    void shouldForgetAClosedPortal_checklist79() {
        client.query("begin");
        client.sends(
                parse("s", "select 1"),
                bind("p", "s"),
                new Close(Target.STATEMENT, "s"),
                new Describe(Target.PORTAL, "p"),
                new Close(Target.PORTAL, "p"),
                new Sync());
        client.expects(parseComplete());
        client.expects(bindComplete());
        client.expects(closeComplete());
        client.expects(RowDescription.class);
        client.expects(closeComplete());
        client.expectsReadyForQuery(IN_TRANSACTION);
        client.sends(new Describe(Target.PORTAL, "p"), new Sync());
        client.expectsError("34000");
        client.expectsReadyForQuery(FAILED);
        client.sends(new Query("rollback"), new Describe(Target.STATEMENT, "s"), new Sync());
        client.expectsCommandComplete("ROLLBACK");
        client.expectsReadyForQuery(IDLE);
        client.expectsError("26000");
        client.expectsReadyForQuery(IDLE);
    }

    @ParameterizedTest
    @CsvSource({"1,00000102", "0,323538"})
    void shouldReturnTheFormatThatWasAskedFor_checklist80(int format, String hex) {
        client.sends(
                parse("binary", "select $1::int4"),
                new Bind(
                        "",
                        "binary",
                        List.of(1),
                        List.of(Optional.of(Bytes.of((byte) 0, (byte) 0, (byte) 1, (byte) 2))),
                        List.of(format)),
                execute("", 0),
                new Sync());
        client.expects(parseComplete());
        client.expects(bindComplete());
        byte[] value =
                client.expects(DataRow.class).values().getFirst().orElseThrow().toArray();
        assertThat(java.util.HexFormat.of().formatHex(value)).isEqualTo(hex);
        client.expectsCommandComplete("SELECT 1");
        client.expectsReadyForQuery(IDLE);
    }

    // ---- transactions --------------------------------------------------------------------------------------------

    @Test
    void shouldKeepAnImplicitTransactionTogetherUntilSync_checklist80() {
        for (boolean fails : new boolean[] {false, true}) {
            client.sends(
                    parse("", "insert into visits values ('implicit')"), bind("", ""), execute("", 0), new Flush());
            client.expects(parseComplete());
            client.expects(bindComplete());
            client.expectsCommandComplete("INSERT 0 1");
            visits();
            isAlone();
            client.sends(parse("", "select 1/" + (fails ? 0 : 1)), bind("", ""), execute("", 0), new Sync());
            client.expects(parseComplete());
            if (fails) {
                // The division may fail when it is planned, or when it runs.
                assertThat(client.expectsAny()).isNotNull();
                client.expectsReadyForQuery(IDLE);
            } else {
                client.expects(bindComplete());
                rows("1");
                client.expectsCommandComplete("SELECT 1");
                client.expectsReadyForQuery(IDLE);
            }
            visitedAfter();
        }
        assertThat(client.query("select count(*) from visits where who = 'implicit'"))
                .containsExactly(List.of("1"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "insert into visits values ('a'); select 1/0                    | 22012 | IDLE           | 0",
                "begin; insert into visits values ('a'); commit; select 1/0     | 22012 | IDLE           | 1",
                "insert into visits values ('a'); begin; select 1/0             | 22012 | FAILED         | 0",
                "begin; insert into visits values ('a')                         |       | IN_TRANSACTION | 0",
                "insert into visits values ('a'); commit; insert into visits values ('a') | | IDLE       | 2",
                "begin; insert into visits values ('a'); rollback; insert into visits values ('a') | | IDLE | 1"
            })
    void shouldTakeSeveralStatementsAsPostgresDoes_checklist80(
            String sql, String sqlState, TransactionStatus status, String left) {
        if (sqlState == null) {
            client.query(sql);
        } else {
            assertThat(client.queryExpectingError(sql).sqlState().code()).isEqualTo(sqlState);
        }
        if (status != IDLE) {
            visits();
            isAlone();
            client.query("rollback");
            visitedAfter();
        }
        assertThat(other.query("select count(*) from visits where who = 'a'")).containsExactly(List.of(left));
    }

    @Test
    void shouldKeepTheBackendThroughCommitAndChain_checklist81() {
        client.query("begin isolation level serializable");
        client.sendsQuery("commit and chain");
        client.expectsCommandComplete("COMMIT");
        client.expectsReadyForQuery(IN_TRANSACTION);
        visits();
        assertThat(client.query("show transaction_isolation")).containsExactly(List.of("serializable"));
        client.sendsQuery("rollback and chain");
        client.expectsCommandComplete("ROLLBACK");
        client.expectsReadyForQuery(IN_TRANSACTION);
        isAlone();
        client.query("commit");
        visitedAfter();
    }

    @Test
    void shouldKeepTheBackendInAFailedTransactionAndAfterItsSavepoint_checklist81() {
        client.query("begin");
        client.query("savepoint before");
        client.queryExpectingError("select 1/0");
        visits();
        assertThat(client.queryExpectingError("select 1").sqlState().code()).isEqualTo("25P02");
        client.sendsQuery("rollback to before");
        client.expectsCommandComplete("ROLLBACK");
        client.expectsReadyForQuery(IN_TRANSACTION);
        assertThat(client.query("select count(*) from visits")).containsExactly(List.of("0"));
        client.query("release before");
        isAlone();
        client.query("commit");
        visitedAfter();
    }

    @Test
    void shouldFinishAPreparedTransactionOnAnyConnection_checklist81() {
        client.query("begin");
        client.query("insert into visits values ('two phases')");
        client.sendsQuery("prepare transaction 'visit'");
        client.expectsCommandComplete("PREPARE TRANSACTION");
        client.expectsReadyForQuery(IDLE);
        other.query("commit prepared 'visit'");
        assertThat(client.query("select who from visits")).containsExactly(List.of("two phases"));
    }

    @Test
    void shouldRunAProcedureThatCommits_checklist81() {
        client.sends(parse("", "call commits()"), bind("", ""), execute("", 0), new Sync());
        client.expects(parseComplete());
        client.expects(bindComplete());
        client.expectsCommandComplete("CALL");
        client.expectsReadyForQuery(IDLE);
        assertThat(other.query("select who from visits")).containsExactly(List.of("one"), List.of("two"));
    }

    // ---- words ---------------------------------------------------------------------------------------------------

    private static Parse parse(String name, String sql) {
        return new Parse(name, sql, List.of());
    }

    private static FrontendMessage bind(String portal, String statement) {
        return RawClient.bind(portal, statement);
    }

    private static Execute execute(String portal, int rows) {
        return new Execute(portal, rows);
    }

    private void rows(String... values) {
        for (String value : values) {
            client.expectsRow(value);
        }
    }

    /// The other client asks what time it is while the backend is taken.
    private void visits() {
        other.sendsQuery(NOW);
        assertThat(proxied.node().node().permitsHeld(proxied.name(), proxied.name()))
                .isEqualTo(1);
    }

    /// Until now nobody may have come in between.
    private void isAlone() {
        aloneUntil = time(postgres.rows(NOW));
    }

    /// It is served now.
    private void visitedAfter() {
        other.expects(RowDescription.class);
        String time = other.expects(DataRow.class)
                .values()
                .getFirst()
                .map(Bytes::toText)
                .orElseThrow();
        assertThat(Long.parseLong(time)).isGreaterThan(aloneUntil);
        other.expectsCommandComplete("SELECT 1");
        other.expectsReadyForQuery(IDLE);
    }

    private static long time(List<List<String>> rows) {
        return Long.parseLong(rows.getFirst().getFirst());
    }
}
