package org.pgporter.integration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.pgporter.auth.credential.StoredCredential;
import org.pgporter.protocol.message.BindComplete;
import org.pgporter.protocol.message.EmptyQueryResponse;
import org.pgporter.protocol.message.ErrorResponse;
import org.pgporter.protocol.message.ParseComplete;
import org.pgporter.protocol.message.RowDescription;
import org.pgporter.protocol.message.Target;
import org.pgporter.protocol.message.TransactionStatus;
import org.pgporter.support.PgTools;
import org.pgporter.support.RawClient;
import org.pgporter.support.TestPostgres;

/// Who may talk to a node, in which words, and that what it shows is so.
class ConsoleIT {
    private static final String USER = "console_user";
    private static final String OTHER = "console_other";
    private static final String PASSWORD = "wonderland";
    private static final String OPERATOR = "operator";

    private static TestNode node;
    private static TestPostgres postgres;

    @BeforeAll
    static void start() {
        postgres = TestPostgres.shared();
        postgres.createUser(USER, PASSWORD, "scram-sha-256");
        postgres.createUser(OTHER, PASSWORD, "scram-sha-256");
        node = TestNode.inFrontOf(postgres.host(), postgres.port())
                .user("postgres", USER, PASSWORD)
                .user("postgres", OTHER, PASSWORD)
                .user("second", USER, PASSWORD)
                .pool("second", pool -> pool.withServerDatabase("postgres"))
                .pools(pools -> pools.withPoolSize(3))
                .general(general -> general.withConsole(general.console()
                        .withStatsUsers(List.of(USER))
                        .withAdmin(OPERATOR, StoredCredential.parse("opens"))))
                .start();
    }

    @AfterAll
    static void stop() {
        node.close();
    }

    static RawClient console() {
        return RawClient.connects(node.host(), node.port()).logsIn(OPERATOR, "opens", "pgbouncer");
    }

    // ---- who

    @ParameterizedTest
    @ValueSource(strings = {"pgporter", "pgbouncer", "pgdoorman"})
    void shouldBeThereUnderThreeNames(String database) {
        try (RawClient operator = RawClient.connects(node.host(), node.port()).logsIn(OPERATOR, "opens", database);
                RawClient stats = RawClient.connects(node.host(), node.port()).logsIn(USER, PASSWORD, database)) {
            assertThat(operator.parameterStatus().get("server_version")).endsWith("/bouncer");
            assertThat(operator.query("SHOW VERSION"))
                    .singleElement()
                    .asString()
                    .startsWith("[PgPorter ");
            assertThat(stats.query("SHOW VERSION")).hasSize(1);
        }
    }

    @Test
    void shouldAskForTheRightPassword() {
        try (RawClient client = RawClient.connects(node.host(), node.port())) {
            ErrorResponse error = client.logsInExpectingError(OPERATOR, "wrong", "pgporter");
            assertThat(error.sqlState().code()).isEqualTo("28P01");
        }
    }

    @Test
    void shouldLetInNobodyElse() {
        try (RawClient client = RawClient.connects(node.host(), node.port())) {
            ErrorResponse error = client.logsInExpectingError(OTHER, PASSWORD, "pgporter");
            assertThat(error.sqlState().code()).isEqualTo("42501");
            assertThat(error.message()).startsWith("not allowed");
            client.expectsClosed();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"PAUSE", "RESUME", "KILL", "KILL_CLIENT 1", "RELOAD", "SHUTDOWN", "SET log_level = 'info'"})
    void shouldLetStatsUsersOnlyLook(String command) {
        try (RawClient stats = RawClient.connects(node.host(), node.port()).logsIn(USER, PASSWORD, "pgporter")) {
            ErrorResponse error = stats.queryExpectingError(command);
            assertThat(error.message()).isEqualTo("admin access needed");
            assertThat(error.sqlState().code()).isEqualTo("42501");
            assertThat(stats.query("SHOW STATE")).hasSize(3);
        }
    }

    @Test
    void shouldKeepPlacesForAdminsWhenTheNodeIsFull() {
        try (TestNode full = TestNode.inFrontOf(postgres.host(), postgres.port())
                        .user("postgres", USER, PASSWORD)
                        .general(general -> general.withLimits(general.limits().withMaxConnections(2))
                                .withConsole(general.console()
                                        .withStatsUsers(List.of(USER))
                                        .withAdmin(OPERATOR, StoredCredential.parse("opens"))
                                        .withAdminReservedConnections(1)))
                        .start();
                RawClient _ = RawClient.connects(full.host(), full.port()).logsIn(USER, PASSWORD, "postgres");
                RawClient _ = RawClient.connects(full.host(), full.port()).logsIn(USER, PASSWORD, "postgres")) {
            assertThat(refusal(full, USER, PASSWORD, "pgporter")).isEqualTo("53300");
            assertThat(refusal(full, OPERATOR, "wrong", "pgporter")).isEqualTo("28P01");
            assertThat(refusal(full, OPERATOR, "opens", "postgres")).isEqualTo("53300");
            try (RawClient stranger = RawClient.connects(full.host(), full.port())) {
                stranger.sendsStartup(OPERATOR, "pgporter");
                stranger.expects(org.pgporter.protocol.message.AuthenticationSasl.class);
                // Who has not proved anything holds no place.
                try (RawClient operator =
                        RawClient.connects(full.host(), full.port()).logsIn(OPERATOR, "opens", "pgporter")) {
                    assertThat(operator.query("SHOW VERSION")).hasSize(1);
                    assertThat(refusal(full, OPERATOR, "opens", "pgporter")).isEqualTo("53300");
                }
            }
            await().until(() -> {
                try (RawClient next = RawClient.connects(full.host(), full.port())) {
                    return next.triesToLogIn(OPERATOR, "opens", "pgporter").isEmpty();
                }
            });
        }
    }

