package org.pgporter.integration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.OutputStream;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.function.UnaryOperator;
import javax.net.ssl.SSLEngine;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.pgporter.config.ClientTlsMode;
import org.pgporter.config.ClientTlsOptions;
import org.pgporter.config.GeneralConfig;
import org.pgporter.config.TlsEngine;
import org.pgporter.config.TlsVersion;
import org.pgporter.node.tls.TlsCounters;
import org.pgporter.protocol.message.ErrorResponse;
import org.pgporter.protocol.message.ProtocolVersion;
import org.pgporter.protocol.message.SslRequest;
import org.pgporter.protocol.message.StartupMessage;
import org.pgporter.support.PgTools;
import org.pgporter.support.RawClient;
import org.pgporter.support.TestPki;
import org.pgporter.support.TestPostgres;

/// TLS towards clients: who gets in how, and what becomes of handshakes that go wrong.
class ClientTlsIT {
    private static final String USER = "client_tls";
    private static final Duration SOON = Duration.ofSeconds(20);

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private static Path folder;

    @SuppressWarnings("NullAway.Init")
    private static TestPki pki;

    @SuppressWarnings("NullAway.Init")
    private static TestPki.Identity identity;

    @BeforeAll
    static void start() {
        TestPostgres.shared().createUser(USER, "secret", "scram-sha-256");
        pki = TestPki.in(folder.resolve("pki"));
        identity = pki.server("localhost", "127.0.0.1");
    }

    // ---- modes

    @ParameterizedTest
    @CsvSource({
        "DISABLE, yes, no, no",
        "ALLOW, yes, yes, yes",
        "PREFER, yes, yes, yes",
        "REQUIRE, no, yes, yes",
        "VERIFY_CA, no, no, yes",
        "VERIFY_FULL, no, no, yes"
    })
    void shouldLetInByMode(ClientTlsMode mode, String plain, String withTls, String withCertificate) {
        UnaryOperator<ClientTlsOptions> options =
                it -> (mode.certificateRequired() ? it.withTlsCaCert(pki.authority()) : it).withTlsMode(mode);
        try (TestNode node = node(options)) {
            assertOutcome(plain, jdbc(node, "disable", Optional.empty()));
            assertOutcome(withTls, jdbc(node, "verify-full", Optional.empty()));
            assertOutcome(withCertificate, jdbc(node, "verify-full", Optional.of(pki.client("somebody"))));
        }
    }

    private static void assertOutcome(String letIn, Optional<SQLException> failure) {
        assertThat(failure.isEmpty()).as("let in, or %s", failure).isEqualTo(letIn.equals("yes"));
    }

    @Test
    void shouldServePsqlInAllItsModes() {
        Optional<PgTools> psql = PgTools.psql();
        assumeTrue(psql.isPresent(), PgTools.MISSING);
        try (TestNode node = node(it -> it)) {
            for (String mode : List.of("disable", "allow", "prefer", "require", "verify-ca", "verify-full")) {
                boolean encrypted = !mode.equals("disable") && !mode.equals("allow");
                PgTools.Result result = psql.get().run(libpq(node, mode), "-Atc", "\\conninfo", "-c", "select 'seen'");
                assertThat(result.exitCode()).as(mode + ": " + result.stderr()).isZero();
                assertThat(result.stdout().contains("TLSv1.3"))
                        .as(mode + ": " + result.stdout())
                        .isEqualTo(encrypted);
                assertThat(result.stdout()).contains("seen");
            }
        }
    }

    /// Another implementation of TLS, which knows PostgreSQL's way to begin.
    @Test
    void shouldShakeHandsWithOpenssl() {
        Optional<PgTools> openssl = PgTools.named("openssl");
        assumeTrue(openssl.isPresent(), "openssl is not on the PATH");
        try (TestNode node = node(it -> it)) {
            for (String version : List.of("-tls1_2", "-tls1_3")) {
                PgTools.Result result = openssl.get()
                        .run(
                                Map.of(),
                                "s_client",
                                "-starttls",
                                "postgres",
                                version,
                                "-connect",
                                node.host() + ":" + node.port(),
                                "-CAfile",
                                pki.authority().toString(),
                                "-verify_return_error");
                assertThat(result.stdout()).as(result.stderr()).contains("Verify return code: 0 (ok)");
            }
            assertThat(counters(node).handshakes()).isEqualTo(2);
        }
    }

