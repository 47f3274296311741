package org.pgporter.auth.hba;

/// What a map says.
public sealed interface IdentityVerdict {
    /// It is one of his names.
    record Matches() implements IdentityVerdict {}

    /// It is not, and so he does not come in.
    ///
    /// @param reason for the operator
    record NoMatch(String reason) implements IdentityVerdict {}

    /// It cannot be told now. He does not come in, and it is not held against him.
    ///
    /// @param cause for the operator
    record Undecided(String cause) implements IdentityVerdict {}
}
