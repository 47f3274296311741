package org.pgporter.integration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.pgporter.protocol.message.TransactionStatus.IDLE;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Properties;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.pgporter.cluster.PoolKey;
import org.pgporter.config.ClientTlsMode;
import org.pgporter.config.IoTransport;
import org.pgporter.config.ServerTlsMode;
import org.pgporter.config.TlsEngine;
import org.pgporter.protocol.message.CopyDone;
import org.pgporter.protocol.message.CopyInResponse;
import org.pgporter.protocol.message.CopyOutResponse;
import org.pgporter.protocol.message.ErrorResponse;
import org.pgporter.protocol.message.RowDescription;
import org.pgporter.support.RawClient;
import org.pgporter.support.TestPki;
import org.pgporter.support.TestPostgres;

/// TLS on both legs at once, between real ends, with each engine and each kind of I/O.
class TlsIT {
    private static final int LARGE = 100_000_000;
    private static final int COPIED_LINES = 100;
    private static final int COPIED_LINE = 60_000;
    private static final String USER = "tls_user";

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private static Path folder;

    @SuppressWarnings("NullAway.Init")
    private static TestPki pki;

    @SuppressWarnings("NullAway.Init")
    private static TestPostgres postgres;

    @BeforeAll
    static void start() {
        pki = TestPki.in(folder.resolve("pki"));
        postgres = TestPostgres.newest()
                .tls(pki.server("localhost", "127.0.0.1"))
                .hba("hostssl all all all scram-sha-256")
                .start();
        postgres.createUser(USER, "secret", "scram-sha-256");
        postgres.createDatabase(USER, USER);
    }

    @AfterAll
    static void stop() {
        postgres.close();
    }

    /// Thousands of records, in both directions of the node.
    private static void passesALargeRow(RawClient client, int size) {
        client.sendsQuery("select repeat('x', " + size + ")");
        client.expects(RowDescription.class);
        client.skips(1 + 4 + 2 + 4 + (long) size);
        client.expectsCommandComplete("SELECT 1");
        client.expectsReadyForQuery(IDLE);
    }

    private static void copiesBothWays(RawClient client) {
        client.query("create temporary table copied (line text)");
        client.sendsQuery("copy copied from stdin");
        client.expects(CopyInResponse.class);
        String line = "y".repeat(COPIED_LINE - 1) + "\n";
        for (int i = 0; i < COPIED_LINES; i++) {
            client.sendsCopyData(line);
        }
        client.sendsCopyDone();
        client.expectsCommandComplete("COPY " + COPIED_LINES);
        client.expectsReadyForQuery(IDLE);
        client.sendsQuery("copy copied to stdout");
        client.expects(CopyOutResponse.class);
        client.skips((long) COPIED_LINES * (1 + 4 + COPIED_LINE));
        client.expects(CopyDone.class);
        client.expectsCommandComplete("COPY " + COPIED_LINES);
        client.expectsReadyForQuery(IDLE);
        client.query("drop table copied");
    }

    /// Over a connection without TLS to the node, as old libpq does, and with TLS to PostgreSQL.
    private static void cancels(TestNode node, RawClient client) {
        PoolKey pool = new PoolKey(USER, USER);
        client.sendsQuery("select pg_sleep(60)");
        await().atMost(Duration.ofSeconds(20))
                .until(() -> !postgres.rows(
                                "select 1 from pg_stat_activity where state = 'active' and usename = ?", USER)
                        .isEmpty());
        long before = node.node().tls().counters(pool).orElseThrow().handshakes();
        client.cancel();
        client.expects(RowDescription.class);
        assertThat(client.expects(ErrorResponse.class).sqlState().code()).isEqualTo("57014");
        client.expectsReadyForQuery(IDLE);
        assertThat(node.node().tls().counters(pool).orElseThrow().handshakes()).isEqualTo(before + 1);
    }

    static Stream<Arguments> enginesAndKinds() {
        return Stream.of(
                Arguments.of(TlsEngine.BORINGSSL, IoTransport.IO_URING, true),
                Arguments.of(TlsEngine.BORINGSSL, IoTransport.EPOLL, false),
                Arguments.of(TlsEngine.JDK, IoTransport.NIO, true),
                Arguments.of(TlsEngine.JDK, IoTransport.EPOLL, false));
    }

    @ParameterizedTest
    @MethodSource("enginesAndKinds")
    void shouldEncryptBothLegs(TlsEngine engine, IoTransport io, boolean rsa) throws SQLException { // checklist 53
        TestPki.Identity identity = rsa ? pki.rsaServer("localhost") : pki.server("localhost");
        try (TestNode node = TestNode.inFrontOf(postgres.host(), postgres.port())
                .user(USER, USER, postgres.secretOf(USER))
                .pools(pools -> pools.withPoolSize(1)) // each handshake is of this connection, or of a cancel request
                .general(general -> general.withEventLoops(general.eventLoops().withIo(io))
                        .withTls(general.tls().withTlsEngine(engine))
                        .withClientTls(general.clientTls()
                                .withIdentity(identity.certificate(), identity.key())
                                .withTlsMode(ClientTlsMode.REQUIRE))
                        .withServerTls(
                                general.serverTls().withServerTlsMode(ServerTlsMode.VERIFY_FULL, pki.authority())))
                .start()) {
            try (RawClient client = RawClient.connects(node.host(), node.port())) {
                client.encrypts(pki.trusting()).logsIn(USER, "secret", USER);
                client.sendsQuery("select ssl from pg_stat_ssl where pid = pg_backend_pid()");
                client.expects(RowDescription.class);
                client.expectsRow("t");
                client.expectsCommandComplete("SELECT 1");
                client.expectsReadyForQuery(IDLE);
                assertThat(node.node().tls().clientCounters().connections()).isEqualTo(1);
                passesALargeRow(client, io == IoTransport.IO_URING ? LARGE : LARGE / 10);
                copiesBothWays(client);
                cancels(node, client);
                client.terminates();
            }
            Properties properties = new Properties();
            properties.setProperty("user", USER);
            properties.setProperty("password", "secret");
            properties.setProperty("sslmode", "verify-full");
            properties.setProperty("sslrootcert", pki.authority().toString());
            properties.setProperty("prepareThreshold", "1");
            String url = "jdbc:postgresql://localhost:" + node.port() + "/" + USER;
            try (Connection connection = DriverManager.getConnection(url, properties);
                    var statement = connection.prepareStatement("select length(?)")) {
                statement.setString(1, "x".repeat(3_000_000));
                for (int i = 0; i < 3; i++) {
                    try (var rows = statement.executeQuery()) {
                        rows.next();
                        assertThat(rows.getInt(1)).isEqualTo(3_000_000);
                    }
                }
            }
            try (RawClient client = RawClient.connects(node.host(), node.port())) {
                assertThat(client.logsInExpectingError(USER, "secret", USER).message())
                        .isEqualTo("Connection without SSL is not allowed by tls_mode.");
            }
            properties.setProperty("sslmode", "disable");
            assertThatThrownBy(() -> DriverManager.getConnection(url, properties))
                    .hasMessageContaining("not allowed by tls_mode");
        }
    }
}