    @Test
    void shouldAnswerWhoComesWithoutTlsWhereItIsRequired() {
        try (TestNode node = node(it -> it.withTlsMode(ClientTlsMode.REQUIRE));
                RawClient client = RawClient.connects(node.host(), node.port())) {
            ErrorResponse error = client.logsInExpectingError(USER, "secret", "postgres");
            assertThat(error.sqlState().code()).isEqualTo("28000");
            assertThat(error.message()).isEqualTo("Connection without SSL is not allowed by tls_mode.");
            client.expectsClosed();
        }
    }

    @Test
    void shouldAskNobodyForTlsOnAUnixSocket(@TempDir Path sockets) { // checklist 52
        try (TestNode node = TestNode.inFrontOf(
                                TestPostgres.shared().host(),
                                TestPostgres.shared().port())
                        .user("postgres", USER, TestPostgres.shared().secretOf(USER))
                        .general(general -> general.withClientTls(general.clientTls()
                                .withIdentity(identity.certificate(), identity.key())
                                .withTlsMode(ClientTlsMode.REQUIRE)))
                        .unixSocketIn(sockets)
                        .start();
                RawClient client = RawClient.connects(
                        sockets,
                        Integer.parseInt(String.valueOf(node.node().addresses().getLast())
                                .replaceAll(".*\\.", "")))) {
            assertThat(client.sendsSslRequest()).isEqualTo('N');
            client.logsIn(USER, "secret", "postgres").terminates();
        }
    }

    // ---- client certificates

    @ParameterizedTest
    @EnumSource(
            value = TlsEngine.class,
            names = {"BORINGSSL", "JDK"})
    void shouldVerifyCertificatesOfClients(TlsEngine engine) { // checklist 42
        TestPki.Identity revoked = pki.client("revoked");
        Path list = pki.revoking(revoked);
        try (TestNode node = node(
                it -> it.withTlsCaCert(pki.authority()).withTlsCrlFile(list).withTlsMode(ClientTlsMode.VERIFY_FULL),
                general -> general.withTls(general.tls().withTlsEngine(engine)))) {
            assertThat(jdbc(node, "verify-full", Optional.of(pki.client("good"))))
                    .isEmpty();
            assertThat(jdbc(node, "verify-full", Optional.of(revoked))).isPresent();
            assertThat(jdbc(node, "verify-full", Optional.of(pki.expiredClient("late"))))
                    .isPresent();
            TestPki.Identity stranger = TestPki.in(folder.resolve("stranger")).client("good");
            assertThat(jdbc(node, "verify-full", Optional.of(stranger))).isPresent();
            assertThat(jdbc(node, "verify-full", Optional.empty())).isPresent();
            assertThat(counters(node).handshakes()).isEqualTo(1);
            await().atMost(SOON).until(() -> counters(node).errors() == 4);
        }
    }

    /// Checklist 42: who shows a certificate must show a good one, even if nobody has to.
    @Test
    void shouldVerifyACertificateThatNobodyHadToShow() { // checklist 42
        try (TestNode node = node(it -> it.withTlsMode(ClientTlsMode.ALLOW).withTlsCaCert(pki.authority()))) {
            assertThat(jdbc(node, "verify-full", Optional.empty())).isEmpty();
            assertThat(jdbc(node, "verify-full", Optional.of(pki.client("good"))))
                    .isEmpty();
            TestPki.Identity stranger = TestPki.in(folder.resolve("stranger")).client("good");
            try (RawClient client = RawClient.connects(node.host(), node.port())) {
                // With TLS 1.3 a client hears only later what became of its certificate.
                client.encrypts(pki.trusting(stranger)).sendsStartupIfOpen(USER, "postgres");
                client.expectsClosed();
            }
            assertThat(counters(node).handshakes()).isEqualTo(2);
        }
    }

    // ---- direct TLS

