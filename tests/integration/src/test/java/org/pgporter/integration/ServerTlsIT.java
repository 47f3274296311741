package org.pgporter.integration;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.pgporter.cluster.PoolKey;
import org.pgporter.config.ServerTlsMode;
import org.pgporter.config.ServerTlsNegotiation;
import org.pgporter.config.ServerTlsOptions;
import org.pgporter.config.ServerTlsOverrides;
import org.pgporter.config.TlsEngine;
import org.pgporter.node.tls.TlsCounters;
import org.pgporter.protocol.message.ErrorResponse;
import org.pgporter.protocol.message.SslRequest;
import org.pgporter.support.RawClient;
import org.pgporter.support.ScriptedServer;
import org.pgporter.support.TestPki;
import org.pgporter.support.TestPostgres;

/// TLS towards PostgreSQL: what each mode does with servers that want it, have it, lack it, or lie.
class ServerTlsIT {
    private static final String ANY = "tls_any";
    private static final String SSL_ONLY = "tls_only";
    private static final String PLAIN_ONLY = "tls_never";
    private static final String WITH_CERTIFICATE = "tls_certificate";
    private static final String ENCRYPTED = "select ssl from pg_stat_ssl where pid = pg_backend_pid()";
    private static final Duration SOON = Duration.ofSeconds(20);

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private static Path folder;

    @SuppressWarnings("NullAway.Init")
    private static TestPki pki;

    @SuppressWarnings("NullAway.Init")
    private static TestPki.Identity identity;

    @SuppressWarnings("NullAway.Init")
    private static TestPostgres postgres;

    @BeforeAll
    static void start() {
        pki = TestPki.in(folder.resolve("pki"));
        identity = pki.server("localhost");
        postgres = TestPostgres.newest()
                .tls(identity)
                .hba(
                        "hostssl all " + SSL_ONLY + " all scram-sha-256",
                        "hostnossl all " + PLAIN_ONLY + " all scram-sha-256",
                        "hostssl all " + WITH_CERTIFICATE + " all scram-sha-256 clientcert=verify-ca",
                        "host all " + ANY + " all scram-sha-256")
                .start();
        for (String user : new String[] {ANY, SSL_ONLY, PLAIN_ONLY, WITH_CERTIFICATE}) {
            postgres.createUser(user, "secret", "scram-sha-256");
        }
    }

    @AfterAll
    static void stop() {
        postgres.close();
    }

    // ---- modes

    @ParameterizedTest
    @CsvSource({
        "DISABLE, tls_any, f",
        "DISABLE, tls_only, no pg_hba.conf entry",
        "ALLOW, tls_any, f",
        "ALLOW, tls_only, t",
        "ALLOW, tls_never, f",
        "PREFER, tls_any, t",
        "PREFER, tls_only, t",
        "REQUIRE, tls_any, t",
        "REQUIRE, tls_never, no pg_hba.conf entry",
        "VERIFY_CA, tls_any, t",
        "VERIFY_FULL, tls_any, t"
    })
    void shouldConnectByMode(ServerTlsMode mode, String user, String expected) { // checklist 56
        try (TestNode node = node(
                "localhost",
                user,
                it -> mode.verifies() ? it.withServerTlsMode(mode, pki.authority()) : it.withServerTlsMode(mode))) {
            assertThat(outcome(node, user)).contains(expected);
        }
    }

    @ParameterizedTest
    @CsvSource({"ALLOW, f", "PREFER, f", "REQUIRE, server does not support SSL"})
    void shouldMeetAServerWithoutTls(ServerTlsMode mode, String expected) {
        TestPostgres plain = TestPostgres.shared();
        String user = "tls_missing_" + mode.name().toLowerCase(java.util.Locale.ROOT);
        plain.createUser(user, "secret", "scram-sha-256");
        try (TestNode node = TestNode.inFrontOf(plain.host(), plain.port())
                .user("postgres", user, plain.secretOf(user))
                .general(general -> general.withServerTls(general.serverTls().withServerTlsMode(mode)))
                .start()) {
            assertThat(outcome(node, user)).contains(expected);
        }
    }

