package org.pgporter.auth.credential;

/// The answer of a [CredentialSource]. "No such user" and "could not look" are different answers: the first may
/// be remembered, the second may not, and is never held against the client.
public sealed interface CredentialLookup {
    record Found(StoredCredential credential) implements CredentialLookup {}

    record NotFound() implements CredentialLookup {}

    /// @param cause for the operator; contains nothing secret
    record Unavailable(String cause) implements CredentialLookup {}
}
