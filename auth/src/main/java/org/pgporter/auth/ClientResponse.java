package org.pgporter.auth;

import java.util.Optional;

/// What the client answered to a [ServerChallenge]. On the wire all of them are the message `p`; the challenge
/// before it says which one it is. Arrays are handed over, not copied.
public sealed interface ClientResponse {
    /// `PasswordMessage`.
    ///
    /// @param text the password or the MD5 response, without the NUL that ends it on the wire
    record Password(byte[] text) implements ClientResponse {
        @Override
        public String toString() {
            return "Password[***]";
        }
    }

    /// `SASLInitialResponse`.
    ///
    /// @param mechanism the mechanism the client chose
    /// @param data the mechanism's first message, or empty if the client sent none (length -1)
    record SaslInitial(String mechanism, Optional<byte[]> data) implements ClientResponse {
        @Override
        public String toString() {
            return "SaslInitial[***]";
        }
    }

    /// `SASLResponse`.
    ///
    /// @param data the mechanism's own message
    record Sasl(byte[] data) implements ClientResponse {
        @Override
        public String toString() {
            return "Sasl[***]";
        }
    }
}