    @ParameterizedTest
    @EnumSource(
            value = TlsEngine.class,
            names = {"BORINGSSL", "JDK"})
    void shouldServeWhoBeginsWithTls(TlsEngine engine) {
        try (TestNode node = node(
                        it -> it.withTlsMode(ClientTlsMode.REQUIRE),
                        general -> general.withTls(general.tls().withTlsEngine(engine)));
                RawClient client = RawClient.connects(node.host(), node.port())) {
            client.encryptsAtOnce(direct("postgresql")).logsIn(USER, "secret", "postgres");
            assertThat(client.query("select 1").getFirst()).containsExactly("1");
            client.terminates();
        }
    }

    @ParameterizedTest
    @CsvSource({"h2", "''"})
    void shouldNotServeWhoMeansAnotherProtocol(String protocol) { // checklist 10
        try (TestNode node = node(it -> it);
                RawClient client = RawClient.connects(node.host(), node.port())) {
            client.encryptsAtOnce(direct(protocol)); // what TLS 1.3 tells the client before we can object
            client.sendsStartupIfOpen(USER, "postgres");
            client.expectsClosed();
            await().atMost(SOON).until(() -> counters(node).errors() == 1);
            assertThat(counters(node).connections()).isZero();
        }
    }

    @Test
    void shouldTakeDirectTlsForNoiseWhereThereIsNoTls() {
        try (TestNode node = node(it -> it.withTlsMode(ClientTlsMode.DISABLE));
                RawClient client = RawClient.connects(node.host(), node.port())) {
            assertThatThrownBy(() -> client.encryptsAtOnce(direct("postgresql")))
                    .isInstanceOf(AssertionError.class);
        }
    }

    // ---- handshakes that go wrong

    @Test
    void shouldRefuseWhatWasStuffedBehindTheRequest() throws IOException { // checklist 7
        try (TestNode node = node(it -> it.withTlsMode(ClientTlsMode.REQUIRE));
                RawClient client = RawClient.connects(node.host(), node.port())) {
            client.sendsPackets(
                    new SslRequest(),
                    new StartupMessage(ProtocolVersion.V3_0, Map.of("user", USER, "database", "postgres")));
            assertThat(client.expects(ErrorResponse.class).message())
                    .isEqualTo("received unencrypted data after SSL request");
            client.expectsClosed();
        }
    }

    @Test
    void shouldRefuseAnSslRequestInsideOfTls() { // checklist 9
        try (TestNode node = node(it -> it);
                RawClient client = RawClient.connects(node.host(), node.port())) {
            client.encrypts(pki.trusting()).sends(new SslRequest());
            assertThat(client.expects(ErrorResponse.class).message())
                    .startsWith("unsupported frontend protocol 1234.5679");
            client.expectsClosed();
        }
    }

    @Test
    void shouldCountTheHandshakeAmongTheTimeOfTheLogin() throws IOException { // checklist 25
        try (TestNode node = node(
                        it -> it,
                        general ->
                                general.withLimits(general.limits().withClientLoginTimeout(Duration.ofMillis(300))));
                Socket silent = new Socket(node.host(), node.port())) {
            OutputStream out = silent.getOutputStream();
            out.write(new byte[] {0, 0, 0, 8, 4, (byte) 0xd2, 0x16, 0x2f});
            assertThat(silent.getInputStream().read()).isEqualTo('S');
            silent.setSoTimeout((int) SOON.toMillis());
            while (silent.getInputStream().read() >= 0) {
                // An alert may say why.
            }
            await().atMost(SOON).until(() -> counters(node).errors() == 1);
        }
    }

    @Test
    void shouldForgetWhoLeavesDuringTheHandshake() throws IOException { // checklist 50
        try (TestNode node = node(it -> it)) {
            for (int reset = 0; reset < 2; reset++) {
                try (RawClient client = RawClient.connects(node.host(), node.port())) {
                    assertThat(client.sendsSslRequest()).isEqualTo('S');
                    client.sendsRaw((byte) 0x16, (byte) 3, (byte) 1, (byte) 2, (byte) 0);
                    if (reset == 1) {
                        client.resets();
                    }
                }
            }
            await().atMost(SOON).until(() -> counters(node).errors() == 2);
            assertThat(jdbc(node, "require", Optional.empty())).isEmpty();
        }
    }

