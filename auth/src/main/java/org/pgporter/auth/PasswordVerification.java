package org.pgporter.auth;

import java.security.MessageDigest;
import java.util.Arrays;
import java.util.Optional;
import org.pgporter.auth.credential.HashedCredential;
import org.pgporter.auth.credential.Md5Secret;
import org.pgporter.auth.credential.RotatedSecret;
import org.pgporter.auth.credential.SaltedPasswords;
import org.pgporter.auth.credential.ScramCrypto;
import org.pgporter.auth.credential.ScramSecret;
import org.pgporter.auth.md5.Md5Response;

/// Holds a password against what is stored: the method `password` of `pg_hba.conf`.
public final class PasswordVerification {
    /// The method's name in `pg_hba.conf`.
    public static final String METHOD = "password";

    private PasswordVerification() {}

    /// Burns CPU in proportion to the iterations of the stored secret: call it off the event loop. A user that does
    /// not exist costs as much as one that does.
    ///
    /// @param user the name in the client's startup packet
    /// @param credential what is stored for it; empty if there is no such user
    /// @param password as the client sent it, not empty
    /// @return [AuthenticationStep.Authenticated], with what the password opens PostgreSQL with, or
    ///     [AuthenticationStep.Rejected]
    public static AuthenticationStep verify(
            String user, Optional<? extends HashedCredential> credential, Secret password, MockSecrets mocks) {
        if (credential.isEmpty()) {
            switch (mocks.kind()) {
                case SCRAM_SHA_256 -> proof(user, mocks.scramSecretFor(user), password);
                case MD5 -> Md5Response.hashOf(user, password);
            }
            return new AuthenticationStep.Rejected("no such user");
        }
        return proof(user, credential.get(), password)
                .<AuthenticationStep>map(proof -> new AuthenticationStep.Authenticated(
                        Identity.of(user, METHOD).withProof(proof), Optional.empty()))
                .orElseGet(() -> new AuthenticationStep.Rejected("wrong password (password)"));
    }

    private static Optional<? extends BackendProof> proof(String user, HashedCredential credential, Secret password) {
        return switch (credential) {
            case ScramSecret secret -> keys(secret, password);
            case Md5Secret(var hash) ->
                Optional.of(Md5Response.hashOf(user, password)).filter(hash::equals);
            case RotatedSecret(var current, var previous) -> {
                // Both in any case, so that the time does not tell which of the two it was.
                Optional<? extends BackendProof> first = proof(user, current, password);
                Optional<? extends BackendProof> second = proof(user, previous, password);
                yield first.isPresent() ? first : second;
            }
        };
    }

    private static Optional<ScramKeys> keys(ScramSecret secret, Secret password) {
        byte[] salted = SaltedPasswords.derive(password, secret.salt(), secret.iterations());
        ScramKeys keys = SaltedPasswords.keys(salted);
        Arrays.fill(salted, (byte) 0);
        boolean same = MessageDigest.isEqual(ScramCrypto.storedKey(keys.clientKey()), secret.storedKey());
        // The stored server key, which PostgreSQL has as well: one that does not fit is of no use for logging in there.
        return same ? Optional.of(new ScramKeys(keys.clientKey(), secret.serverKey())) : Optional.empty();
    }
}
