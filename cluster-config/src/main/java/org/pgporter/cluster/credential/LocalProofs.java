package org.pgporter.cluster.credential;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.util.Optional;
import org.pgporter.auth.BackendProof;
import org.pgporter.auth.credential.CredentialKey;
import org.pgporter.auth.credential.ProofStore;

/// The proofs of a node that is alone, in memory: gone with the process.
public final class LocalProofs implements ProofStore {
    /// As many as a node with many users needs; each is about two hundred bytes.
    public static final int CAPACITY = 100_000;

    private final Cache<CredentialKey, BackendProof> proofs =
            Caffeine.newBuilder().maximumSize(CAPACITY).executor(Runnable::run).build();

    @Override
    public void learned(CredentialKey key, BackendProof proof) {
        proofs.put(key, proof);
    }

    @Override
    public Optional<BackendProof> proof(CredentialKey key) {
        return Optional.ofNullable(proofs.getIfPresent(key));
    }

    @Override
    public void forget(CredentialKey key) {
        proofs.invalidate(key);
    }
}
