package org.pgporter.auth;

import java.security.MessageDigest;
import java.util.Arrays;

/// The two keys of RFC 5802 that replace a password: with the client key one logs in, with the server key one
/// checks the server. They fit only a backend that stores the same SCRAM secret (same salt, same iterations).
///
/// @param clientKey 32 bytes
/// @param serverKey 32 bytes
public record ScramKeys(byte[] clientKey, byte[] serverKey) implements BackendProof {
    /// The output size of SHA-256, in bytes.
    public static final int KEY_LENGTH = 32;

    /// @throws IllegalArgumentException if a key does not have 32 bytes
    public ScramKeys {
        if (clientKey.length != KEY_LENGTH || serverKey.length != KEY_LENGTH) {
            throw new IllegalArgumentException("a SCRAM-SHA-256 key has " + KEY_LENGTH + " bytes");
        }
        clientKey = clientKey.clone();
        serverKey = serverKey.clone();
    }

    @Override
    public byte[] clientKey() {
        return clientKey.clone();
    }

    @Override
    public byte[] serverKey() {
        return serverKey.clone();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof ScramKeys that
                && MessageDigest.isEqual(clientKey, that.clientKey) & MessageDigest.isEqual(serverKey, that.serverKey);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(serverKey);
    }

    @Override
    public String toString() {
        return "ScramKeys[***]";
    }
}
