package org.pgporter.cluster.credential;

import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import org.pgporter.auth.credential.HashedCredential;

/// Asks where the users of one database are kept. Each call is one question.
@FunctionalInterface
public interface UserLookups {
    /// What came of it.
    sealed interface Outcome {
        /// @param validUntil from when on the password opens nothing
        record Known(HashedCredential credential, Optional<Instant> validUntil, Map<String, String> startupParameters)
                implements Outcome {}

        record Unknown() implements Outcome {}

        /// Nobody could be asked, or the answer made no sense.
        ///
        /// @param cause for the operator; contains nothing secret
        record Failed(String cause) implements Outcome {}
    }

    /// Never blocks. The stage completes normally in all cases, and within a bounded time.
    CompletionStage<Outcome> lookup(String user);
}
