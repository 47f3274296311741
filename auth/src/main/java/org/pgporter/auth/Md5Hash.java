package org.pgporter.auth;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.regex.Pattern;

/// MD5 of password and user name, as PostgreSQL stores it. Whoever has it can log in where MD5 is asked for; it
/// is of no use where SCRAM is asked for.
///
/// @param hex 32 lowercase hexadecimal digits, without the prefix `md5`
public record Md5Hash(String hex) implements BackendProof {
    private static final Pattern DIGITS = Pattern.compile("[0-9a-f]{32}");

    /// @throws IllegalArgumentException if it is not 32 lowercase hexadecimal digits
    public Md5Hash {
        if (!DIGITS.matcher(hex).matches()) {
            throw new IllegalArgumentException("an MD5 hash has 32 lowercase hexadecimal digits");
        }
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Md5Hash(String otherHex)
                && MessageDigest.isEqual(
                        hex.getBytes(StandardCharsets.US_ASCII), otherHex.getBytes(StandardCharsets.US_ASCII));
    }

    @Override
    public int hashCode() {
        return hex.hashCode();
    }

    @Override
    public String toString() {
        return "Md5Hash[***]";
    }
}
