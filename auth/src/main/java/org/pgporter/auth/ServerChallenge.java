package org.pgporter.auth;

import java.util.List;

/// What the server says in an authentication that is still going on: one of PostgreSQL's `Authentication…`
/// messages. Arrays are handed over, not copied: whoever receives one may keep it, and nobody changes it.
public sealed interface ServerChallenge {
    /// `AuthenticationCleartextPassword`.
    record CleartextPassword() implements ServerChallenge {}

    /// `AuthenticationMD5Password`.
    ///
    /// @param salt 4 bytes
    record Md5Password(byte[] salt) implements ServerChallenge {}

    /// `AuthenticationSASL`.
    ///
    /// @param mechanisms at least one name, the preferred one first
    record SaslMechanisms(List<String> mechanisms) implements ServerChallenge {
        public SaslMechanisms {
            mechanisms = List.copyOf(mechanisms);
        }
    }

    /// `AuthenticationSASLContinue`.
    ///
    /// @param data the mechanism's own message, may be empty
    record SaslContinue(byte[] data) implements ServerChallenge {}
}
