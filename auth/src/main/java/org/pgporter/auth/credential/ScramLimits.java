package org.pgporter.auth.credential;

/// Bounds on what others choose in SCRAM: they keep a stored secret or a backend from making us compute or
/// remember without end.
public final class ScramLimits {
    /// Most iterations of PBKDF2 that are accepted. Three times what OWASP recommends for SHA-256 (600,000),
    /// about half a second of one core; PostgreSQL's default is 4096.
    public static final int MAX_ITERATIONS = 2_000_000;

    /// Longest salt, in bytes. PostgreSQL makes 16; managed services are known to use 32 and more.
    public static final int MAX_SALT_LENGTH = 1024;

    /// Longest nonce, in characters. PostgreSQL's are 24, and joined with the client's less than 100.
    public static final int MAX_NONCE_LENGTH = 1024;

    private ScramLimits() {}

    /// Whether the count of iterations is at least 1 and within the limit.
    public static boolean allowsIterations(int iterations) {
        return iterations >= 1 && iterations <= MAX_ITERATIONS;
    }

    /// Whether the length of a salt in bytes is at least 1 and within the limit.
    public static boolean allowsSaltLength(int length) {
        return length >= 1 && length <= MAX_SALT_LENGTH;
    }
}