    @Test
    void shouldRememberThatAServerWantsTls() { // checklist 56
        try (TestNode node = node("localhost", SSL_ONLY, it -> it);
                RawClient one = connected(node, SSL_ONLY);
                RawClient two = connected(node, SSL_ONLY)) {
            one.query("begin");
            int before = refusals();
            two.query("begin"); // needs a second connection
            assertThat(two.query(ENCRYPTED).getFirst()).containsExactly("t");
            assertThat(refusals()).isEqualTo(before);
            one.query("rollback");
            two.query("rollback");
            one.terminates();
            two.terminates();
        }
    }

    @Test
    void shouldLetADatabaseHaveAModeOfItsOwn() {
        try (TestNode node = TestNode.inFrontOf("localhost", postgres.port())
                .user("one", ANY, postgres.secretOf(ANY))
                .user("two", ANY, postgres.secretOf(ANY))
                .eachPool(pool -> pool.withServerDatabase("postgres"))
                .pool(
                        "two",
                        pool -> pool.withServerDatabase("postgres")
                                .withServerTls(ServerTlsOverrides.none().withServerTlsMode(ServerTlsMode.REQUIRE)))
                .start()) {
            assertThat(outcome(node, ANY, "one")).isEqualTo("f");
            assertThat(outcome(node, ANY, "two")).isEqualTo("t");
            assertThat(node.node()
                            .tls()
                            .counters(new PoolKey("two", ANY))
                            .orElseThrow()
                            .connections())
                    .isEqualTo(1);
            assertThat(node.node()
                            .tls()
                            .counters(new PoolKey("one", ANY))
                            .orElseThrow()
                            .handshakes())
                    .isZero();
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = TlsEngine.class,
            names = {"BORINGSSL", "JDK"})
    void shouldBeginWithTlsAtOnce(TlsEngine engine) {
        try (TestNode node = TestNode.inFrontOf("localhost", postgres.port())
                .user("postgres", ANY, postgres.secretOf(ANY))
                .general(general -> general.withTls(general.tls().withTlsEngine(engine))
                        .withServerTls(general.serverTls()
                                .withServerTlsMode(ServerTlsMode.VERIFY_FULL, pki.authority())
                                .withServerTlsNegotiation(ServerTlsNegotiation.DIRECT)))
                .start()) {
            assertThat(outcome(node, ANY)).isEqualTo("t");
        }
    }

    // ---- certificates

    @ParameterizedTest
    @EnumSource(
            value = TlsEngine.class,
            names = {"BORINGSSL", "JDK"})
    void shouldVerifyTheServer(TlsEngine engine) { // checklist 51
        Path stranger = TestPki.in(folder.resolve("stranger")).authority();
        assertThat(verified(engine, "localhost", ServerTlsMode.VERIFY_FULL, pki.authority()))
                .isEqualTo("t");
        assertThat(verified(engine, "127.0.0.1", ServerTlsMode.VERIFY_CA, pki.authority()))
                .isEqualTo("t");
        assertThat(verified(engine, "127.0.0.1", ServerTlsMode.VERIFY_FULL, pki.authority()))
                .contains("SSL error", "127.0.0.1");
        assertThat(verified(engine, "localhost", ServerTlsMode.VERIFY_CA, stranger))
                .contains("SSL error");
        assertThat(verified(engine, "localhost", ServerTlsMode.REQUIRE, stranger))
                .isEqualTo("t");
    }

    private static String verified(TlsEngine engine, String host, ServerTlsMode mode, Path authority) {
        try (TestNode node = TestNode.inFrontOf(host, postgres.port())
                .user("postgres", ANY, postgres.secretOf(ANY))
                .general(general -> general.withTls(general.tls().withTlsEngine(engine))
                        .withServerTls(general.serverTls().withServerTlsMode(mode, authority)))
                .start()) {
            String outcome = outcome(node, ANY);
            TlsCounters counters =
                    node.node().tls().counters(new PoolKey("postgres", ANY)).orElseThrow();
            assertThat(counters.errors()).isEqualTo(outcome.equals("t") ? 0 : 1);
            return outcome;
        }
    }

    @Test
    void shouldNotTrustARevokedServer() {
        Path list = pki.revoking(identity);
        Path harmless = pki.revoking(pki.server("other"));
        assertThat(withList(list)).contains("SSL error", "revoked");
        assertThat(withList(harmless)).isEqualTo("t");
    }

    private static String withList(Path list) {
        try (TestNode node = node(
                "localhost",
                ANY,
                it -> it.withServerTlsMode(ServerTlsMode.VERIFY_CA, pki.authority())
                        .withServerTlsCrlFile(list))) {
            return outcome(node, ANY);
        }
    }

    @Test
    void shouldShowACertificateToWhoAsksForOne() {
        TestPki.Identity us = pki.client(WITH_CERTIFICATE);
        try (TestNode node = node(
                "localhost",
                WITH_CERTIFICATE,
                it -> it.withServerTlsMode(ServerTlsMode.REQUIRE).withIdentity(us.certificate(), us.key()))) {
            assertThat(outcome(node, WITH_CERTIFICATE)).isEqualTo("t");
        }
        try (TestNode node = node("localhost", WITH_CERTIFICATE, it -> it.withServerTlsMode(ServerTlsMode.REQUIRE))) {
            assertThat(outcome(node, WITH_CERTIFICATE)).contains("valid client certificate");
        }
    }

    @Test
    void shouldReadCertificatesAgain() throws IOException { // checklist 49
        Path authority = folder.resolve("changing.pem");
        Files.copy(pki.authority(), authority, StandardCopyOption.REPLACE_EXISTING);
        try (TestNode node = TestNode.inFrontOf("localhost", postgres.port())
                        .user("postgres", ANY, postgres.secretOf(ANY))
                        .pools(pools -> pools.withQueryWaitTimeout(Duration.ofMillis(500)))
                        .general(general -> general.withServerTls(
                                general.serverTls().withServerTlsMode(ServerTlsMode.VERIFY_FULL, authority)))
                        .start();
                RawClient old = connected(node, ANY)) {
            old.query("begin");
            Files.copy(
                    TestPki.in(folder.resolve("elsewhere")).authority(),
                    authority,
                    StandardCopyOption.REPLACE_EXISTING);
            assertThat(node.node().tls().reload()).isEmpty();
            try (RawClient late = connected(node, ANY)) {
                assertThat(late.queryExpectingError("select 1").message()).contains("SSL error");
                late.terminates();
            }
            assertThat(old.query("select 1").getFirst()).containsExactly("1");
            old.query("commit");
            old.terminates();
        }
    }

    // ---- cancel

    @Test
    void shouldCancelWithTlsWhereTheConnectionHasIt() { // checklist 57
        try (TestNode node = node(
                        "localhost", SSL_ONLY, it -> it.withServerTlsMode(ServerTlsMode.VERIFY_FULL, pki.authority()));
                RawClient client = connected(node, SSL_ONLY)) {
            TlsCounters counters = node.node()
                    .tls()
                    .counters(new PoolKey("postgres", SSL_ONLY))
                    .orElseThrow();
            assertThat(counters.handshakes()).isEqualTo(1);
            client.sendsQuery("select pg_sleep(60)");
            await().atMost(SOON)
                    .until(() -> postgres.rows("select 1 from pg_stat_activity where query like '%pg_sleep(60)%'"
                                            + " and state = 'active' and usename = '" + SSL_ONLY + "'")
                                    .size()
                            == 1);
            client.cancel();
            client.expects(org.pgporter.protocol.message.RowDescription.class);
            assertThat(client.expects(ErrorResponse.class).sqlState().code()).isEqualTo("57014");
            client.expectsReadyForQuery(org.pgporter.protocol.message.TransactionStatus.IDLE);
            assertThat(counters.handshakes()).isEqualTo(2);
            await().atMost(SOON).until(() -> counters.connections() == 1);
            client.terminates();
        }
    }

    // ---- servers that lie

    @ParameterizedTest
    @CsvSource({
        "SX, received unencrypted data after SSL response",
        "NX, received unencrypted data after SSL response",
        "E, answered the request for SSL with an error",
        "H, received invalid response to SSL negotiation",
        "N, server does not support SSL"
    })
    void shouldNotGoOnAfterAnAnswerThatIsNone(String answer, String expected) { // checklist 7
        try (ScriptedServer server = ScriptedServer.start().serve(conversation -> {
                    conversation.expectsStartupPacket(SslRequest.class);
                    conversation.sendsRaw(answer.getBytes(US_ASCII));
                    conversation.expectsClosed();
                });
                TestNode node = scripted(server, Duration.ofSeconds(10))) {
            assertThat(outcome(node, ANY)).contains(expected);
        }
    }

    @Test
    void shouldGiveUpOnGarbageInPlaceOfAHandshake() {
        try (ScriptedServer server = ScriptedServer.start().serve(conversation -> {
                    conversation.expectsStartupPacket(SslRequest.class);
                    conversation.sendsRaw((byte) 'S');
                    conversation.skips(5);
                    conversation.sendsRaw("HTTP/1.1 400 Bad Request".getBytes(US_ASCII));
                });
                TestNode node = scripted(server, Duration.ofSeconds(10))) {
            assertThat(outcome(node, ANY)).contains("SSL error");
        }
    }

    @ParameterizedTest
    @CsvSource({"false", "true"})
    void shouldGiveUpOnAServerThatSaysNothing(boolean afterItsAnswer) { // checklist 50
        try (ScriptedServer server = ScriptedServer.start().serve(conversation -> {
                    conversation.expectsStartupPacket(SslRequest.class);
                    if (afterItsAnswer) {
                        conversation.sendsRaw((byte) 'S');
                    }
                    conversation.readsToEnd();
                });
                TestNode node = scripted(server, Duration.ofMillis(300))) {
            assertThat(outcome(node, ANY)).containsAnyOf("timed out", "SSL error");
        }
    }

    private static TestNode scripted(ScriptedServer server, Duration connectTimeout) {
        return TestNode.inFrontOf(server.host(), server.port())
                .user("postgres", ANY, "secret")
                .pools(pools -> pools.withConnectTimeout(connectTimeout))
                .general(general -> general.withServerTls(general.serverTls().withServerTlsMode(ServerTlsMode.REQUIRE)))
                .start();
    }

    // ---- what they share

    private static TestNode node(String host, String user, UnaryOperator<ServerTlsOptions> change) {
        return TestNode.inFrontOf(host, postgres.port())
                .user("postgres", user, postgres.secretOf(user))
                .general(general -> general.withServerTls(change.apply(general.serverTls())))
                .start();
    }

    private static RawClient connected(TestNode node, String user) {
        return RawClient.connects(node.host(), node.port()).logsIn(user, "secret", "postgres");
    }

    private static String outcome(TestNode node, String user) {
        return outcome(node, user, "postgres");
    }

    /// Whether the backend connection has TLS (`t`, `f`), or why there is none.
    private static String outcome(TestNode node, String user, String database) {
        try (RawClient client = RawClient.connects(node.host(), node.port())) {
            Optional<ErrorResponse> error = client.triesToLogIn(user, "secret", database);
            if (error.isPresent()) {
                return error.get().message();
            }
            String encrypted = client.query(ENCRYPTED).getFirst().getFirst();
            client.terminates();
            return encrypted;
        }
    }

    private static int refusals() {
        return postgres.log().split("no pg_hba.conf entry", -1).length;
    }
}
