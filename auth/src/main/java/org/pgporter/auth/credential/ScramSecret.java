package org.pgporter.auth.credential;

import java.security.MessageDigest;
import java.util.Arrays;
import java.util.Base64;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.pgporter.auth.ScramKeys;
import org.pgporter.auth.Secret;

/// A SCRAM secret as PostgreSQL stores it: `SCRAM-SHA-256$<iterations>:<salt>$<stored key>:<server key>`, the
/// last three in Base64. It lets us check a client and prove ourselves to it, but not log in as it.
///
/// @param iterations 1 to [ScramLimits#MAX_ITERATIONS]
/// @param salt 1 to [ScramLimits#MAX_SALT_LENGTH] bytes
/// @param storedKey 32 bytes, the hash of the client key
/// @param serverKey 32 bytes
public record ScramSecret(int iterations, byte[] salt, byte[] storedKey, byte[] serverKey) implements HashedCredential {
    static final String FAMILY_PREFIX = "SCRAM-";

    private static final Pattern FORM = Pattern.compile("SCRAM-SHA-256\\$(\\d{1,10}):([^$:]+)\\$([^$:]+):([^$:]+)");

    /// @throws IllegalArgumentException if a value is out of its bounds
    public ScramSecret {
        if (!ScramLimits.allowsIterations(iterations)) {
            throw malformed("iterations must be 1 to " + ScramLimits.MAX_ITERATIONS);
        }
        if (!ScramLimits.allowsSaltLength(salt.length)) {
            throw malformed("the salt must have 1 to " + ScramLimits.MAX_SALT_LENGTH + " bytes");
        }
        if (storedKey.length != ScramKeys.KEY_LENGTH || serverKey.length != ScramKeys.KEY_LENGTH) {
            throw malformed("stored key and server key must have " + ScramKeys.KEY_LENGTH + " bytes each");
        }
        salt = salt.clone();
        storedKey = storedKey.clone();
        serverKey = serverKey.clone();
    }

    /// Reads PostgreSQL's text form.
    ///
    /// @throws IllegalArgumentException if it is malformed; the message never contains the text
    public static ScramSecret parse(String text) {
        Matcher form = FORM.matcher(text);
        if (!form.matches()) {
            throw malformed("expected SCRAM-SHA-256$<iterations>:<salt>$<stored key>:<server key>");
        }
        long iterations = Long.parseLong(form.group(1));
        return new ScramSecret(
                (int) Math.min(iterations, Integer.MAX_VALUE),
                base64("salt", form.group(2)),
                base64("stored key", form.group(3)),
                base64("server key", form.group(4)));
    }

    /// Makes the secret of a password. Burns CPU in proportion to the iterations (4096 take about a
    /// millisecond): call it off the event loop.
    ///
    /// @throws IllegalArgumentException if the password is empty, or salt or iterations are out of bounds
    public static ScramSecret fromPassword(Secret password, byte[] salt, int iterations) {
        if (password.isEmpty()) {
            throw new IllegalArgumentException("the password is empty");
        }
        byte[] salted = SaltedPasswords.derive(password, salt, iterations);
        ScramKeys keys = SaltedPasswords.keys(salted);
        Arrays.fill(salted, (byte) 0);
        return new ScramSecret(iterations, salt, ScramCrypto.storedKey(keys.clientKey()), keys.serverKey());
    }

    @Override
    public String format() {
        Base64.Encoder base64 = Base64.getEncoder();
        return "SCRAM-SHA-256$" + iterations + ":" + base64.encodeToString(salt) + "$"
                + base64.encodeToString(storedKey) + ":" + base64.encodeToString(serverKey);
    }

    @Override
    public byte[] salt() {
        return salt.clone();
    }

    @Override
    public byte[] storedKey() {
        return storedKey.clone();
    }

    @Override
    public byte[] serverKey() {
        return serverKey.clone();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof ScramSecret that
                && iterations == that.iterations
                && Arrays.equals(salt, that.salt)
                && MessageDigest.isEqual(storedKey, that.storedKey) & MessageDigest.isEqual(serverKey, that.serverKey);
    }

    @Override
    public int hashCode() {
        return 31 * iterations + Arrays.hashCode(salt);
    }

    @Override
    public String toString() {
        return "ScramSecret[***]";
    }

    private static byte[] base64(String part, String text) {
        Optional<byte[]> bytes = StrictBase64.decode(text);
        return bytes.orElseThrow(() -> malformed("the " + part + " is not Base64"));
    }

    private static IllegalArgumentException malformed(String why) {
        return new IllegalArgumentException("malformed SCRAM secret: " + why);
    }
}
