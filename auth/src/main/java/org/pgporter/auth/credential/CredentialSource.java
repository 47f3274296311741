package org.pgporter.auth.credential;

import java.util.concurrent.CompletionStage;

/// Where stored credentials come from: the configuration, or later `auth_query` with a cache of the fleet.
public interface CredentialSource {
    /// Looks a credential up without blocking. The stage completes normally in all cases; failure is
    /// [CredentialLookup.Unavailable].
    CompletionStage<CredentialLookup> lookup(CredentialKey key);
}