    private static String refusal(TestNode at, String user, String password, String database) {
        try (RawClient client = RawClient.connects(at.host(), at.port())) {
            return client.logsInExpectingError(user, password, database)
                    .sqlState()
                    .code();
        }
    }

    // ---- in which words

    @Test
    void shouldAnswerSeveralStatementsAndStopAtAMistake() {
        try (RawClient console = console()) {
            console.sendsQuery("SHOW VERSION; SHOW NOTHING; SHOW STATE");
            console.expects(RowDescription.class);
            console.expects(org.pgporter.protocol.message.DataRow.class);
            console.expectsCommandComplete("SHOW");
            assertThat(console.expectsError("42601").message())
                    .isEqualTo("invalid command 'SHOW NOTHING', use SHOW HELP;");
            console.expectsReadyForQuery(TransactionStatus.IDLE);
            console.sendsQuery(";").expects(EmptyQueryResponse.class);
            console.expectsReadyForQuery(TransactionStatus.IDLE);
            console.sendsQuery("BEGIN; SET DateStyle = 'ISO'");
            console.expectsCommandComplete("BEGIN");
            console.expectsCommandComplete("SET");
            console.expectsReadyForQuery(TransactionStatus.IN_TRANSACTION);
            console.sendsQuery("ROLLBACK").expectsCommandComplete("ROLLBACK");
            console.expectsReadyForQuery(TransactionStatus.IDLE);
        }
    }

    @Test
    void shouldSpeakTheExtendedProtocol() {
        try (RawClient console = console()) {
            console.sendsParse("s", "SHOW LISTS").sendsDescribe(Target.STATEMENT, "s");
            console.sendsBind("", "s").sendsExecute("", 2).sendsExecute("").sendsSync();
            console.expects(ParseComplete.class);
            assertThat(console.expectsParameterDescription()).isEmpty();
            assertThat(console.expects(RowDescription.class).columns())
                    .extracting(RowDescription.Column::typeOid)
                    .containsExactly(25, 23);
            console.expects(BindComplete.class);
            console.expectsRow("databases", "2");
            console.expects(org.pgporter.protocol.message.DataRow.class);
            console.expects(org.pgporter.protocol.message.PortalSuspended.class);
            for (int i = 2; i < 14; i++) {
                console.expects(org.pgporter.protocol.message.DataRow.class);
            }
            console.expectsCommandComplete("SHOW");
            console.expectsReadyForQuery(TransactionStatus.IDLE);

            // A mistake skips what follows, up to the Sync.
            console.sendsParse("", "SHOW NOTHING")
                    .sendsBind("", "")
                    .sendsExecute("")
                    .sendsSync();
            console.expectsError("42601");
            console.expectsReadyForQuery(TransactionStatus.IDLE);
            console.sendsBind("", "s", "a parameter").sendsSync();
            console.expectsError("08P01");
            console.expectsReadyForQuery(TransactionStatus.IDLE);
            console.sendsParse("", "SHOW STATE; SHOW LISTS").sendsSync();
            console.expectsError("42601");
            console.expectsReadyForQuery(TransactionStatus.IDLE);
            console.sendsExecute("gone").sendsSync();
            console.expectsError("34000");
            console.expectsReadyForQuery(TransactionStatus.IDLE);
            assertThat(console.query("SHOW STATE")).hasSize(3);
        }
    }

    @Test
    void shouldAnswerEveryShow() {
        try (ConsoleClient console = ConsoleClient.at(node, OPERATOR, "opens")) {
            for (String what : List.of(
                    "ACTIVE_SOCKETS",
                    "AUTH_QUERY",
                    "CERTIFICATES",
                    "CLIENTS",
                    "CONFIG",
                    "DATABASES",
                    "DNS_HOSTS",
                    "DNS_ZONES",
                    "HBA",
                    "LISTS",
                    "LOG_LEVEL",
                    "MEM",
                    "PEERS",
                    "PEER_POOLS",
                    "PINS",
                    "POOLS",
                    "POOLS_EXTENDED",
                    "POOL_COORDINATOR",
                    "PREPARED_STATEMENTS",
                    "SERVERS",
                    "SOCKETS",
                    "STARTUP_PARAMETERS",
                    "STATE",
                    "STATS",
                    "STATS_AVERAGES",
                    "STATS_TOTALS",
                    "TOTALS",
                    "USERS",
                    "VERSION")) {
                for (ConsoleClient.Row row : console.show(what)) {
                    assertThat(row.values().values())
                            .as(what)
                            .noneMatch(value -> value.matches("-\\d+"))
                            .noneMatch(value -> value.contains(PASSWORD) || value.contains("opens"));
                }
            }
            console.wire().sendsQuery("SHOW HELP").expectsCommandComplete("SHOW");
        }
    }

