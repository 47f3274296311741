package org.pgporter.integration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.pgporter.auth.Secret;
import org.pgporter.auth.credential.SaltedPasswords;
import org.pgporter.auth.scram.ScramBinding;
import org.pgporter.auth.scram.ScramClientExchange;
import org.pgporter.auth.scram.ScramClientExchange.NeedsSaltedPassword;
import org.pgporter.auth.scram.ScramClientExchange.SendFinal;
import org.pgporter.config.ServerTlsMode;
import org.pgporter.protocol.message.AuthenticationSasl;
import org.pgporter.protocol.message.AuthenticationSaslContinue;
import org.pgporter.protocol.message.Bytes;
import org.pgporter.protocol.message.ErrorResponse;
import org.pgporter.protocol.message.SaslInitialResponse;
import org.pgporter.protocol.message.SaslResponse;
import org.pgporter.support.PgTools;
import org.pgporter.support.PostgresMajor;
import org.pgporter.support.RawClient;
import org.pgporter.support.TestPki;
import org.pgporter.support.TestPostgres;

/// SCRAM-SHA-256-PLUS on both legs: somebody in the middle with a good certificate of his own gets nowhere.
class ChannelBindingIT {
    private static final String USER = "bound";
    private static final String PASSWORD = "secret";

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private static Path folder;

    @SuppressWarnings("NullAway.Init")
    private static TestPki pki;

    @SuppressWarnings("NullAway.Init")
    private static TestPki.Identity identity;

    @BeforeAll
    static void start() {
        TestPostgres.shared().createUser(USER, PASSWORD, "scram-sha-256");
        pki = TestPki.in(folder.resolve("pki"));
        identity = pki.server("localhost");
    }

    // ---- clients

    @ParameterizedTest
    @ValueSource(strings = {"require", "prefer", "disable"})
    void shouldServeLibpq(String channelBinding) { // checklist 35
        try (TestNode node = node()) {
            PgTools.Result result = psql(node.port(), "require", channelBinding);
            assertThat(result.exitCode()).as(result.stderr()).isZero();
            assertThat(result.stdout()).contains(USER);
        }
    }

    @Test
    void shouldServeLibpqWithACertificateOfRsa() {
        try (TestNode node = node(pki.rsaServer("localhost"))) {
            PgTools.Result result = psql(node.port(), "require", "require");
            assertThat(result.exitCode()).as(result.stderr()).isZero();
        }
    }

    @Test
    void shouldLeaveLibpqAloneWithItsDemandWithoutTls() {
        try (TestNode node = node()) {
            PgTools.Result result = psql(node.port(), "disable", "require");
            assertThat(result.exitCode()).isEqualTo(2);
            assertThat(result.stderr()).contains("channel binding");
        }
    }