    @Test
    void shouldCloseOnGarbageInPlaceOfAHandshake() throws IOException { // checklist 50
        try (TestNode node = node(it -> it)) {
            for (int length : new int[] {1, 5, 6, 300, 70_000}) {
                try (Socket socket = new Socket(node.host(), node.port())) {
                    socket.setSoTimeout((int) SOON.toMillis());
                    socket.getOutputStream().write(new byte[] {0, 0, 0, 8, 4, (byte) 0xd2, 0x16, 0x2f});
                    assertThat(socket.getInputStream().read()).isEqualTo('S');
                    byte[] garbage = new byte[length];
                    java.util.Arrays.fill(garbage, (byte) 0x42);
                    try {
                        socket.getOutputStream().write(garbage);
                        socket.shutdownOutput();
                        while (socket.getInputStream().read() >= 0) {
                            // An alert may say why.
                        }
                    } catch (IOException _) {
                        // Closed before everything was sent.
                    }
                }
            }
            await().atMost(SOON).until(() -> counters(node).errors() == 5);
        }
    }

    // ---- versions, reload, the end

    @Test
    void shouldRefuseOlderVersions() {
        try (TestNode node = node(
                        it -> it, general -> general.withTls(general.tls().withMinTlsVersion(TlsVersion.TLS_1_3)));
                RawClient client = RawClient.connects(node.host(), node.port())) {
            SSLEngine engine = pki.trusting().createSSLEngine();
            engine.setEnabledProtocols(new String[] {"TLSv1.2"});
            assertThat(client.sendsSslRequest()).isEqualTo('S');
            assertThatThrownBy(() -> client.encryptsAtOnce(engine)).hasMessageContaining("TLS handshake failed");
        }
    }

