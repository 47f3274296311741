package org.pgporter.auth.jwt;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.jwk.AsymmetricJWK;
import com.nimbusds.jose.jwk.JWK;
import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.spec.EdECPoint;
import java.security.spec.EdECPublicKeySpec;
import java.security.spec.NamedParameterSpec;
import java.text.ParseException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Reads what an issuer publishes at its `jwks_uri` (RFC 7517).
public final class JwkSets {
    /// Keys in one set. Issuers publish fewer than ten.
    public static final int MOST_KEYS = 100;

    /// Only these members make a key: whatever else stands there, such as a certificate or where to fetch
    /// one, is not looked at.
    private static final Set<String> OF_KEYS = Set.of("kty", "n", "e", "crv", "x", "y");

    private JwkSets() {}

    /// The keys for signatures. One that cannot be used (a kind that nobody knows here, too short, for
    /// encryption) is left out and does no harm to the others.
    ///
    /// @throws Json.Malformed if it is not a set of keys
    public static KeySet parse(byte[] json) throws Json.Malformed {
        if (!(Json.object(json).get("keys") instanceof List<?> list)) {
            throw new Json.Malformed("has no `keys`");
        }
        if (list.size() > MOST_KEYS) {
            throw new Json.Malformed("has more than " + MOST_KEYS + " keys");
        }
        List<VerificationKey> keys = new ArrayList<>();
        for (Object entry : list) {
            if (entry instanceof Map<?, ?> jwk) {
                key(jwk).ifPresent(keys::add);
            }
        }
        return new KeySet(keys);
    }

    private static Optional<VerificationKey> key(Map<?, ?> jwk) {
        Object use = jwk.get("use");
        Object operations = jwk.get("key_ops");
        boolean forSignatures = (use == null || "sig".equals(use))
                && (operations == null || operations instanceof List<?> list && list.contains("verify"));
        if (!forSignatures) {
            return Optional.empty();
        }
        Optional<TokenAlgorithm> only = Optional.empty();
        if (jwk.get("alg") instanceof String word) {
            only = TokenAlgorithm.of(word);
            if (only.isEmpty()) {
                return Optional.empty();
            }
        }
        Optional<String> keyId =
                jwk.get("kid") instanceof String name && !name.isEmpty() ? Optional.of(name) : Optional.empty();
        try {
            return Optional.of(new VerificationKey(keyId, publicKey(jwk), only));
        } catch (ParseException | JOSEException | GeneralSecurityException | IllegalArgumentException _) {
            return Optional.empty();
        }
    }

    private static PublicKey publicKey(Map<?, ?> jwk) throws ParseException, JOSEException, GeneralSecurityException {
        if ("OKP".equals(jwk.get("kty"))) {
            return ed25519(jwk);
        }
        Map<String, Object> members = new HashMap<>();
        for (String name : OF_KEYS) {
            if (jwk.get(name) instanceof String value) {
                members.put(name, value);
            }
        }
        // The library checks that a point lies on its curve.
        if (JWK.parse(members) instanceof AsymmetricJWK pair) {
            return pair.toPublicKey();
        }
        throw new IllegalArgumentException("a secret that two share");
    }

    /// RFC 8032 section 5.1.2: the y coordinate in little-endian order, and in the highest bit the parity
    /// of x. The library needs another one for this.
    private static PublicKey ed25519(Map<?, ?> jwk) throws GeneralSecurityException {
        if (!"Ed25519".equals(jwk.get("crv")) || !(jwk.get("x") instanceof String encoded)) {
            throw new IllegalArgumentException("not Ed25519");
        }
        byte[] bytes = Base64.getUrlDecoder().decode(encoded);
        if (bytes.length != 32) {
            throw new IllegalArgumentException("not 32 bytes");
        }
        byte[] bigEndian = new byte[bytes.length];
        for (int i = 0; i < bytes.length; i++) {
            bigEndian[i] = bytes[bytes.length - 1 - i];
        }
        boolean odd = (bigEndian[0] & 0x80) != 0;
        bigEndian[0] &= 0x7f;
        EdECPoint point = new EdECPoint(odd, new BigInteger(1, bigEndian));
        return KeyFactory.getInstance("Ed25519")
                .generatePublic(new EdECPublicKeySpec(NamedParameterSpec.ED25519, point));
    }
}
