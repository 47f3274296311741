package org.pgporter.auth.credential;

import java.nio.charset.StandardCharsets;
import java.security.InvalidKeyException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/// The formulas of RFC 5802 with SHA-256. Every JDK must have both algorithms, so their absence is not a
/// result.
public final class ScramCrypto {
    private static final String HMAC = "HmacSHA256";

    private ScramCrypto() {}

    /// HMAC-SHA-256 of a message, 32 bytes.
    public static byte[] hmac(byte[] key, byte[] message) {
        try {
            Mac mac = Mac.getInstance(HMAC);
            mac.init(new SecretKeySpec(key, HMAC));
            return mac.doFinal(message);
        } catch (NoSuchAlgorithmException | InvalidKeyException e) {
            throw new IllegalStateException("HmacSHA256 is not available", e);
        }
    }

    /// `HMAC(key, text)` of an ASCII text.
    static byte[] hmac(byte[] key, String text) {
        return hmac(key, text.getBytes(StandardCharsets.US_ASCII));
    }

    /// `StoredKey := H(ClientKey)`, 32 bytes.
    public static byte[] storedKey(byte[] clientKey) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(clientKey);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("SHA-256 is not available", e);
        }
    }

    /// Byte-wise exclusive or of two arrays of the same length, in a new one. Turns a proof into the client key
    /// and back.
    public static byte[] xor(byte[] left, byte[] right) {
        byte[] result = new byte[left.length];
        for (int i = 0; i < left.length; i++) {
            result[i] = (byte) (left[i] ^ right[i]);
        }
        return result;
    }
}
