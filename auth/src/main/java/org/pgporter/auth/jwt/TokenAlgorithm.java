package org.pgporter.auth.jwt;

import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.jwk.Curve;
import java.security.PublicKey;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.EdECPublicKey;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.NamedParameterSpec;
import java.util.Arrays;
import java.util.Optional;

/// How a token may be signed (RFC 7518 section 3.1, RFC 8037): with a key of a pair, and only with the
/// kind of key that the algorithm is for. `none` and the ones with a shared secret do not exist here, so
/// nothing can be confused with them.
public enum TokenAlgorithm {
    RS256("RS256", JWSAlgorithm.RS256),
    RS384("RS384", JWSAlgorithm.RS384),
    RS512("RS512", JWSAlgorithm.RS512),
    PS256("PS256", JWSAlgorithm.PS256),
    PS384("PS384", JWSAlgorithm.PS384),
    PS512("PS512", JWSAlgorithm.PS512),
    ES256("ES256", JWSAlgorithm.ES256),
    ES384("ES384", JWSAlgorithm.ES384),
    EDDSA("EdDSA", JWSAlgorithm.EdDSA);

    /// The shortest RSA key, in bits: RFC 7518 section 3.3.
    public static final int LEAST_RSA_BITS = 2048;

    /// The longest RSA key, in bits: to check a signature with it takes milliseconds.
    public static final int MOST_RSA_BITS = 16_384;

    private final String word;
    private final JWSAlgorithm library;

    TokenAlgorithm(String word, JWSAlgorithm library) {
        this.word = word;
        this.library = library;
    }

    /// As it stands in a token's header, case and all.
    public static Optional<TokenAlgorithm> of(String word) {
        return Arrays.stream(values())
                .filter(algorithm -> algorithm.word.equals(word))
                .findFirst();
    }

    JWSAlgorithm library() {
        return library;
    }

    /// Whether keys of this kind make such signatures.
    public boolean fits(PublicKey key) {
        return switch (this) {
            case RS256, RS384, RS512, PS256, PS384, PS512 -> key instanceof RSAPublicKey;
            case ES256 ->
                key instanceof ECPublicKey curve && Curve.P_256.equals(Curve.forECParameterSpec(curve.getParams()));
            case ES384 ->
                key instanceof ECPublicKey curve && Curve.P_384.equals(Curve.forECParameterSpec(curve.getParams()));
            case EDDSA ->
                key instanceof EdECPublicKey edwards
                        && edwards.getParams().getName().equals(NamedParameterSpec.ED25519.getName());
        };
    }

    @Override
    public String toString() {
        return word;
    }
}
