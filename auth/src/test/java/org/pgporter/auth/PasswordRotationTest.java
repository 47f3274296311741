package org.pgporter.auth;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.pgporter.auth.Answers.authenticated;
import static org.pgporter.auth.Answers.md5Salt;
import static org.pgporter.auth.Answers.password;
import static org.pgporter.auth.Answers.rejected;
import static org.pgporter.auth.Answers.saslContinue;

import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.pgporter.auth.credential.HashedCredential;
import org.pgporter.auth.credential.Md5Secret;
import org.pgporter.auth.credential.SaltedPasswords;
import org.pgporter.auth.credential.ScramSecret;
import org.pgporter.auth.credential.StoredCredential;
import org.pgporter.auth.md5.Md5Response;
import org.pgporter.auth.scram.ScramBinding;
import org.pgporter.auth.scram.ScramClientExchange;
import org.pgporter.auth.scram.ScramClientExchange.NeedsSaltedPassword;
import org.pgporter.auth.scram.ScramClientExchange.ServerVerified;

/// Two passwords at a time, in every form in which they can be stored.
class PasswordRotationTest {
    private static final SecureRandom RANDOM = new SecureRandom();
    private static final MockSecrets MOCKS = new MockSecrets(new byte[32], MockKind.SCRAM_SHA_256);

    @ParameterizedTest
    @CsvSource({"plain, plain", "plain, scram", "scram, plain", "scram, scram"})
    void shouldOpenToBothByScram(String current, String previous) {
        HashedCredential both =
                PasswordRotation.combined("alice", stored(current, "new"), stored(previous, "old"), MOCKS);

        for (String good : new String[] {"new", "old"}) {
            Identity identity = authenticated(scram(both, good)).identity();
            assertThat(identity.proof()).isPresent();
        }
        rejected(scram(both, "older"));
    }

    @ParameterizedTest
    @CsvSource({"md5, md5", "md5, plain", "plain, md5"})
    void shouldOpenToBothByMd5(String current, String previous) {
        HashedCredential both =
                PasswordRotation.combined("alice", stored(current, "new"), stored(previous, "old"), MOCKS);

        for (String good : new String[] {"new", "old"}) {
            assertThat(authenticated(md5(both, good)).identity().proof())
                    .contains(Md5Response.hashOf("alice", Secret.of(good)));
        }
        rejected(md5(both, "older"));
    }

    @Test
    void shouldSayWhatOneExchangeCannotAskFor() {
        StoredCredential scram = stored("scram", "new");
        StoredCredential otherSalt = ScramSecret.fromPassword(Secret.of("old"), new byte[16], 10);
        StoredCredential otherIterations = ScramSecret.fromPassword(Secret.of("old"), SALT, 11);
        StoredCredential md5 = stored("md5", "old");
        StoredCredential token = StoredCredential.parse("jwt-pkey-fpath:/key.pem");

        assertThat(PasswordRotation.conflict(scram, otherSalt)).get().asString().contains("salts");
        assertThat(PasswordRotation.conflict(scram, otherIterations)).isPresent();
        assertThat(PasswordRotation.conflict(scram, md5)).isPresent();
        assertThat(PasswordRotation.conflict(md5, scram)).isPresent();
        assertThat(PasswordRotation.conflict(token, stored("plain", "old"))).isPresent();
        assertThat(PasswordRotation.conflict(stored("plain", "new"), token)).isPresent();
        assertThatIllegalArgumentException().isThrownBy(() -> PasswordRotation.combined("alice", scram, md5, MOCKS));
    }

    private static final byte[] SALT = "0123456789abcdef".getBytes(StandardCharsets.US_ASCII);

    private static StoredCredential stored(String form, String text) {
        return switch (form) {
            case "plain" -> StoredCredential.parse(text);
            case "md5" -> new Md5Secret(Md5Response.hashOf("alice", Secret.of(text)));
            default -> ScramSecret.fromPassword(Secret.of(text), SALT, 10);
        };
    }

    private static AuthenticationStep md5(HashedCredential both, String text) {
        AuthenticationExchange exchange =
                ExchangeSelection.exchangeFor("alice", Optional.of(both), MOCKS, Optional.empty(), RANDOM);
        byte[] salt = md5Salt(exchange.start());
        return exchange.onResponse(password(Md5Response.forPassword("alice", Secret.of(text), salt)));
    }

    /// The client holds the server to its signature, too.
    private static AuthenticationStep scram(HashedCredential both, String text) {
        AuthenticationExchange server =
                ExchangeSelection.exchangeFor("alice", Optional.of(both), MOCKS, Optional.empty(), RANDOM);
        ScramClientExchange client = new ScramClientExchange(
                new ScramClientExchange.FromPassword(Secret.of(text)), new ScramBinding.None(), RANDOM);
        server.start();
        AuthenticationStep challenged = server.onResponse(
                new ClientResponse.SaslInitial("SCRAM-SHA-256", Optional.of(client.initialMessage())));
        NeedsSaltedPassword asked = (NeedsSaltedPassword) client.onServerFirst(Answers.bytes(saslContinue(challenged)));
        AuthenticationStep last = server.onResponse(new ClientResponse.Sasl(
                client.withSaltedPassword(SaltedPasswords.derive(asked.password(), asked.salt(), asked.iterations()))
                        .message()));
        if (last instanceof AuthenticationStep.Authenticated(var _, var data)) {
            assertThat(client.onServerFinal(data.orElseThrow())).isEqualTo(new ServerVerified());
        }
        return last;
    }
}
