package org.pgporter.auth.credential;

import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/// Credentials that are all known, as those in the configuration. Answers at once.
public final class FixedCredentials implements CredentialSource {
    private final Map<CredentialKey, StoredCredential> credentials;

    /// @param credentials copied
    public FixedCredentials(Map<CredentialKey, ? extends StoredCredential> credentials) {
        this.credentials = Map.copyOf(credentials);
    }

    @Override
    public CompletionStage<CredentialLookup> lookup(CredentialKey key) {
        StoredCredential credential = credentials.get(key);
        return CompletableFuture.completedStage(
                credential == null ? new CredentialLookup.NotFound() : new CredentialLookup.Found(credential));
    }
}
