package org.pgporter.cluster.jwks;

import java.security.PublicKey;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

/// Finds the key that an issuer signed a token with. Asking never blocks; whether an answer needs the network is
/// the implementation's business, and it bounds how often a stranger's key id can cause that.
@FunctionalInterface
public interface SigningKeySource {
    /// Finds a signing key.
    ///
    /// @param issuer the `iss` claim, which the caller has found among the issuers it trusts
    /// @param keyId the `kid` header of the token, as the client sent it
    /// @return empty when the issuer does not publish such a key: the token is refused. Fails when the issuer could
    /// not be asked: that is not held against the client and not remembered
    CompletionStage<Optional<PublicKey>> find(String issuer, String keyId);
}
