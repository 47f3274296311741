package org.pgporter.auth.credential;

import java.security.NoSuchAlgorithmException;
import java.security.spec.InvalidKeySpecException;
import java.util.Arrays;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;
import org.pgporter.auth.ScramKeys;
import org.pgporter.auth.Secret;

/// From a password to the keys of SCRAM-SHA-256. The derivation burns CPU on purpose: never call it on an event
/// loop.
public final class SaltedPasswords {
    private SaltedPasswords() {}

    /// `SaltedPassword := Hi(Normalize(password), salt, i)`: PBKDF2 with HMAC-SHA-256, 32 bytes. A password
    /// that SASLprep forbids is taken as it is, as PostgreSQL does.
    ///
    /// @param iterations 1 to [ScramLimits#MAX_ITERATIONS]; 4096 take about a millisecond
    /// @throws IllegalArgumentException if salt or iterations are out of bounds
    public static byte[] derive(Secret password, byte[] salt, int iterations) {
        if (!ScramLimits.allowsIterations(iterations) || !ScramLimits.allowsSaltLength(salt.length)) {
            throw new IllegalArgumentException("salt or iterations out of bounds");
        }
        char[] prepared = SaslPrep.prepare(password.reveal()).toCharArray();
        PBEKeySpec spec = new PBEKeySpec(prepared, salt, iterations, ScramKeys.KEY_LENGTH * Byte.SIZE);
        try {
            return SecretKeyFactory.getInstance("PBKDF2WithHmacSHA256")
                    .generateSecret(spec)
                    .getEncoded();
        } catch (NoSuchAlgorithmException | InvalidKeySpecException e) {
            throw new IllegalStateException("PBKDF2WithHmacSHA256 is not available", e);
        } finally {
            spec.clearPassword();
            Arrays.fill(prepared, '\0');
        }
    }

    /// Client key and server key of a salted password. Cheap.
    public static ScramKeys keys(byte[] saltedPassword) {
        return new ScramKeys(
                ScramCrypto.hmac(saltedPassword, "Client Key"), ScramCrypto.hmac(saltedPassword, "Server Key"));
    }
}
