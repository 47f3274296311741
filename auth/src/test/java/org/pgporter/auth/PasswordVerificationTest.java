package org.pgporter.auth;

import static org.assertj.core.api.Assertions.assertThat;
import static org.pgporter.auth.Answers.authenticated;
import static org.pgporter.auth.Answers.malformed;
import static org.pgporter.auth.Answers.rejected;

import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.pgporter.auth.credential.HashedCredential;
import org.pgporter.auth.credential.Md5Secret;
import org.pgporter.auth.credential.SaltedPasswords;
import org.pgporter.auth.credential.ScramSecret;
import org.pgporter.auth.md5.Md5Response;

class PasswordVerificationTest {
    private static final Secret PASSWORD = Secret.of("s3cret");
    private static final Secret OLDER = Secret.of("0lder");
    private static final byte[] SALT = "0123456789abcdef".getBytes(StandardCharsets.US_ASCII);
    private static final MockSecrets MOCKS = new MockSecrets(new byte[32], MockKind.SCRAM_SHA_256);
    private static final HashedCredential SCRAM = ScramSecret.fromPassword(PASSWORD, SALT, 16);
    private static final HashedCredential MD5 = new Md5Secret(Md5Response.hashOf("alice", PASSWORD));

    @Test
    void shouldLearnFromAPasswordWhatOpensPostgres() {
        Identity byScram = authenticated(verify(SCRAM, PASSWORD)).identity();
        assertThat(byScram.user()).isEqualTo("alice");
        assertThat(byScram.method()).isEqualTo("password");
        assertThat(byScram.proof()).contains(SaltedPasswords.keys(SaltedPasswords.derive(PASSWORD, SALT, 16)));
        assertThat(authenticated(verify(MD5, PASSWORD)).identity().proof())
                .contains(Md5Response.hashOf("alice", PASSWORD));
    }

    @ParameterizedTest
    @ValueSource(strings = {"S3cret", "s3cret ", "s3cre", "0lder"})
    void shouldRejectAnotherPassword(String other) {
        assertThat(rejected(verify(SCRAM, Secret.of(other)))).isEqualTo("wrong password (password)");
        assertThat(rejected(verify(MD5, Secret.of(other)))).isEqualTo("wrong password (password)");
    }

    /// To HMAC it is the same password.
    @Test
    void shouldNotTakeAPasswordWithAZeroBehindIt() {
        PasswordExchange exchange =
                new PasswordExchange(password -> CompletableFuture.completedStage(verify(SCRAM, password)));
        exchange.start();

        assertThat(malformed(exchange.onResponse(Answers.password("s3cret\0"))))
                .isEqualTo("invalid password packet size");
    }

    @Test
    void shouldRejectAHashInPlaceOfThePassword() {
        assertThat(rejected(verify(MD5, Secret.of(MD5.format())))).isEqualTo("wrong password (password)");
        assertThat(rejected(verify(SCRAM, Secret.of(SCRAM.format())))).isEqualTo("wrong password (password)");
    }

    @Test
    void shouldRejectAnUnknownUserWhateverItSends() {
        for (MockKind kind : MockKind.values()) {
            assertThat(rejected(PasswordVerification.verify("nobody", Optional.empty(), PASSWORD, MOCKS.as(kind))))
                    .isEqualTo("no such user");
        }
    }

    @Test
    void shouldTakeEitherPasswordWhileOneIsBeingChanged() {
        for (HashedCredential fixed : new HashedCredential[] {SCRAM, MD5}) {
            HashedCredential both = PasswordRotation.combined(
                    "alice", fixed, new org.pgporter.auth.credential.PlainPassword(OLDER), MOCKS);
            assertThat(authenticated(verify(both, PASSWORD)).identity().proof())
                    .isEqualTo(authenticated(verify(fixed, PASSWORD)).identity().proof());
            assertThat(authenticated(verify(both, OLDER)).identity().proof()).isPresent();
            rejected(verify(both, Secret.of("neither")));
        }
    }

    private static AuthenticationStep verify(HashedCredential credential, Secret password) {
        return PasswordVerification.verify("alice", Optional.of(credential), password, MOCKS);
    }
}
