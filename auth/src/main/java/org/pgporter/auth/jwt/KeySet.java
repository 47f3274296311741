package org.pgporter.auth.jwt;

import java.util.List;
import java.util.Optional;

/// The keys of one issuer at one time.
///
/// @param keys in the issuer's order
public record KeySet(List<VerificationKey> keys) {
    /// So many keys are tried where several have the same name: each costs a check of a signature.
    static final int MOST_TRIED = 4;

    public KeySet {
        keys = List.copyOf(keys);
    }

    /// Those that may have signed such a token; none if it cannot be told.
    ///
    /// @param keyId as the token says. A token that says none fits only where one key alone comes into
    ///     question.
    public List<VerificationKey> candidates(Optional<String> keyId, TokenAlgorithm algorithm) {
        List<VerificationKey> fitting = keys.stream()
                .filter(key -> key.signs(algorithm))
                .filter(key ->
                        keyId.isEmpty() || key.keyId().isEmpty() || key.keyId().equals(keyId))
                .limit(MOST_TRIED + 1L)
                .toList();
        boolean guessed = keyId.isEmpty()
                && fitting.size() > 1
                && fitting.stream().anyMatch(key -> key.keyId().isPresent());
        return guessed || fitting.size() > MOST_TRIED ? List.of() : fitting;
    }
}
