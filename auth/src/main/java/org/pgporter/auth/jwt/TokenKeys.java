package org.pgporter.auth.jwt;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/// The keys of one issuer, wherever they come from. Asking never blocks; whoever answers bounds how often
/// a stranger's key id can lead to the network.
@FunctionalInterface
public interface TokenKeys {
    /// @param keyId as the token says, and nobody has checked
    /// @return completes normally in all cases
    CompletionStage<Answer> find(Optional<String> keyId, TokenAlgorithm algorithm);

    sealed interface Answer {
        /// @param keys that may have signed the token, at least one
        record Found(List<VerificationKey> keys) implements Answer {}

        /// The issuer has no such key.
        record Unknown() implements Answer {}

        /// The issuer could not be asked.
        record Unavailable(String cause) implements Answer {}
    }

    /// Keys that never change.
    static TokenKeys fixed(KeySet keys) {
        return (keyId, algorithm) -> CompletableFuture.completedStage(answer(keys, keyId, algorithm));
    }

    static Answer answer(KeySet keys, Optional<String> keyId, TokenAlgorithm algorithm) {
        List<VerificationKey> found = keys.candidates(keyId, algorithm);
        return found.isEmpty() ? new Answer.Unknown() : new Answer.Found(found);
    }
}
