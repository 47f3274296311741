package org.pgporter.auth.jwt;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.security.interfaces.ECPublicKey;
import java.security.spec.ECGenParameterSpec;
import java.security.spec.MGF1ParameterSpec;
import java.security.spec.PSSParameterSpec;
import java.util.Base64;
import java.util.Map;
import java.util.stream.Collectors;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/// Makes tokens by the JDK alone, so that what reads them is checked by somebody else.
final class TestTokens {
    static final KeyPair RSA = rsa(2048);
    static final KeyPair OTHER_RSA = rsa(2048);
    static final KeyPair P256 = curve("secp256r1");
    static final KeyPair P384 = curve("secp384r1");
    static final KeyPair ED25519 = edwards();

    private TestTokens() {}

    static KeyPair rsa(int bits) {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
            generator.initialize(bits);
            return generator.generateKeyPair();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private static KeyPair curve(String name) {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
            generator.initialize(new ECGenParameterSpec(name));
            return generator.generateKeyPair();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private static KeyPair edwards() {
        try {
            return KeyPairGenerator.getInstance("Ed25519").generateKeyPair();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    static String json(Map<String, Object> members) {
        return members.entrySet().stream()
                .map(member -> Json.quoted(member.getKey()) + ":"
                        + (member.getValue() instanceof String text ? Json.quoted(text) : member.getValue()))
                .collect(Collectors.joining(",", "{", "}"));
    }

    static String signed(String header, String claims, String algorithm, KeyPair key) {
        String signed = encoded(header) + "." + encoded(claims);
        return signed + "." + base64(signature(signed.getBytes(StandardCharsets.US_ASCII), algorithm, key));
    }

    static byte[] signature(byte[] bytes, String algorithm, KeyPair key) {
        try {
            Signature signature = Signature.getInstance(
                    switch (algorithm.substring(0, 2)) {
                        case "RS" -> "SHA" + algorithm.substring(2) + "withRSA";
                        case "PS" -> "RSASSA-PSS";
                        case "ES" -> "SHA" + algorithm.substring(2) + "withECDSAinP1363Format";
                        default -> "Ed25519";
                    });
            if (algorithm.startsWith("PS")) {
                String digest = "SHA-" + algorithm.substring(2);
                signature.setParameter(new PSSParameterSpec(
                        digest,
                        "MGF1",
                        new MGF1ParameterSpec(digest),
                        Integer.parseInt(algorithm.substring(2)) / 8,
                        1));
            }
            signature.initSign(key.getPrivate());
            signature.update(bytes);
            return signature.sign();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    /// Signed with a shared secret: what somebody tries who has only the public key.
    static String macked(String header, String claims, byte[] secret) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(secret, "HmacSHA256"));
            String signed = encoded(header) + "." + encoded(claims);
            return signed + "." + base64(mac.doFinal(signed.getBytes(StandardCharsets.US_ASCII)));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    static String encoded(String json) {
        return base64(json.getBytes(StandardCharsets.UTF_8));
    }

    static String base64(byte[] bytes) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    static KeyPair keyFor(String algorithm) {
        return switch (algorithm) {
            case "ES256" -> P256;
            case "ES384" -> P384;
            case "EdDSA" -> ED25519;
            default -> RSA;
        };
    }

    static String pem(java.security.PublicKey key) {
        return "-----BEGIN PUBLIC KEY-----\n"
                + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(key.getEncoded())
                + "\n-----END PUBLIC KEY-----\n";
    }

    static int bits(ECPublicKey key) {
        return key.getParams().getOrder().bitLength();
    }
}