    @Test
    void shouldChooseSuitesOfTls13ByTheJdk() {
        try (TestNode node = node(
                        it -> it,
                        general -> general.withTls(general.tls().withTls13Ciphers("TLS_CHACHA20_POLY1305_SHA256")));
                RawClient client = RawClient.connects(node.host(), node.port())) {
            SSLEngine engine = pki.trusting().createSSLEngine();
            assertThat(client.sendsSslRequest()).isEqualTo('S');
            client.encryptsAtOnce(engine);
            assertThat(engine.getSession().getCipherSuite()).isEqualTo("TLS_CHACHA20_POLY1305_SHA256");
            client.logsIn(USER, "secret", "postgres").terminates();
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = TlsEngine.class,
            names = {"BORINGSSL", "JDK"})
    void shouldGiveNewConnectionsTheNewCertificateAndLetOldOnesGoOn(TlsEngine engine)
            throws IOException { // checklist 49
        Path certificate = folder.resolve("changing.crt");
        Path key = folder.resolve("changing.key");
        Files.copy(identity.certificate(), certificate, StandardCopyOption.REPLACE_EXISTING);
        Files.copy(identity.key(), key, StandardCopyOption.REPLACE_EXISTING);
        TestPki other = TestPki.in(folder.resolve("other-" + engine));
        try (TestNode node = node(
                        it -> it.withIdentity(certificate, key),
                        general -> general.withTls(general.tls().withTlsEngine(engine)));
                RawClient old = RawClient.connects(node.host(), node.port())) {
            old.encrypts(pki.trusting()).logsIn(USER, "secret", "postgres");
            TestPki.Identity next = other.server("localhost");
            Files.copy(next.certificate(), certificate, StandardCopyOption.REPLACE_EXISTING);
            Files.copy(next.key(), key, StandardCopyOption.REPLACE_EXISTING);
            assertThat(node.node().tls().reload()).isEmpty();
            try (RawClient fresh = RawClient.connects(node.host(), node.port())) {
                fresh.encrypts(other.trusting())
                        .logsIn(USER, "secret", "postgres")
                        .terminates();
            }
            assertThat(old.query("select 1").getFirst()).containsExactly("1");
            old.terminates();
        }
    }

    /// Both ways to say that nothing more will come. The client is taken for gone then, as without TLS.
    @ParameterizedTest
    @CsvSource({"BORINGSSL, false", "BORINGSSL, true", "JDK, false", "JDK, true"})
    void shouldTakeWhoEndsItsHalfForGone(TlsEngine engine, boolean politely) { // checklist 54
        try (TestNode node =
                        node(it -> it, general -> general.withTls(general.tls().withTlsEngine(engine)));
                RawClient client = RawClient.connects(node.host(), node.port())) {
            client.encrypts(pki.trusting()).logsIn(USER, "secret", "postgres");
            if (politely) {
                client.endsTls();
            } else {
                client.closesOutput();
            }
            client.expectsClosed();
            await().atMost(SOON).until(() -> counters(node).connections() == 0);
            assertThat(counters(node).errors()).isZero();
        }
    }

    @Test
    void shouldCountConnections() {
        try (TestNode node = node(it -> it)) {
            try (RawClient client = RawClient.connects(node.host(), node.port())) {
                client.encrypts(pki.trusting()).logsIn(USER, "secret", "postgres");
                assertThat(counters(node).connections()).isEqualTo(1);
                client.terminates();
            }
            await().atMost(SOON).until(() -> counters(node).connections() == 0);
            assertThat(counters(node).handshakes()).isEqualTo(1);
            assertThat(counters(node).handshakeTime()).isPositive();
        }
    }

    // ---- what they share

    private static TlsCounters counters(TestNode node) {
        return node.node().tls().clientCounters();
    }

    private static SSLEngine direct(String protocol) {
        SSLEngine engine = pki.trusting().createSSLEngine();
        if (!protocol.isEmpty()) {
            var parameters = engine.getSSLParameters();
            parameters.setApplicationProtocols(new String[] {protocol});
            engine.setSSLParameters(parameters);
        }
        return engine;
    }

    private static TestNode node(UnaryOperator<ClientTlsOptions> change) {
        return node(change, UnaryOperator.identity());
    }

    private static TestNode node(UnaryOperator<ClientTlsOptions> change, UnaryOperator<GeneralConfig> further) {
        TestPostgres postgres = TestPostgres.shared();
        return TestNode.inFrontOf(postgres.host(), postgres.port())
                .user("postgres", USER, postgres.secretOf(USER))
                .general(general -> further.apply(general.withClientTls(
                        change.apply(general.clientTls().withIdentity(identity.certificate(), identity.key())))))
                .start();
    }

    private static Map<String, String> libpq(TestNode node, String sslmode) {
        Map<String, String> variables = new HashMap<>();
        variables.put("PGHOST", "localhost");
        variables.put("PGHOSTADDR", node.host());
        variables.put("PGPORT", Integer.toString(node.port()));
        variables.put("PGUSER", USER);
        variables.put("PGPASSWORD", "secret");
        variables.put("PGDATABASE", "postgres");
        variables.put("PGSSLMODE", sslmode);
        variables.put("PGSSLROOTCERT", pki.authority().toString());
        return variables;
    }

    /// What became of a login and one query.
    private static Optional<SQLException> jdbc(TestNode node, String sslmode, Optional<TestPki.Identity> shown) {
        Properties properties = new Properties();
        properties.setProperty("user", USER);
        properties.setProperty("password", "secret");
        properties.setProperty("sslmode", sslmode);
        properties.setProperty("sslrootcert", pki.authority().toString());
        properties.setProperty("loginTimeout", "20");
        shown.ifPresent(it -> {
            properties.setProperty("sslcert", it.certificate().toString());
            properties.setProperty("sslkey", der(it).toString());
        });
        String url = "jdbc:postgresql://localhost:" + node.port() + "/postgres";
        try (var connection = DriverManager.getConnection(url, properties);
                var statement = connection.createStatement();
                var rows = statement.executeQuery("select 1")) {
            assertThat(rows.next()).isTrue();
            return Optional.empty();
        } catch (SQLException e) {
            return Optional.of(e);
        }
    }

    /// The driver wants keys without the base64.
    private static Path der(TestPki.Identity shown) {
        try {
            Path key = Files.write(
                    shown.key().resolveSibling(shown.key().getFileName() + ".pk8"),
                    shown.bundle().getKeyPair().getPrivate().getEncoded());
            return Files.setPosixFilePermissions(key, PosixFilePermissions.fromString("rw-------"));
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
