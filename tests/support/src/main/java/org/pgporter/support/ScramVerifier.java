package org.pgporter.support;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.HexFormat;
import java.util.concurrent.ThreadLocalRandom;
import javax.crypto.Mac;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;
import javax.crypto.spec.SecretKeySpec;

/// The server's side of one SCRAM-SHA-256 exchange without channel binding (RFC 5802 and 7677), as small as a fake
/// needs it:
/// passwords in ASCII, no limits.
final class ScramVerifier {
    private static final int KEY_BITS = 256;

    private final byte[] salt = new byte[16];
    private final byte[] saltedPassword;
    private final int iterations;
    private String clientFirstBare = "";
    private String serverFirst = "";

    ScramVerifier(String password, int iterations) {
        ThreadLocalRandom.current().nextBytes(salt);
        this.iterations = iterations;
        try {
            this.saltedPassword = SecretKeyFactory.getInstance("PBKDF2WithHmacSHA256")
                    .generateSecret(new PBEKeySpec(password.toCharArray(), salt, iterations, KEY_BITS))
                    .getEncoded();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    /// Answers `n,,n=user,r=nonce`.
    String serverFirst(String clientFirst) {
        clientFirstBare = clientFirst.substring(clientFirst.indexOf(',', clientFirst.indexOf(',') + 1) + 1);
        var clientNonce = clientFirstBare.substring(clientFirstBare.indexOf("r=") + 2);
        var own = new byte[12];
        ThreadLocalRandom.current().nextBytes(own);
        serverFirst = "r=" + clientNonce + HexFormat.of().formatHex(own) + ",s="
                + Base64.getEncoder().encodeToString(salt) + ",i=" + iterations;
        return serverFirst;
    }

    /// True if `c=…,r=…,p=proof` proves that the client knows the password.
    boolean verifies(String clientFinal) {
        var proof = Base64.getDecoder().decode(clientFinal.substring(clientFinal.indexOf(",p=") + 3));
        var clientKey = hmac(saltedPassword, "Client Key");
        var signature = hmac(sha256(clientKey), authMessage(clientFinal));
        for (int i = 0; i < signature.length; i++) {
            signature[i] ^= clientKey[i];
        }
        return MessageDigest.isEqual(signature, proof);
    }

    /// `v=` and the server's own proof; a wrong one when asked for.
    String serverFinal(String clientFinal, boolean honest) {
        var signature = hmac(hmac(saltedPassword, "Server Key"), authMessage(clientFinal));
        if (!honest) {
            signature[0] ^= 1;
        }
        return "v=" + Base64.getEncoder().encodeToString(signature);
    }

    private String authMessage(String clientFinal) {
        return clientFirstBare + "," + serverFirst + "," + clientFinal.substring(0, clientFinal.indexOf(",p="));
    }

    private static byte[] hmac(byte[] key, String message) {
        try {
            var mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(key, "HmacSHA256"));
            return mac.doFinal(message.getBytes(StandardCharsets.UTF_8));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private static byte[] sha256(byte[] bytes) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(bytes);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }
}
