package org.pgporter.support;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.Signature;
import java.time.Instant;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/// A token in the making. Each method changes it and returns it.
///
/// ```java
/// provider.token("alice").with("groups", List.of("dba")).signed()
/// ```
public final class TestToken {
    private final Map<String, Object> header = new LinkedHashMap<>();
    private final Map<String, Object> claims = new LinkedHashMap<>();
    private KeyPair key;

    /// A token signed with RS256.
    TestToken(KeyPair key, String keyId) {
        this.key = key;
        header.put("alg", "RS256");
        header.put("kid", keyId);
    }

    /// A token for a key file: nothing but what it is given.
    public static TestToken by(KeyPair key, String keyId) {
        return new TestToken(key, keyId);
    }

    /// @param value a text, a number, a list of texts, or a map from texts to such
    public TestToken with(String claim, Object value) {
        claims.put(claim, value);
        return this;
    }

    public TestToken without(String claim) {
        claims.remove(claim);
        return this;
    }

    /// @param seconds from now; less than zero: it has ended already
    public TestToken expiresIn(long seconds) {
        return with("exp", Instant.now().getEpochSecond() + seconds);
    }

    public TestToken withHeader(String name, Object value) {
        header.put(name, value);
        return this;
    }

    public TestToken withoutHeader(String name) {
        header.remove(name);
        return this;
    }

    /// Signed by somebody else.
    public TestToken signedBy(KeyPair other) {
        key = other;
        return this;
    }

    /// The token, with a signature by its key.
    public String signed() {
        try {
            var text = unsigned();
            var signature = Signature.getInstance("SHA256withRSA");
            signature.initSign(key.getPrivate());
            signature.update(text.getBytes(StandardCharsets.US_ASCII));
            return text + "." + base64(signature.sign());
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    /// The token without a signature.
    public String unsigned() {
        return base64(json(header).getBytes(StandardCharsets.UTF_8)) + "."
                + base64(json(claims).getBytes(StandardCharsets.UTF_8));
    }

    static String base64(byte[] bytes) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    static String json(Object value) {
        return switch (value) {
            case Map<?, ?> map ->
                map.entrySet().stream()
                        .map(entry -> json(entry.getKey()) + ":" + json(entry.getValue()))
                        .collect(Collectors.joining(",", "{", "}"));
            case List<?> list -> list.stream().map(TestToken::json).collect(Collectors.joining(",", "[", "]"));
            case String text -> "\"" + text.replace("\\", "\\\\").replace("\"", "\\\"") + "\"";
            default -> String.valueOf(value);
        };
    }
}
