package org.pgporter.auth.jwt;

import java.time.Instant;

/// What comes of looking at a token.
public sealed interface TokenVerdict {
    /// Genuine, and for us.
    ///
    /// @param expires its `exp`
    record Accepted(Claims claims, Instant expires) implements TokenVerdict {}

    /// @param reason for the operator's log; quotes nothing of the token
    record Refused(String reason) implements TokenVerdict {}

    /// It could not be looked at; nothing is held against the client.
    record Unavailable(String cause) implements TokenVerdict {}
}
