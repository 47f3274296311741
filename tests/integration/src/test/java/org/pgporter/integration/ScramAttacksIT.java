package org.pgporter.integration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.pgporter.support.BackendMessages.authenticationSasl;

import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.pgporter.protocol.message.AuthenticationSasl;
import org.pgporter.protocol.message.AuthenticationSaslContinue;
import org.pgporter.protocol.message.Bytes;
import org.pgporter.protocol.message.ErrorResponse;
import org.pgporter.protocol.message.SaslInitialResponse;
import org.pgporter.protocol.message.SaslResponse;
import org.pgporter.support.RawClient;
import org.pgporter.support.ScriptedServer;
import org.pgporter.support.TestPostgres;

/// What hostile ends of SCRAM try, on both legs: nothing opens, nothing grows, and the node goes on.
class ScramAttacksIT {
    private static final String USER = "attacked";
    private static final String PASSWORD = "correct horse";

    @SuppressWarnings("NullAway.Init")
    private static TestNode node;

    @BeforeAll
    static void start() {
        TestPostgres postgres = TestPostgres.shared();
        postgres.createUser(USER, PASSWORD, "scram-sha-256");
        node = TestNode.inFrontOf(postgres.host(), postgres.port())
                .user("postgres", USER, postgres.secretOf(USER))
                .start();
    }

    @AfterAll
    static void stop() {
        node.close();
    }

    // ---- clients

    @ParameterizedTest
    @ValueSource(
            strings = {
                "n,,n=,r=",
                "n,,n=,r=a,b",
                "n,,n=,r=\u00e4",
                "x,,n=,r=abc",
                "p=tls-server-end-point,,n=,r=abc",
                "p=tls-unique,,n=,r=abc",
                "n,a=postgres,n=,r=abc",
                "n,,m=x,n=,r=abc",
                "",
                "n",
                "%n%n%n,,"
            })
    void shouldRefuseBrokenFirstMessages(String first) {
        assertThat(initial("SCRAM-SHA-256", first).sqlState().code()).isEqualTo("08P01");
    }

    @ParameterizedTest
    @ValueSource(ints = {1_100, 20_000, 60_000})
    void shouldRefuseHugeNonces(int length) {
        assertThat(initial("SCRAM-SHA-256", "n,,n=,r=" + "x".repeat(length))
                        .sqlState()
                        .code())
                .isEqualTo("08P01");
    }

    @ParameterizedTest
    @ValueSource(strings = {"SCRAM-SHA-256-PLUS", "SCRAM-SHA-1", "PLAIN", "OAUTHBEARER", "EXTERNAL", ""})
    void shouldRefuseMechanismsThatWereNotOffered(String mechanism) {
        assertThat(initial(mechanism, "n,,n=,r=abc").sqlState().code()).isEqualTo("08P01");
    }

    private static ErrorResponse initial(String mechanism, String data) {
        try (RawClient client = RawClient.connects(node.host(), node.port())) {
            client.sendsStartup(USER, "postgres");
            client.expects(AuthenticationSasl.class);
            client.sends(
                    new SaslInitialResponse(mechanism, Optional.of(Bytes.of(data.getBytes(StandardCharsets.UTF_8)))));
            ErrorResponse error = client.expects(ErrorResponse.class);
            client.expectsClosed();
            return error;
        }
    }

    @Test
    void shouldNotTakeAProofOfAnotherConversation() {
        String proof;
        try (RawClient client = RawClient.connects(node.host(), node.port())) {
            client.logsIn(USER, PASSWORD, "postgres");
            proof = client.transcript()
                    .lines()
                    .filter(line -> line.contains("c=biws"))
                    .map(line -> line.replaceFirst(".*(c=biws[^\\s\"\\])}]*).*", "$1"))
                    .findFirst()
                    .orElse("c=biws,r=abcdefghijklmnop,p=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
            client.terminates();
        }
        try (RawClient client = RawClient.connects(node.host(), node.port())) {
            client.sendsStartup(USER, "postgres");
            client.expects(AuthenticationSasl.class);
            client.sends(
                    new SaslInitialResponse("SCRAM-SHA-256", Optional.of(Bytes.ofText("n,,n=,r=abcdefghijklmnop"))));
            client.expects(AuthenticationSaslContinue.class);
            client.sends(new SaslResponse(Bytes.ofText(proof)));
            assertThat(client.expects(ErrorResponse.class).sqlState().code()).isEqualTo("08P01");
        }
    }

    // ---- servers (checklist 32)

    @ParameterizedTest
    @CsvSource({
        "24, c2FsdHNhbHRzYWx0c2FsdA==, 0",
        "24, c2FsdHNhbHRzYWx0c2FsdA==, 2000001",
        "24, c2FsdHNhbHRzYWx0c2FsdA==, 2147483648",
        "24, c2FsdHNhbHRzYWx0c2FsdA==, -1",
        "24, c2FsdHNhbHRzYWx0c2FsdA==, 99999999999999999999",
        "24, c2FsdHNhbHRzYWx0c2FsdA==, 4096x",
        "24, '', 4096",
        "24, not*base64, 4096",
        "0, c2FsdHNhbHRzYWx0c2FsdA==, 4096",
        "3000, c2FsdHNhbHRzYWx0c2FsdA==, 4096",
        "60000, c2FsdHNhbHRzYWx0c2FsdA==, 4096"
    })
    void shouldNotDeriveWhatAServerShouldNotAskFor(int nonceLength, String salt, String iterations) {
        try (ScriptedServer server = ScriptedServer.start().serve(backend -> {
                    backend.expectsStartup();
                    backend.sends(authenticationSasl("SCRAM-SHA-256"));
                    String first = backend.expects(SaslInitialResponse.class)
                            .response()
                            .orElseThrow()
                            .toText();
                    String nonce = first.substring(first.indexOf("r=") + 2);
                    backend.sends(new AuthenticationSaslContinue(
                            Bytes.ofText("r=" + nonce + "x".repeat(nonceLength) + ",s=" + salt + ",i=" + iterations)));
                    backend.expectsClosed();
                });
                TestNode inFront = TestNode.inFrontOf(server.host(), server.port())
                        .user("shop", "app", PASSWORD)
                        .start();
                RawClient client = RawClient.connects(inFront.host(), inFront.port())) {
            ErrorResponse error = client.logsInExpectingError("app", PASSWORD, "shop");
            assertThat(error.sqlState().code()).isEqualTo("08006");
            assertThat(inFront.node().cpuWork().waiting()).isZero();
        }
    }
}
