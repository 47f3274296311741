package org.pgporter.auth.jwt;

import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// A token in its compact form (RFC 7515 section 7.1), taken apart and not yet believed.
///
/// @param signed what the signature is over
/// @param signature as sent
record CompactToken(TokenAlgorithm algorithm, Optional<String> keyId, Claims claims, byte[] signed, byte[] signature) {
    /// The longest name of a key, in characters. Ours.
    static final int MOST_KEY_ID = 256;

    /// Members of the header by which a token would bring or name its own key, or ask for what is not done
    /// here.
    private static final Set<String> REFUSED = Set.of("crit", "jku", "x5u", "x5c", "jwk", "b64", "zip", "enc");

    /// What a token that lets somebody in calls itself, if it does (RFC 7519 section 5.1, RFC 9068):
    /// others, such as logout tokens, are signed with the same keys and mean something else.
    private static final Set<String> TYPES = Set.of("jwt", "at+jwt", "application/jwt", "application/at+jwt");

    static CompactToken parse(String token, int mostLength) throws TokenRefused {
        if (token.length() > mostLength) {
            throw new TokenRefused("the token is longer than " + mostLength + " characters");
        }
        int first = token.indexOf('.');
        int second = token.indexOf('.', first + 1);
        if (first < 0 || second < 0 || token.indexOf('.', second + 1) >= 0) {
            throw new TokenRefused("this is not a token: it does not have three parts");
        }
        Map<String, Object> header = object(token.substring(0, first), "header");
        Claims claims = new Claims(object(token.substring(first + 1, second), "claims"));
        for (String name : REFUSED) {
            if (header.containsKey(name)) {
                throw new TokenRefused("the token's header has `" + name + "`");
            }
        }
        if (!(header.get("alg") instanceof String word)) {
            throw new TokenRefused("the token's header has no `alg`");
        }
        TokenAlgorithm algorithm = TokenAlgorithm.of(word)
                .orElseThrow(() -> new TokenRefused("the token's algorithm is none that is ever allowed"));
        Object type = header.getOrDefault("typ", "JWT");
        if (!(type instanceof String name) || !TYPES.contains(name.toLowerCase(java.util.Locale.ROOT))) {
            throw new TokenRefused("the token is of another type");
        }
        return new CompactToken(
                algorithm,
                keyId(header),
                claims,
                token.substring(0, second).getBytes(StandardCharsets.US_ASCII),
                bytes(token.substring(second + 1), "signature"));
    }

    private static Optional<String> keyId(Map<String, Object> header) throws TokenRefused {
        Object value = header.get("kid");
        if (value == null) {
            return Optional.empty();
        }
        if (!(value instanceof String name) || name.isEmpty() || name.length() > MOST_KEY_ID) {
            throw new TokenRefused("the token's `kid` is not a name");
        }
        return Optional.of(name);
    }

    private static Map<String, Object> object(String part, String what) throws TokenRefused {
        try {
            return Json.object(bytes(part, what));
        } catch (Json.Malformed e) {
            throw new TokenRefused("the token's " + what + " " + e.getMessage());
        }
    }

    /// Base64 for URLs without padding, in the one way to write it.
    private static byte[] bytes(String part, String what) throws TokenRefused {
        try {
            byte[] bytes = Base64.getUrlDecoder().decode(part);
            if (bytes.length > 0
                    && Base64.getUrlEncoder()
                            .withoutPadding()
                            .encodeToString(bytes)
                            .equals(part)) {
                return bytes;
            }
        } catch (IllegalArgumentException _) {
            // Said below.
        }
        throw new TokenRefused("the token's " + what + " is not base64url");
    }
}