    @Test
    void shouldRefuseAClientBehindSomebodyInTheMiddle() {
        try (TestNode node = node();
                TlsRelay relay = TlsRelay.to(node.port(), pki.server("localhost"))) {
            assertThat(psql(relay.port(), "verify-full", "disable").stdout())
                    .as("the man in the middle works")
                    .contains(USER);
            PgTools.Result result = psql(relay.port(), "verify-full", "prefer");
            assertThat(result.exitCode()).isEqualTo(2);
            assertThat(result.stderr()).contains("SCRAM channel binding check failed");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {USER, "nobody_at_all"})
    void shouldRefuseAWrongBindingAndADowngradeOfAnybody(String user) { // checklist 27, 35
        try (TestNode node = node()) {
            ErrorResponse wrong = scram(node, user, new ScramBinding.ServerEndPoint(new byte[32]));
            assertThat(wrong.sqlState().code()).isEqualTo("28000");
            assertThat(wrong.message()).isEqualTo("SCRAM channel binding check failed");
            ErrorResponse downgraded = scram(node, user, new ScramBinding.NotOffered());
            assertThat(downgraded.sqlState().code()).isEqualTo("28000");
            assertThat(downgraded.message()).isEqualTo("SCRAM channel binding negotiation error");
        }
    }

    private static ErrorResponse scram(TestNode node, String user, ScramBinding binding) {
        try (RawClient client = RawClient.connects(node.host(), node.port())) {
            client.encrypts(pki.trusting());
            client.sendsStartup(user, "postgres");
            assertThat(client.expects(AuthenticationSasl.class).mechanisms())
                    .containsExactly("SCRAM-SHA-256-PLUS", "SCRAM-SHA-256");
            ScramClientExchange exchange = new ScramClientExchange(
                    new ScramClientExchange.FromPassword(Secret.of(PASSWORD)), binding, new SecureRandom());
            client.sends(
                    new SaslInitialResponse(binding.mechanism(), Optional.of(Bytes.of(exchange.initialMessage()))));
            if (binding instanceof ScramBinding.NotOffered) {
                return client.expects(ErrorResponse.class);
            }
            NeedsSaltedPassword asked = (NeedsSaltedPassword) exchange.onServerFirst(
                    client.expects(AuthenticationSaslContinue.class).data().toArray());
            SendFinal last = exchange.withSaltedPassword(
                    SaltedPasswords.derive(asked.password(), asked.salt(), asked.iterations()));
            client.sends(new SaslResponse(Bytes.of(last.message())));
            return client.expects(ErrorResponse.class);
        }
    }

    // ---- PostgreSQL

    @ParameterizedTest
    @EnumSource(PostgresMajor.class)
    void shouldBindItselfToPostgres(PostgresMajor major) {
        TestPki.Identity server = pki.server("localhost");
        try (TestPostgres postgres = TestPostgres.of(major)
                        .tls(server)
                        .hba("hostssl all " + USER + " all scram-sha-256")
                        .start();
                TlsRelay relay = TlsRelay.to(postgres.port(), pki.server("localhost"))) {
            postgres.createUser(USER, PASSWORD, "scram-sha-256");
            // The keys of a client are enough, however it came by them.
            for (String channelBinding : List.of("require", "disable")) {
                try (TestNode node = nodeInFrontOf(postgres, postgres.port())) {
                    PgTools.Result result = psql(node.port(), "require", channelBinding);
                    assertThat(result.stdout()).as(result.stderr()).contains(USER);
                }
            }
            try (TestNode node = nodeInFrontOf(postgres, relay.port())) {
                PgTools.Result result = psql(node.port(), "require", "prefer");
                assertThat(result.exitCode()).isEqualTo(2);
                assertThat(result.stderr()).contains("SCRAM channel binding check failed");
            }
        }
    }

    private static TestNode nodeInFrontOf(TestPostgres postgres, int port) {
        return TestNode.inFrontOf("localhost", port)
                .user("postgres", USER, postgres.secretOf(USER))
                .general(general -> general.withServerTls(
                                general.serverTls().withServerTlsMode(ServerTlsMode.VERIFY_FULL, pki.authority()))
                        .withClientTls(general.clientTls().withIdentity(identity.certificate(), identity.key())))
                .start();
    }

    // ---- what they share

    private static TestNode node() {
        return node(identity);
    }

    private static TestNode node(TestPki.Identity shown) {
        TestPostgres postgres = TestPostgres.shared();
        return TestNode.inFrontOf(postgres.host(), postgres.port())
                .user("postgres", USER, postgres.secretOf(USER))
                .general(general ->
                        general.withClientTls(general.clientTls().withIdentity(shown.certificate(), shown.key())))
                .start();
    }

    private static PgTools.Result psql(int port, String sslmode, String channelBinding) {
        Optional<PgTools> psql = PgTools.psql();
        assumeTrue(psql.isPresent(), PgTools.MISSING);
        Map<String, String> variables = new HashMap<>();
        variables.put("PGHOST", "localhost");
        variables.put("PGHOSTADDR", "127.0.0.1");
        variables.put("PGPORT", Integer.toString(port));
        variables.put("PGUSER", USER);
        variables.put("PGPASSWORD", PASSWORD);
        variables.put("PGDATABASE", "postgres");
        variables.put("PGSSLMODE", sslmode);
        variables.put("PGCHANNELBINDING", channelBinding);
        variables.put("PGSSLROOTCERT", pki.authority().toString());
        return psql.get().run(variables, "-Atc", "select current_user");
    }
}
