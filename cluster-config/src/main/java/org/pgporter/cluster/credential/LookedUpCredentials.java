package org.pgporter.cluster.credential;

import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.pgporter.auth.credential.CredentialKey;
import org.pgporter.auth.credential.DynamicCredentials;
import org.pgporter.auth.credential.HashedCredential;

/// The users of all databases with `auth_query`, each database with a cache of this node's own.
public final class LookedUpCredentials implements DynamicCredentials {
    /// `NAMEDATALEN - 1` of PostgreSQL, in bytes. No role has a longer name. PostgreSQL cuts what a client
    /// sends and lets it in as the role that has the rest for its name; here a longer name is nobody's.
    public static final int MAX_NAME_LENGTH = 63;

    private final Map<String, CredentialCache> caches;

    public LookedUpCredentials(Map<String, CredentialCache> caches) {
        this.caches = Map.copyOf(caches);
    }

    @Override
    public boolean serves(String database) {
        return caches.containsKey(database);
    }

    @Override
    public CompletionStage<Answer> find(CredentialKey key) {
        return cacheFor(key)
                .map(cache -> cache.find(key.user()))
                .orElseGet(() -> CompletableFuture.completedStage(new Answer.NotFound()));
    }

    @Override
    public CompletionStage<Answer> findAgain(CredentialKey key, HashedCredential rejected) {
        return cacheFor(key)
                .map(cache -> cache.findAgain(key.user(), rejected))
                .orElseGet(() -> CompletableFuture.completedStage(new Answer.NotFound()));
    }

    /// What is known of one database's users.
    public Optional<CredentialCache> cache(String database) {
        return Optional.ofNullable(caches.get(database));
    }

    /// Forgets everything, in all databases.
    public void forgetAll() {
        caches.values().forEach(CredentialCache::forgetAll);
    }

    private Optional<CredentialCache> cacheFor(CredentialKey key) {
        return isPossible(key.user()) ? cache(key.database()) : Optional.empty();
    }

    /// Bytes that are no UTF-8 are lone surrogates here. PostgreSQL would not take them as a parameter.
    private static boolean isPossible(String user) {
        return user.length() <= MAX_NAME_LENGTH
                && StandardCharsets.UTF_8.newEncoder().canEncode(user)
                && user.getBytes(StandardCharsets.UTF_8).length <= MAX_NAME_LENGTH;
    }
}
