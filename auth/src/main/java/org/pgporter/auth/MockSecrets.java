package org.pgporter.auth;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.pgporter.auth.credential.PlainPassword;
import org.pgporter.auth.credential.ScramCrypto;
import org.pgporter.auth.credential.ScramSecret;

/// Makes up the secrets of users that do not exist, so that they are asked like those that do. The salt is the
/// same whenever the same name is asked for, on every node that has the same key; a salt that changed would
/// give the unknown user away. PostgreSQL does the same with its `mock_authentication_nonce`.
public final class MockSecrets {
    /// Iterations that PostgreSQL uses unless `scram_iterations` says otherwise.
    public static final int MOCK_ITERATIONS = 4096;

    /// Salt length of PostgreSQL's own secrets, in bytes.
    public static final int MOCK_SALT_LENGTH = 16;

    /// Shortest key, in bytes: that of PostgreSQL's `mock_authentication_nonce`.
    public static final int MIN_KEY_LENGTH = 32;

    private final byte[] key;
    private final MockKind kind;

    /// @param key at least 32 random bytes, the same on all nodes of a fleet and after a restart; copied
    /// @throws IllegalArgumentException if the key is shorter
    public MockSecrets(byte[] key, MockKind kind) {
        if (key.length < MIN_KEY_LENGTH) {
            throw new IllegalArgumentException("the key of mock secrets has at least " + MIN_KEY_LENGTH + " bytes");
        }
        this.key = key.clone();
        this.kind = kind;
    }

    /// The same secrets for another kind of exchange.
    public MockSecrets as(MockKind other) {
        return other == kind ? this : new MockSecrets(key, other);
    }

    public MockKind kind() {
        return kind;
    }

    /// A secret that no password opens, for a user that does not exist.
    public ScramSecret scramSecretFor(String user) {
        byte[] never = new byte[ScramKeys.KEY_LENGTH];
        return new ScramSecret(MOCK_ITERATIONS, saltFor(user), never, never);
    }

    /// The SCRAM secret by which a user with a plain password is asked. Its salt and iterations are those of
    /// the mock secret of that name, so that the two cannot be told apart. Burns CPU (about a millisecond):
    /// call it off the event loop and keep the result.
    public ScramSecret adHocSecret(String user, PlainPassword password) {
        return ScramSecret.fromPassword(password.password(), saltFor(user), MOCK_ITERATIONS);
    }

    private byte[] saltFor(String user) {
        return Arrays.copyOf(ScramCrypto.hmac(key, user.getBytes(StandardCharsets.UTF_8)), MOCK_SALT_LENGTH);
    }

    @Override
    public String toString() {
        return "MockSecrets[" + kind + ", ***]";
    }
}
