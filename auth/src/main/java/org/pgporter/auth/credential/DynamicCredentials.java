package org.pgporter.auth.credential;

import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/// Users who stand in no configuration: they are looked up where they are kept, and what was found is
/// remembered for a while. The port behind which a node's own cache can be replaced by one of the fleet.
/// Safe to use from all threads; nothing blocks, and every stage completes normally.
public interface DynamicCredentials extends CredentialSource {
    /// What a lookup says.
    sealed interface Answer {
        /// @param startupParameters settings that the user's backend connections shall start with
        record Found(HashedCredential credential, Map<String, String> startupParameters) implements Answer {
            public Found {
                startupParameters = Map.copyOf(startupParameters);
            }
        }

        record NotFound() implements Answer {}

        /// @param cause for the operator; contains nothing secret
        record Unavailable(String cause) implements Answer {}
    }

    /// Whether users of this database are looked up at all.
    boolean serves(String database);

    /// Looks a user up, or remembers him.
    CompletionStage<Answer> find(CredentialKey key);

    /// Somebody's proof did not fit what [#find] gave: is that out of date? Asks again, but not so often
    /// that wrong passwords become lookups.
    ///
    /// @param rejected what the proof did not fit
    /// @return what holds now; equal to `rejected` where nothing has changed, or nobody may ask at this
    /// moment
    CompletionStage<Answer> findAgain(CredentialKey key, HashedCredential rejected);

    @Override
    default CompletionStage<CredentialLookup> lookup(CredentialKey key) {
        return serves(key.database())
                ? find(key).thenApply(DynamicCredentials::lookup)
                : CompletableFuture.completedStage(new CredentialLookup.NotFound());
    }

    /// The answer in the words of [CredentialSource].
    static CredentialLookup lookup(Answer answer) {
        return switch (answer) {
            case Answer.Found(var credential, var _) -> new CredentialLookup.Found(credential);
            case Answer.NotFound _ -> new CredentialLookup.NotFound();
            case Answer.Unavailable(var cause) -> new CredentialLookup.Unavailable(cause);
        };
    }
}
