package org.pgporter.auth.scram;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.pgporter.auth.Answers.authenticated;
import static org.pgporter.auth.Answers.bytes;
import static org.pgporter.auth.Answers.malformed;
import static org.pgporter.auth.Answers.password;
import static org.pgporter.auth.Answers.rejected;
import static org.pgporter.auth.Answers.sasl;
import static org.pgporter.auth.Answers.saslContinue;
import static org.pgporter.auth.Answers.saslInitial;

import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.pgporter.auth.AuthenticationStep;
import org.pgporter.auth.AuthenticationStep.Challenge;
import org.pgporter.auth.ClientResponse;
import org.pgporter.auth.ScramKeys;
import org.pgporter.auth.Secret;
import org.pgporter.auth.ServerChallenge.SaslMechanisms;
import org.pgporter.auth.credential.SaltedPasswords;
import org.pgporter.auth.credential.ScramCrypto;
import org.pgporter.auth.credential.ScramSecret;

/// What clients can send wrong, message by message.
class ScramServerExchangeTest {
    private static final Secret PASSWORD = Secret.of("pencil");
    private static final byte[] SALT = bytes("0123456789abcdef");
    private static final int ITERATIONS = 8;
    private static final ScramKeys KEYS = SaltedPasswords.keys(SaltedPasswords.derive(PASSWORD, SALT, ITERATIONS));
    private static final ScramSecret SECRET = ScramSecret.fromPassword(PASSWORD, SALT, ITERATIONS);
    private static final String NONCE = "clientserver";
    private static final String SERVER_FIRST = "r=clientserver,s=MDEyMzQ1Njc4OWFiY2RlZg==,i=8";

    private final ScramServerExchange exchange =
            new ScramServerExchange("alice", List.of(SECRET), false, Optional.empty(), "server");

