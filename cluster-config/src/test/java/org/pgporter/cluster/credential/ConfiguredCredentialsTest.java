package org.pgporter.cluster.credential;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.junit.jupiter.api.Test;
import org.pgporter.auth.MockKind;
import org.pgporter.auth.MockSecrets;
import org.pgporter.auth.Secret;
import org.pgporter.auth.credential.CredentialKey;
import org.pgporter.auth.credential.CredentialLookup;
import org.pgporter.auth.credential.PlainPassword;
import org.pgporter.auth.credential.RotatedSecret;
import org.pgporter.auth.credential.ScramSecret;
import org.pgporter.auth.credential.StoredCredential;
import org.pgporter.config.PoolConfig;
import org.pgporter.config.ProxyConfig;
import org.pgporter.config.UserConfig;

class ConfiguredCredentialsTest {
    private static final StoredCredential HASH = StoredCredential.parse("md5" + "0".repeat(32));
    private static final CredentialKey PLAIN = new CredentialKey("app", "plain");

    private static final ProxyConfig CONFIG = ProxyConfig.of(
            "app",
            PoolConfig.defaults()
                    .withUsers(
                            UserConfig.of("hashed", HASH),
                            UserConfig.of("plain", StoredCredential.parse("wonderland"))));

    private final MockSecrets mocks = new MockSecrets(new byte[32], MockKind.SCRAM_SHA_256);
    private final Queue<Runnable> later = new ArrayDeque<>();
    private final ConfiguredCredentials credentials = new ConfiguredCredentials(CONFIG, mocks, later::add);

    @Test
    void shouldFindAHashAsItStands() {
        assertThat(lookup(credentials, new CredentialKey("app", "hashed")))
                .isCompletedWithValue(new CredentialLookup.Found(HASH));
        assertThat(later).isEmpty();
    }

    @Test
    void shouldNotFindWhoIsNotConfigured() {
        assertThat(lookup(credentials, new CredentialKey("app", "nobody")))
                .isCompletedWithValue(new CredentialLookup.NotFound());
        assertThat(lookup(credentials, new CredentialKey("other", "plain")))
                .isCompletedWithValue(new CredentialLookup.NotFound());
    }

    @Test
    void shouldDeriveASecretOnceAndOffTheCallersThread() {
        // When
        CompletableFuture<CredentialLookup> first = lookup(credentials, PLAIN);
        CompletableFuture<CredentialLookup> second = lookup(credentials, PLAIN);

        // Then
        assertThat(first).isNotDone();
        assertThat(later).hasSize(1);
        later.remove().run();
        assertThat(first.join()).isEqualTo(second.join());
        lookup(credentials, PLAIN).join();
        assertThat(later).isEmpty();
        ScramSecret derived = (ScramSecret) ((CredentialLookup.Found) first.join()).credential();
        assertThat(derived)
                .isEqualTo(ScramSecret.fromPassword(Secret.of("wonderland"), derived.salt(), derived.iterations()));
    }

    @Test
    void shouldAskWithTheSaltThatAnUnknownUserWouldSee() {
        CompletableFuture<CredentialLookup> found = lookup(credentials, PLAIN);
        later.remove().run();
        ScramSecret derived = (ScramSecret) ((CredentialLookup.Found) found.join()).credential();
        assertThat(Arrays.equals(derived.salt(), mocks.scramSecretFor("plain").salt()))
                .isTrue();
    }

    @Test
    void shouldFindBothSecretsOfAUserWhosePasswordIsBeingChanged() {
        ProxyConfig config = ProxyConfig.of(
                "app",
                PoolConfig.defaults()
                        .withUsers(UserConfig.of("plain", StoredCredential.parse("wonderland"))
                                .withPreviousPassword(StoredCredential.parse("looking-glass"))));
        CompletableFuture<CredentialLookup> found = lookup(new ConfiguredCredentials(config, mocks, later::add), PLAIN);
        assertThat(found).isNotDone();
        later.remove().run();

        assertThat(found.join())
                .isEqualTo(new CredentialLookup.Found(new RotatedSecret(
                        mocks.adHocSecret("plain", new PlainPassword(Secret.of("wonderland"))),
                        mocks.adHocSecret("plain", new PlainPassword(Secret.of("looking-glass"))))));
    }

    @Test
    void shouldNotRememberThatItCouldNotDerive() {
        // Given
        boolean[] refuse = {true};
        Executor moody = task -> {
            if (refuse[0]) {
                throw new RejectedExecutionException("wonderland");
            }
            task.run();
        };
        ConfiguredCredentials source = new ConfiguredCredentials(CONFIG, mocks, moody);

        // When
        CredentialLookup refused = lookup(source, PLAIN).join();
        refuse[0] = false;
        CredentialLookup found = lookup(source, PLAIN).join();

        // Then
        assertThat(refused)
                .isInstanceOfSatisfying(
                        CredentialLookup.Unavailable.class,
                        unavailable -> assertThat(unavailable.cause()).doesNotContain("wonderland"));
        assertThat(found).isInstanceOf(CredentialLookup.Found.class);
    }

    private static CompletableFuture<CredentialLookup> lookup(ConfiguredCredentials source, CredentialKey key) {
        return source.lookup(key).toCompletableFuture();
    }
}
