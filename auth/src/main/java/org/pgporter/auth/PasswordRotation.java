package org.pgporter.auth;

import java.util.Arrays;
import java.util.Optional;
import org.pgporter.auth.credential.HashedCredential;
import org.pgporter.auth.credential.JwtKeyFile;
import org.pgporter.auth.credential.Md5Secret;
import org.pgporter.auth.credential.PlainPassword;
import org.pgporter.auth.credential.RotatedSecret;
import org.pgporter.auth.credential.ScramSecret;
import org.pgporter.auth.credential.StoredCredential;
import org.pgporter.auth.md5.Md5Response;

/// Two passwords of one user at a time, made into what one exchange can ask for.
public final class PasswordRotation {
    private PasswordRotation() {}

    /// Why the two cannot be valid together; empty where they can. Says nothing of what they are.
    public static Optional<String> conflict(StoredCredential current, StoredCredential previous) {
        if (current instanceof JwtKeyFile || previous instanceof JwtKeyFile) {
            return Optional.of("a token's key cannot be rotated this way");
        }
        if (current instanceof PlainPassword || previous instanceof PlainPassword) {
            return Optional.empty();
        }
        if (current instanceof ScramSecret one && previous instanceof ScramSecret other) {
            return one.iterations() == other.iterations() && Arrays.equals(one.salt(), other.salt())
                    ? Optional.empty()
                    : Optional.of("the two SCRAM secrets have different salts or iterations, and a client is told"
                            + " only one of each before it proves anything");
        }
        return current instanceof Md5Secret && previous instanceof Md5Secret
                ? Optional.empty()
                : Optional.of("one is an MD5 hash and the other a SCRAM secret, and a client is asked for one kind");
    }

    /// Both as one. Burns CPU where one is plain (about a millisecond each): call it off the event loop.
    ///
    /// @param mocks gives the salt where both are plain
    /// @throws IllegalArgumentException where there is a [#conflict]
    public static HashedCredential combined(
            String user, StoredCredential current, StoredCredential previous, MockSecrets mocks) {
        HashedCredential first = hashed(user, current, previous, mocks);
        return new RotatedSecret(first, hashed(user, previous, first, mocks));
    }

    private static HashedCredential hashed(
            String user, StoredCredential one, StoredCredential other, MockSecrets mocks) {
        return switch (one) {
            case HashedCredential hash -> hash;
            case PlainPassword plain ->
                switch (other) {
                    case ScramSecret like -> ScramSecret.fromPassword(plain.password(), like.salt(), like.iterations());
                    case Md5Secret _ -> new Md5Secret(Md5Response.hashOf(user, plain.password()));
                    case PlainPassword _, JwtKeyFile _, RotatedSecret _ -> mocks.adHocSecret(user, plain);
                };
            case JwtKeyFile _ -> throw new IllegalArgumentException("a token's key is no password");
        };
    }
}