    @Test
    void shouldOfferTheMechanismItKnows() {
        assertThat(exchange.start()).isEqualTo(new Challenge(new SaslMechanisms(List.of("SCRAM-SHA-256"))));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "n,,n=,r=client",
                "n,,n=alice,r=client",
                "n,,n=b\u00FCrger,r=client",
                "n,,n=,r=client,x=ignored,Y=too"
            })
    void shouldAcceptFirstMessages(String first) {
        assertThat(saslContinue(afterStart(saslInitial(first)))).isEqualTo(SERVER_FIRST);
        String bare = first.substring(3);
        authenticated(exchange.onResponse(sasl(signed(bare, "c=biws,r=" + NONCE))));
    }

    @Test
    void shouldAcceptAClientThatCouldBindToTheChannel() {
        afterStart(saslInitial("y,,n=,r=client"));

        authenticated(exchange.onResponse(sasl(signed("n=,r=client", "c=eSws,r=" + NONCE))));
    }

    @Test
    void shouldAskForTheFirstMessageWhenTheClientSentNone() {
        AuthenticationStep empty =
                afterStart(new ClientResponse.SaslInitial(ScramServerExchange.MECHANISM, Optional.empty()));

        assertThat(saslContinue(empty)).isEmpty();
        assertThat(saslContinue(exchange.onResponse(sasl("n,,n=,r=client")))).isEqualTo(SERVER_FIRST);
        authenticated(exchange.onResponse(sasl(signed("n=,r=client", "c=biws,r=" + NONCE))));
    }

    @Test
    void shouldIgnoreExtensionsBeforeTheProof() {
        afterStart(saslInitial("n,,n=,r=client"));

        authenticated(exchange.onResponse(sasl(signed("n=,r=client", "c=biws,r=" + NONCE + ",x=1,y="))));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "n",
                "n,",
                "n,,",
                "x,,n=,r=client",
                "N,,n=,r=client",
                "n;,n=,r=client",
                "nn,,n=,r=client",
                "n,x,n=,r=client",
                "n,,r=client",
                "n,,n=",
                "n,,n=,r=",
                "n,,n=,x=client",
                "n,,n,r=client",
                "n,,=,r=client",
                "n,,n=,r=cli\u007Fent",
                "n,,n=,r=cli ent",
                "n,,n=,r=cli\u00E9nt",
                "n,,n=,r=client,x",
                "n,,n=,r=client,1=x",
                "n,,n=,r=client\0",
                "\0n,,n=,r=client"
            })
    void shouldCallOtherFirstMessagesMalformed(String first) {
        assertThat(malformed(afterStart(saslInitial(first)))).startsWith("malformed SCRAM message: ");
        assertEnded();
    }

    @Test
    void shouldSayWhichFeatureIsMissing() {
        assertThat(malformed(newExchangeAfter(saslInitial("n,a=other,n=,r=client"))))
                .isEqualTo("client uses authorization identity, but it is not supported");
        assertThat(malformed(newExchangeAfter(saslInitial("n,,m=must,n=,r=client"))))
                .isEqualTo("client requires an unsupported SCRAM extension");
    }

    @ParameterizedTest
    @ValueSource(strings = {"SCRAM-SHA-256-PLUS", "SCRAM-SHA-1", "scram-sha-256", "", "PLAIN"})
    void shouldRefuseMechanismsItDidNotOffer(String mechanism) {
        ClientResponse response = new ClientResponse.SaslInitial(mechanism, Optional.of(bytes("n,,n=,r=client")));

        assertThat(malformed(afterStart(response)))
                .isEqualTo("client selected an invalid SASL authentication mechanism");
    }

    @Test
    void shouldRefuseTheWrongKindOfResponse() {
        assertThat(malformed(newExchangeAfter(password("pencil")))).isEqualTo("expected a SASL initial response");
        assertThat(malformed(newExchangeAfter(sasl("n,,n=,r=client")))).isEqualTo("expected a SASL initial response");
        afterStart(saslInitial("n,,n=,r=client"));
        assertThat(malformed(exchange.onResponse(saslInitial("n,,n=,r=client"))))
                .isEqualTo("expected a SASL response");
    }

    @Test
    void shouldRefuseMessagesAboveItsLimit() {
        int room = exchange.maxResponseLength() - "n,,n=,r=".length();

        assertThat(newExchangeAfter(saslInitial("n,,n=,r=" + "x".repeat(room)))).isInstanceOf(Challenge.class);
        assertThat(malformed(newExchangeAfter(saslInitial("n,,n=,r=" + "x".repeat(room + 1)))))
                .isEqualTo("malformed SCRAM message: it is too long");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "c=biws",
                "c=biws,r=clientserver",
                "c=biws,r=clientserver,p=",
                "c=biws,r=clientserver,p=AAAA",
                "c=biws,r=clientserver,p=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
                "c=biws,r=clientserver,p=!AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
                "c=biws,r=clientserver,p=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=,x=1",
                "r=clientserver,c=biws,p=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
                "c=biws,r=clientserver,p=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\0"
            })
    void shouldCallFinalMessagesMalformed(String last) {
        afterStart(saslInitial("n,,n=,r=client"));

        assertThat(malformed(exchange.onResponse(sasl(last)))).startsWith("malformed SCRAM message: ");
        assertEnded();
    }

    @ParameterizedTest
    @ValueSource(strings = {"eSws", "", "biwsbiws", "cD10bHMtc2VydmVyLWVuZC1wb2ludCws"})
    void shouldRefuseAChannelBindingThatIsNotTheAnnouncedOne(String channelBinding) {
        afterStart(saslInitial("n,,n=,r=client"));

        assertThat(malformed(exchange.onResponse(sasl(signed("n=,r=client", "c=" + channelBinding + ",r=" + NONCE)))))
                .isEqualTo("unexpected SCRAM channel-binding attribute in client-final-message");
    }

    @ParameterizedTest
    @ValueSource(strings = {"client", "server", "clientserver1", "Clientserver", ""})
    void shouldRefuseAnotherNonce(String nonce) {
        afterStart(saslInitial("n,,n=,r=client"));

        assertThat(malformed(exchange.onResponse(sasl(signed("n=,r=client", "c=biws,r=" + nonce)))))
                .isEqualTo("invalid SCRAM response: the nonce does not match");
    }

    @Test
    void shouldRejectAProofWithAnyBitChanged() {
        for (int bit = 0; bit < ScramKeys.KEY_LENGTH * Byte.SIZE; bit++) {
            ScramServerExchange fresh =
                    new ScramServerExchange("alice", List.of(SECRET), false, Optional.empty(), "server");
            fresh.start();
            fresh.onResponse(saslInitial("n,,n=,r=client"));
            byte[] proof = proof("n=,r=client", "c=biws,r=" + NONCE);
            proof[bit / Byte.SIZE] ^= (byte) (1 << bit % Byte.SIZE);
            String last = "c=biws,r=" + NONCE + ",p=" + Base64.getEncoder().encodeToString(proof);

            assertThat(rejected(fresh.onResponse(sasl(last)))).isEqualTo("wrong password (scram-sha-256)");
        }
    }

    @Test
    void shouldRejectAProofForAnotherFirstMessage() {
        afterStart(saslInitial("n,,n=alice,r=client"));

        rejected(exchange.onResponse(sasl(signed("n=mallory,r=client", "c=biws,r=" + NONCE))));
    }

    @Test
    void shouldRejectEveryProofOfAMockExchangeEvenTheRightOne() {
        ScramServerExchange mock = new ScramServerExchange("nobody", List.of(SECRET), true, Optional.empty(), "server");
        mock.start();
        mock.onResponse(saslInitial("n,,n=,r=client"));

        assertThat(rejected(mock.onResponse(sasl(signed("n=,r=client", "c=biws,r=" + NONCE)))))
                .isEqualTo("no such user");
    }

    @Test
    void shouldInsistOnItsOrder() {
        assertThatThrownBy(() -> exchange.onResponse(sasl("x"))).isInstanceOf(IllegalStateException.class);

        ScramServerExchange started =
                new ScramServerExchange("alice", List.of(SECRET), false, Optional.empty(), "server");
        started.start();
        assertThatThrownBy(started::start).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void shouldNeverThrowWhateverArrives() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        for (int i = 0; i < 20_000; i++) {
            ScramServerExchange fuzzed =
                    new ScramServerExchange("alice", List.of(SECRET), false, Optional.empty(), "server");
            fuzzed.start();
            try {
                AuthenticationStep step = fuzzed.onResponse(new ClientResponse.SaslInitial(
                        ScramServerExchange.MECHANISM, Optional.of(fuzz(random, "n,,n=,r=client"))));
                if (step instanceof Challenge) {
                    step = fuzzed.onResponse(new ClientResponse.Sasl(fuzz(random, "c=biws,r=" + NONCE + ",p=AAAA")));
                }
                assertThat(step).isNotInstanceOf(AuthenticationStep.Authenticated.class);
            } catch (RuntimeException e) {
                throw new AssertionError("seed " + seed + ", round " + i, e);
            }
        }
    }

    /// Random bytes, or a good message with a few bytes changed, or left unchanged.
    static byte[] fuzz(Random random, String good) {
        if (random.nextInt(4) == 0) {
            byte[] noise = new byte[random.nextInt(64)];
            random.nextBytes(noise);
            return noise;
        }
        byte[] message = good.getBytes(StandardCharsets.ISO_8859_1);
        for (int changes = random.nextInt(4); changes > 0; changes--) {
            message[random.nextInt(message.length)] = (byte) random.nextInt(256);
        }
        return message;
    }

    private AuthenticationStep afterStart(ClientResponse response) {
        exchange.start();
        return exchange.onResponse(response);
    }

    private static AuthenticationStep newExchangeAfter(ClientResponse response) {
        ScramServerExchange fresh =
                new ScramServerExchange("alice", List.of(SECRET), false, Optional.empty(), "server");
        fresh.start();
        return fresh.onResponse(response);
    }

    private void assertEnded() {
        assertThatThrownBy(() -> exchange.onResponse(sasl("n,,n=,r=client"))).isInstanceOf(IllegalStateException.class);
    }

    private static String signed(String bare, String withoutProof) {
        return withoutProof + ",p=" + Base64.getEncoder().encodeToString(proof(bare, withoutProof));
    }

    private static byte[] proof(String bare, String withoutProof) {
        byte[] signature = ScramCrypto.hmac(SECRET.storedKey(), bytes(bare + "," + SERVER_FIRST + "," + withoutProof));
        return ScramCrypto.xor(KEYS.clientKey(), signature);
    }
}
