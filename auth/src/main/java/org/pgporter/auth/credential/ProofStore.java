package org.pgporter.auth.credential;

import java.util.Optional;
import org.pgporter.auth.BackendProof;

/// What clients have proved themselves with and their backend connections log in with (passthrough). Pools
/// ask it each time they open a connection, so what is kept here survives backends, pools and reloads. A
/// fleet can put one in its place that all nodes share. Safe to use from all threads; asking never blocks.
public interface ProofStore {
    /// The client has just proved itself with this; it takes the place of what was there.
    void learned(CredentialKey key, BackendProof proof);

    /// The last that was learned, if it is still there.
    Optional<BackendProof> proof(CredentialKey key);

    /// What was learned holds no longer: the password has changed, or the user is gone.
    void forget(CredentialKey key);
}
