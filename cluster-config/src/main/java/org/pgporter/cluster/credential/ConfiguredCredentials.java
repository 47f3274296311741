package org.pgporter.cluster.credential;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.Supplier;
import org.pgporter.auth.MockSecrets;
import org.pgporter.auth.PasswordRotation;
import org.pgporter.auth.credential.CredentialKey;
import org.pgporter.auth.credential.CredentialLookup;
import org.pgporter.auth.credential.CredentialSource;
import org.pgporter.auth.credential.HashedCredential;
import org.pgporter.auth.credential.JwtKeyFile;
import org.pgporter.auth.credential.PlainPassword;
import org.pgporter.auth.credential.StoredCredential;
import org.pgporter.config.ConsoleOptions;
import org.pgporter.config.ProxyConfig;

/// The users of one configuration, and who may use the console without a pool. A hash is found as it stands. A plain
/// password becomes a SCRAM secret when its
/// user first logs in, once; its salt is the one that a user of that name would be asked with if it did not exist.
///
/// Immutable but for what it has derived; a reload makes a new one.
public final class ConfiguredCredentials implements CredentialSource {
    /// What a user may show.
    ///
    /// @param previous as good as the current one while a change is on its way
    private record Stored(StoredCredential current, Optional<StoredCredential> previous) {}

    private final Map<CredentialKey, Stored> configured;
    private final ConcurrentMap<CredentialKey, CompletableFuture<CredentialLookup>> derived = new ConcurrentHashMap<>();
    private final MockSecrets mocks;
    private final Executor executor;

    /// @param mocks gives the salts; must be the one that unknown users are asked with
    /// @param executor where the derivation runs, about a millisecond of CPU each; not an event loop
    public ConfiguredCredentials(ProxyConfig config, MockSecrets mocks, Executor executor) {
        Map<CredentialKey, Stored> users = new HashMap<>();
        config.pools()
                .forEach((database, pool) -> pool.users()
                        .forEach(user -> user.password()
                                .ifPresent(password -> users.put(
                                        new CredentialKey(database, user.username()),
                                        new Stored(password, user.previousPassword())))));
        ConsoleOptions console = config.general().console();
        console.adminUsername()
                .ifPresent(name -> console.adminPassword()
                        .ifPresent(password -> ConsoleOptions.DATABASES.forEach(database ->
                                users.put(new CredentialKey(database, name), new Stored(password, Optional.empty())))));
        this.configured = Map.copyOf(users);
        this.mocks = mocks;
        this.executor = executor;
    }

    @Override
    public CompletionStage<CredentialLookup> lookup(CredentialKey key) {
        return Optional.ofNullable(configured.get(key))
                .map(stored -> lookup(key, stored))
                .orElseGet(() -> CompletableFuture.completedFuture(new CredentialLookup.NotFound()));
    }

    private CompletionStage<CredentialLookup> lookup(CredentialKey key, Stored stored) {
        if (stored.previous().isPresent()) {
            StoredCredential previous = stored.previous().get();
            return derive(key, () -> PasswordRotation.combined(key.user(), stored.current(), previous, mocks));
        }
        return switch (stored.current()) {
            case HashedCredential hash -> found(hash);
            case JwtKeyFile file -> found(file);
            case PlainPassword plain -> derive(key, () -> mocks.adHocSecret(key.user(), plain));
        };
    }

    private static CompletableFuture<CredentialLookup> found(StoredCredential credential) {
        return CompletableFuture.completedFuture(new CredentialLookup.Found(credential));
    }

    private CompletionStage<CredentialLookup> derive(
            CredentialKey key, Supplier<? extends HashedCredential> derivation) {
        CompletableFuture<CredentialLookup> fresh = new CompletableFuture<>();
        CompletableFuture<CredentialLookup> earlier = derived.putIfAbsent(key, fresh);
        if (earlier != null) {
            return earlier.copy();
        }
        try {
            executor.execute(() -> {
                try {
                    fresh.complete(new CredentialLookup.Found(derivation.get()));
                } catch (RuntimeException e) {
                    giveUp(key, fresh, e);
                }
            });
        } catch (RejectedExecutionException e) {
            giveUp(key, fresh, e);
        }
        return fresh.copy();
    }

    /// Answers that the credential could not be had, and forgets it: the next login tries again.
    private void giveUp(CredentialKey key, CompletableFuture<CredentialLookup> fresh, RuntimeException cause) {
        derived.remove(key, fresh);
        // Only the type: the message of an exception that had the password at hand is not to be trusted.
        fresh.complete(new CredentialLookup.Unavailable(
                "deriving a SCRAM secret failed: " + cause.getClass().getSimpleName()));
    }
}
