package org.pgporter.auth.scram;

import static org.assertj.core.api.Assertions.assertThat;
import static org.pgporter.auth.Answers.authenticated;
import static org.pgporter.auth.Answers.rejected;
import static org.pgporter.auth.Answers.sasl;
import static org.pgporter.auth.Answers.saslContinue;
import static org.pgporter.auth.Answers.saslInitial;
import static org.pgporter.auth.Answers.text;

import com.ongres.scram.client.ScramClient;
import com.ongres.scram.common.StringPreparation;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.pgporter.auth.AuthenticationStep;
import org.pgporter.auth.AuthenticationStep.Authenticated;
import org.pgporter.auth.ScramKeys;
import org.pgporter.auth.Secret;
import org.pgporter.auth.credential.SaltedPasswords;
import org.pgporter.auth.credential.ScramSecret;
import org.pgporter.auth.scram.ScramClientExchange.Credential;
import org.pgporter.auth.scram.ScramClientExchange.FromKeys;
import org.pgporter.auth.scram.ScramClientExchange.FromPassword;
import org.pgporter.auth.scram.ScramClientExchange.NeedsSaltedPassword;
import org.pgporter.auth.scram.ScramClientExchange.NotProven;
import org.pgporter.auth.scram.ScramClientExchange.SendFinal;
import org.pgporter.auth.scram.ScramClientExchange.ServerVerified;
import org.pgporter.auth.scram.ScramClientExchange.Step;

/// Whole logins: our client or a foreign one on one side, our server on the other.
class ScramConversationTest {
    private static final SecureRandom RANDOM = new SecureRandom();

    @ParameterizedTest
    @ValueSource(ints = {1, 8, 16, 32, 128, 1024})
    void shouldLogInWithSaltsOfAnyLength(int saltLength) {
        ScramSecret secret = secret("s3cret", saltLength, 10);

        Login login = login(new FromPassword(Secret.of("s3cret")), secret);

        assertThat(login.client()).isEqualTo(new ServerVerified());
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 4096, 100_000})
    void shouldLogInWithAnyCountOfIterations(int iterations) {
        Login login = login(new FromPassword(Secret.of("s3cret")), secret("s3cret", 16, iterations));

        assertThat(login.client()).isEqualTo(new ServerVerified());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "s3cret",
                "with space, comma=and more",
                "пароль",
                "I\u00ADX",
                "\u2168",
                "\uD83D\uDD11key",
                "x\u0007y"
            })
    void shouldAcceptAForeignClient(String password) throws Exception {
        // Given
        ScramServerExchange server =
                new ScramServerExchange("alice", secret(password, 16, 4096), Optional.empty(), RANDOM);
        ScramClient client = ScramClient.builder()
                .advertisedMechanisms(List.of(ScramServerExchange.MECHANISM))
                .username("*")
                .password(password.toCharArray())
                .stringPreparation(StringPreparation.POSTGRESQL_PREPARATION)
                .build();

        // When
        server.start();
        String first = saslContinue(
                server.onResponse(saslInitial(client.clientFirstMessage().toString())));
        client.serverFirstMessage(first);
        Authenticated result =
                authenticated(server.onResponse(sasl(client.clientFinalMessage().toString())));

        // Then: the foreign client checks our signature, and throws if it is wrong
        assertThat(client.serverFinalMessage(text(result.finalData().orElseThrow())))
                .isNotNull();
        assertThat(result.identity().user()).isEqualTo("alice");
    }

    @Test
    void shouldLogInWithTheKeysThatAnotherLoginTaughtUs() {
        // Given
        ScramSecret secret = secret("s3cret", 16, 4096);
        Authenticated first = authenticated(
                login(new FromPassword(Secret.of("s3cret")), secret).server());
        ScramKeys learned = (ScramKeys) first.identity().proof().orElseThrow();

        // When
        Login second = login(new FromKeys(learned), secret);

        // Then
        assertThat(second.client()).isEqualTo(new ServerVerified());
        assertThat(authenticated(second.server()).identity().proof()).contains(learned);
    }

    @Test
    void shouldRefuseLearnedKeysWhenTheStoredSecretHasChanged() {
        Authenticated first = authenticated(login(new FromPassword(Secret.of("s3cret")), secret("s3cret", 16, 10))
                .server());
        ScramKeys learned = (ScramKeys) first.identity().proof().orElseThrow();

        Login second = login(new FromKeys(learned), secret("s3cret", 16, 10));

        assertThat(rejected(second.server())).isEqualTo("wrong password (scram-sha-256)");
    }

    @Test
    void shouldRejectAWrongPassword() {
        Login login = login(new FromPassword(Secret.of("S3cret")), secret("s3cret", 16, 10));

        assertThat(rejected(login.server())).isEqualTo("wrong password (scram-sha-256)");
    }

    @Test
    void shouldNotTrustAServerThatDoesNotKnowTheServerKey() {
        // Given: a server that stole the stored key only, and so can check us but not prove itself
        ScramSecret real = secret("s3cret", 16, 10);
        ScramSecret stolen = new ScramSecret(10, real.salt(), real.storedKey(), new byte[ScramKeys.KEY_LENGTH]);

        Login login = login(new FromPassword(Secret.of("s3cret")), stolen);

        assertThat(login.client()).isInstanceOf(NotProven.class);
    }

    @Test
    void shouldUseAFreshNonceEachTime() {
        ScramSecret secret = secret("s3cret", 16, 10);

        assertThat(serverFirst(secret)).isNotEqualTo(serverFirst(secret));
    }

    private static String serverFirst(ScramSecret secret) {
        ScramServerExchange server = new ScramServerExchange("alice", secret, Optional.empty(), RANDOM);
        server.start();
        return saslContinue(server.onResponse(saslInitial("n,,n=,r=abc")));
    }

    private record Login(AuthenticationStep server, Step client) {}

    /// Runs a login to its end; the client's last step is only meaningful if the server accepted.
    private static Login login(Credential credential, ScramSecret secret) {
        ScramServerExchange server = new ScramServerExchange("alice", secret, Optional.empty(), RANDOM);
        ScramClientExchange client = new ScramClientExchange(credential, new ScramBinding.None(), RANDOM);
        server.start();
        String first = saslContinue(server.onResponse(saslInitial(text(client.initialMessage()))));
        Step step = client.onServerFirst(first.getBytes(StandardCharsets.US_ASCII));
        if (step instanceof NeedsSaltedPassword(var password, var salt, var iterations)) {
            step = client.withSaltedPassword(SaltedPasswords.derive(password, salt, iterations));
        }
        assertThat(step).isInstanceOf(SendFinal.class);
        AuthenticationStep result = server.onResponse(sasl(text(((SendFinal) step).message())));
        if (result instanceof Authenticated(var _, var finalData)) {
            return new Login(result, client.onServerFinal(finalData.orElseThrow()));
        }
        return new Login(result, step);
    }

    private static ScramSecret secret(String password, int saltLength, int iterations) {
        byte[] salt = new byte[saltLength];
        RANDOM.nextBytes(salt);
        return ScramSecret.fromPassword(Secret.of(password), salt, iterations);
    }
}
