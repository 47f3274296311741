package org.pgporter.auth.jwt;

import java.security.PublicKey;
import java.security.interfaces.RSAPublicKey;
import java.util.Arrays;
import java.util.Optional;

/// A public key that tokens are checked with.
///
/// @param keyId by which tokens name it; empty where nothing names it, as in a PEM file
/// @param key RSA of 2048 bits or more, EC on P-256 or P-384, or Ed25519
/// @param algorithm the only one that it is for; empty: each that fits its kind
public record VerificationKey(Optional<String> keyId, PublicKey key, Optional<TokenAlgorithm> algorithm) {
    /// @throws IllegalArgumentException if nobody should trust signatures of such a key; the message says
    /// why
    public VerificationKey {
        if (key instanceof RSAPublicKey rsa) {
            int bits = rsa.getModulus().bitLength();
            if (bits < TokenAlgorithm.LEAST_RSA_BITS || bits > TokenAlgorithm.MOST_RSA_BITS) {
                throw new IllegalArgumentException("an RSA key has " + TokenAlgorithm.LEAST_RSA_BITS + " to "
                        + TokenAlgorithm.MOST_RSA_BITS + " bits, this one has " + bits);
            }
        } else if (Arrays.stream(TokenAlgorithm.values()).noneMatch(known -> known.fits(key))) {
            throw new IllegalArgumentException("a key is RSA, EC on P-256 or P-384, or Ed25519; this one is not");
        }
        if (algorithm.filter(only -> !only.fits(key)).isPresent()) {
            throw new IllegalArgumentException("the key is not of the kind that its algorithm needs");
        }
    }

    /// A key that no name leads to.
    public static VerificationKey unnamed(PublicKey key) {
        return new VerificationKey(Optional.empty(), key, Optional.empty());
    }

    /// The same under a name.
    public VerificationKey named(String name) {
        return new VerificationKey(Optional.of(name), key, algorithm);
    }

    boolean signs(TokenAlgorithm wanted) {
        return wanted.fits(key) && algorithm.filter(only -> only != wanted).isEmpty();
    }
}