    @Test
    void shouldTalkToPsql() {
        assumeTrue(PgTools.psql().isPresent(), PgTools.MISSING);
        Map<String, String> environment = Map.of(
                "PGHOST",
                node.host(),
                "PGPORT",
                String.valueOf(node.port()),
                "PGUSER",
                OPERATOR,
                "PGPASSWORD",
                "opens",
                "PGDATABASE",
                "pgbouncer");
        PgTools psql = PgTools.psql().orElseThrow();

        PgTools.Result lists = psql.run(environment, "-X", "-A", "-t", "-c", "SHOW LISTS");
        PgTools.Result several =
                psql.run(environment, "show nothing;\nshow version;\n", Duration.ofSeconds(30), "-X", "-A", "-t");
        PgTools.Result help = psql.run(environment, "-X", "-c", "SHOW HELP");

        assertThat(lists.stdout().lines()).hasSize(14).startsWith("databases|2");
        assertThat(several.stderr()).contains("invalid command 'show nothing', use SHOW HELP;");
        assertThat(several.stdout()).startsWith("PgPorter ");
        assertThat(help.stderr()).contains("Console usage").contains("KILL_CLIENT <client_id>");
    }

    @Test
    void shouldTalkToPgjdbcWithItsDefaults() throws SQLException {
        String url = "jdbc:postgresql://" + node.host() + ":" + node.port() + "/pgbouncer";
        try (Connection connection = DriverManager.getConnection(url, OPERATOR, "opens");
                PreparedStatement lists = connection.prepareStatement("SHOW LISTS")) {
            assertThat(connection.isValid(5)).isTrue();
            // More than five times: then the driver prepares by name and asks for binary values.
            for (int i = 0; i < 8; i++) {
                try (ResultSet rows = lists.executeQuery()) {
                    assertThat(rows.next()).isTrue();
                    assertThat(rows.getString("list")).isEqualTo("databases");
                    assertThat(rows.getInt("items")).isEqualTo(2);
                }
            }
            connection.setAutoCommit(false);
            try (Statement statement = connection.createStatement();
                    ResultSet rows = statement.executeQuery("SHOW TOTALS")) {
                assertThat(rows.next()).isTrue();
                assertThat(rows.getBigDecimal("value")).isNotNegative();
            }
            connection.commit();
        }
    }

    // ---- and that it is so

    @Test
    void shouldShowClientsServersAndPoolsAsTheyAre() {
        try (ConsoleClient console = ConsoleClient.at(node, OPERATOR, "opens");
                RawClient idle = RawClient.connects(node.host(), node.port())
                        .logsIn(USER, PASSWORD, "second", "application_name", "idler");
                RawClient busy = RawClient.connects(node.host(), node.port())
                        .logsIn(USER, PASSWORD, "second", "application_name", "worker")) {
            idle.query("select 1");
            String pid = busy.query("begin; select pg_backend_pid()").getFirst().getFirst();

            ConsoleClient.Row worker = console.client("worker");
            assertThat(worker.values())
                    .containsEntry("state", "active")
                    .containsEntry("user", USER)
                    .containsEntry("database", "second")
                    .containsEntry("type", "C")
                    .containsEntry("addr", "127.0.0.1")
                    .containsEntry("local_port", String.valueOf(node.port()));
            assertThat(console.client("idler").values())
                    .containsEntry("state", "idle")
                    .containsEntry("link", "");
            assertThat(console.find("SERVERS", row -> row.has("remote_pid", pid))
                            .values())
                    .containsEntry("state", "active")
                    .containsEntry("ptr", worker.get("link"))
                    .containsEntry("link", worker.get("ptr"));
            assertThat(console.pool("second").values())
                    .containsEntry("cl_active", "2")
                    .containsEntry("cl_waiting", "0")
                    .containsEntry("sv_active", "1")
                    .containsEntry("maxwait", "0")
                    .containsEntry("pool_mode", "transaction");
            assertThat(console.find("DATABASES", row -> row.has("name", "second"))
                            .values())
                    .containsEntry("database", "postgres")
                    .containsEntry("pool_size", "3")
                    .containsEntry("current_client_connections", "2")
                    .containsEntry("paused", "0");

            console.says("KILL_CLIENT " + worker.get("id"));

            assertThat(busy.expectsError("57P01").message()).contains("admin forced disconnect");
            busy.expectsClosed();
            await().atMost(Duration.ofSeconds(5))
                    .until(() ->
                            console.show("CLIENTS").stream().noneMatch(row -> row.has("application_name", "worker")));
            assertThat(console.refuses("KILL_CLIENT " + worker.get("id")).message())
                    .isEqualTo("no such client: " + worker.get("id"));
            assertThat(idle.query("select 'alive'")).isEqualTo(List.of(List.of("alive")));
        }
    }
}
