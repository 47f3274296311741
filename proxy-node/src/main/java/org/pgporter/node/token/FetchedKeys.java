package org.pgporter.node.token;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.pgporter.auth.jwt.KeySet;
import org.pgporter.auth.jwt.TokenAlgorithm;
import org.pgporter.auth.jwt.TokenKeys;
import org.pgporter.cluster.jwks.KeySetSource;
import org.pgporter.node.logging.LogKeys;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The keys of an issuer that has to be asked for them. For many threads.
///
/// ```
///  age of the keys   0 ─────────── ¾ ttl ─────────── ttl ──────────────── ttl + stale
///  a known key       at once       at once, and they are fetched anew     as an unknown one
///  an unknown key    they are fetched anew, once in the interval for all who ask
/// ```
///
/// So nobody whose key is known waits for the issuer, and no stranger's key id makes us ask it more often
/// than once in the interval. A fetch that fails leaves what is there.
final class FetchedKeys implements TokenKeys {
    private static final Logger LOG = LoggerFactory.getLogger(FetchedKeys.class);

    private final String issuer;
    private final KeySetSource source;
    private final long ttl;
    private final long stale;
    private final long interval;
    private final LongSupplier nanoTime;

    private record Fetched(KeySet keys, long at) {}

    private volatile @Nullable Fetched fetched;
    // Guarded by this.
    private @Nullable CompletableFuture<Void> underWay;
    private boolean tried;
    private long triedAt;
    private volatile @Nullable String failure;

    /// @param issuer its name, for logs
    /// @param interval between two fetches, at least
    FetchedKeys(
            String issuer,
            KeySetSource source,
            Duration ttl,
            Duration stale,
            Duration interval,
            LongSupplier nanoTime) {
        this.issuer = issuer;
        this.source = source;
        this.ttl = ttl.toNanos();
        this.stale = stale.toNanos();
        this.interval = interval.toNanos();
        this.nanoTime = nanoTime;
    }

    @Override
    public CompletionStage<Answer> find(Optional<String> keyId, TokenAlgorithm algorithm) {
        long now = nanoTime.getAsLong();
        Fetched known = usable(now);
        if (known != null) {
            Answer answer = TokenKeys.answer(known.keys(), keyId, algorithm);
            if (answer instanceof Answer.Found) {
                if (now - known.at() > ttl / 4 * 3) {
                    fetch(now);
                }
                return CompletableFuture.completedStage(answer);
            }
        }
        return fetch(now)
                .<CompletionStage<Answer>>map(
                        fetch -> fetch.thenApply(_ -> byNow(nanoTime.getAsLong(), keyId, algorithm)))
                .orElseGet(() -> CompletableFuture.completedStage(byNow(now, keyId, algorithm)));
    }

    /// Fetches the keys now, so that the first login need not wait for them.
    void prepare() {
        fetch(nanoTime.getAsLong());
    }

    private Answer byNow(long now, Optional<String> keyId, TokenAlgorithm algorithm) {
        String cause = failure;
        Fetched known = usable(now);
        Answer answer = known == null ? new Answer.Unknown() : TokenKeys.answer(known.keys(), keyId, algorithm);
        // Who could not be asked may well have the key.
        return answer instanceof Answer.Unknown && cause != null
                ? new Answer.Unavailable("the keys of issuer " + issuer + " cannot be fetched: " + cause)
                : answer;
    }

    private @Nullable Fetched usable(long now) {
        Fetched known = fetched;
        return known != null && now - known.at() < ttl + stale ? known : null;
    }

    /// The fetch that is under way, or a new one; empty if the last one was a moment ago.
    private Optional<CompletableFuture<Void>> fetch(long now) {
        CompletableFuture<Void> mine;
        synchronized (this) {
            if (underWay != null) {
                return Optional.of(underWay);
            }
            if (tried && now - triedAt < interval) {
                return Optional.empty();
            }
            tried = true;
            triedAt = now;
            mine = new CompletableFuture<>();
            underWay = mine;
        }
        ask().whenComplete((keys, problem) -> {
            if (problem == null) {
                fetched = new Fetched(keys, nanoTime.getAsLong());
                succeeded(keys);
            } else {
                failed(problem);
            }
            synchronized (this) {
                underWay = null;
            }
            mine.complete(null);
        });
        return Optional.of(mine);
    }

    private CompletionStage<KeySet> ask() {
        try {
            return source.fetch();
        } catch (RuntimeException e) {
            return CompletableFuture.failedStage(e);
        }
    }

    private void succeeded(KeySet keys) {
        if (failure != null || keys.keys().isEmpty()) {
            LOG.atInfo()
                    .addKeyValue(LogKeys.ISSUER, issuer)
                    .addKeyValue(LogKeys.COUNT, keys.keys().size())
                    .log("keys of an issuer of tokens fetched");
        }
        failure = null;
    }

    private void failed(Throwable problem) {
        Throwable root = problem.getCause() == null ? problem : problem.getCause();
        String cause = root.getMessage() == null ? root.getClass().getSimpleName() : root.getMessage();
        if (failure == null) { // said once, until it is over
            LOG.atWarn()
                    .addKeyValue(LogKeys.ISSUER, issuer)
                    .addKeyValue(LogKeys.REASON, cause)
                    .log("keys of an issuer of tokens cannot be fetched");
        }
        failure = cause;
    }
}
