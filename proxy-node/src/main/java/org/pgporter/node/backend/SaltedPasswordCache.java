package org.pgporter.node.backend;

import com.github.benmanes.caffeine.cache.AsyncCache;
import com.github.benmanes.caffeine.cache.Caffeine;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.pgporter.auth.Secret;
import org.pgporter.auth.credential.SaltedPasswords;
import org.pgporter.auth.scram.ScramClientExchange;

/// Derives the salted passwords by which backend connections log in with SCRAM, on an executor for CPU work, and
/// remembers them: PostgreSQL uses the same salt for a role until its password changes, and a derivation costs
/// about a millisecond of CPU.
public final class SaltedPasswordCache {
    /// As many as a node with many users needs; each is a few dozen bytes.
    private static final int CAPACITY = 10_000;

    private record Derivation(Secret password, ByteBuffer salt, int iterations) {}

    private final AsyncCache<Derivation, byte[]> salted;

    public SaltedPasswordCache(Executor cpu) {
        this.salted = Caffeine.newBuilder().maximumSize(CAPACITY).executor(cpu).buildAsync();
    }

    /// A salted password that the caller may wipe. Fails when the executor has no place for the derivation.
    CompletionStage<byte[]> derive(ScramClientExchange.NeedsSaltedPassword asked) {
        try {
            return derivation(asked);
        } catch (RejectedExecutionException e) {
            return CompletableFuture.failedStage(e);
        }
    }

    private CompletionStage<byte[]> derivation(ScramClientExchange.NeedsSaltedPassword asked) {
        return salted.get(
                        new Derivation(asked.password(), ByteBuffer.wrap(asked.salt()), asked.iterations()),
                        key -> SaltedPasswords.derive(key.password(), asked.salt(), key.iterations()))
                .thenApply(byte[]::clone);
    }
}
