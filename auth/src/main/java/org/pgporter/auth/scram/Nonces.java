package org.pgporter.auth.scram;

import java.security.SecureRandom;
import java.util.Base64;

/// Makes our half of a nonce.
final class Nonces {
    /// Random bytes in a nonce; 18, as in PostgreSQL, give 24 characters without padding.
    private static final int RANDOM_BYTES = 18;

    private Nonces() {}

    static String next(SecureRandom random) {
        byte[] bytes = new byte[RANDOM_BYTES];
        random.nextBytes(bytes);
        return Base64.getEncoder().encodeToString(bytes);
    }
}
