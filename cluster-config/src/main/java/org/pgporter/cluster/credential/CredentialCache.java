package org.pgporter.cluster.credential;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.Ticker;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import org.pgporter.auth.credential.DynamicCredentials.Answer;
import org.pgporter.auth.credential.HashedCredential;
import org.pgporter.cluster.credential.UserLookups.Outcome;
import org.pgporter.config.AuthQueryOptions;

/// What is known of the users of one database, found by lookups.
///
/// * One lookup serves all who wait for the same user.
/// * Who was found and who was not are kept apart, so that a flood of made-up names displaces nobody who
///   exists.
/// * When four fifths of its time are over, an entry that is used is looked up anew in the background.
/// * A lookup that was under way when its user was forgotten is of use to those who wait for it, and not
///   kept.
/// * A failed lookup changes nothing: what is known goes on being known until its time is over.
///
/// For many threads; nothing blocks.
public final class CredentialCache {
    /// The part of its time after which an entry is looked up anew, in fifths.
    private static final int REFRESHED_AFTER = 4;

    private final UserLookups lookups;
    private final Ticker ticker;
    private final InstantSource clock;
    private final Consumer<String> changed;
    private final long minInterval;
    private final long refreshAfter;
    private final Cache<String, Known> found;
    private final Cache<String, Boolean> notFound;
    private final ConcurrentMap<String, Flight> flights = new ConcurrentHashMap<>();
    private final LongAdder hits = new LongAdder();
    private final LongAdder misses = new LongAdder();
    private final LongAdder refetches = new LongAdder();
    private final LongAdder rateLimited = new LongAdder();

    /// Somebody who was found.
    ///
    /// @param askedAt when a lookup of this user was last begun
    private record Known(Outcome.Known user, long since, AtomicLong askedAt) {
        Answer.Found answer() {
            return new Answer.Found(user.credential(), user.startupParameters());
        }
    }

    /// A lookup that is under way.
    private static final class Flight {
        final CompletableFuture<Answer> answer = new CompletableFuture<>();
    }

    /// @param ticker for the time that entries last
    /// @param clock for the time at which passwords cease to hold
    /// @param changed told the name of a user when what was known of him holds no longer; on any thread
    public CredentialCache(
            AuthQueryOptions options,
            UserLookups lookups,
            Ticker ticker,
            InstantSource clock,
            Consumer<String> changed) {
        this.lookups = lookups;
        this.ticker = ticker;
        this.clock = clock;
        this.changed = changed;
        this.minInterval = options.minInterval().toNanos();
        this.refreshAfter = options.cacheTtl().toNanos() / (REFRESHED_AFTER + 1) * REFRESHED_AFTER;
        this.found = cache(options.cacheSize(), options.cacheTtl(), ticker);
        this.notFound = cache(options.cacheSize(), options.cacheFailureTtl(), ticker);
    }

    private static <V> Cache<String, V> cache(int size, Duration lasting, Ticker ticker) {
        return Caffeine.newBuilder()
                .maximumSize(size)
                .expireAfterWrite(lasting)
                .ticker(ticker)
                .executor(Runnable::run)
                .build();
    }

    /// A user as he is known, or else as a lookup finds him.
    public CompletionStage<Answer> find(String user) {
        Optional<Answer> known = known(user);
        if (known.isPresent()) {
            hits.increment();
            return CompletableFuture.completedStage(known.get());
        }
        misses.increment();
        return fetch(user);
    }

    private Optional<Answer> known(String user) {
        Known entry = found.getIfPresent(user);
        if (entry == null) {
            return notFound.getIfPresent(user) == null ? Optional.empty() : Optional.of(new Answer.NotFound());
        }
        if (!isValid(entry.user())) {
            found.invalidate(user); // it may have been prolonged
            return Optional.empty();
        }
        if (ticker.read() - entry.since() >= refreshAfter && mayAsk(entry)) {
            refetches.increment();
            fetch(user);
        }
        return Optional.of(entry.answer());
    }

    /// Looks a user up anew whose proof did not fit, unless that was done just now.
    ///
    /// @param rejected what it did not fit
    /// @return what holds now, as far as anybody knows
    public CompletionStage<Answer> findAgain(String user, HashedCredential rejected) {
        Known entry = found.getIfPresent(user);
        if (entry == null) {
            return find(user);
        }
        if (!entry.user().credential().equals(rejected)) {
            return find(user);
        }
        if (flights.containsKey(user)) {
            return fetch(user);
        }
        if (!mayAsk(entry)) {
            rateLimited.increment();
            return CompletableFuture.completedStage(entry.answer());
        }
        refetches.increment();
        return fetch(user);
    }

    private boolean mayAsk(Known entry) {
        long now = ticker.read();
        long asked = entry.askedAt().get();
        return now - asked >= minInterval && entry.askedAt().compareAndSet(asked, now);
    }

    private CompletionStage<Answer> fetch(String user) {
        Flight own = new Flight();
        Flight earlier = flights.putIfAbsent(user, own);
        if (earlier != null) {
            return earlier.answer.copy();
        }
        long begun = ticker.read();
        lookups.lookup(user)
                .whenComplete((outcome, failure) -> land(
                        user,
                        own,
                        begun,
                        failure == null
                                ? outcome
                                : new Outcome.Failed("the lookup failed: "
                                        + failure.getClass().getSimpleName())));
        return own.answer.copy();
    }

    private void land(String user, Flight flight, long begun, Outcome outcome) {
        boolean[] news = {false};
        // In one step with forgetting: what was asked before is not written after.
        flights.computeIfPresent(user, (_, current) -> {
            if (current != flight) {
                return current;
            }
            news[0] = keep(user, begun, outcome);
            return null;
        });
        if (news[0]) {
            changed.accept(user);
        }
        flight.answer.complete(
                switch (outcome) {
                    case Outcome.Known known ->
                        isValid(known)
                                ? new Answer.Found(known.credential(), known.startupParameters())
                                : new Answer.NotFound();
                    case Outcome.Unknown _ -> new Answer.NotFound();
                    case Outcome.Failed(var cause) -> new Answer.Unavailable(cause);
                });
    }

    /// @return whether something else was known before
    private boolean keep(String user, long begun, Outcome outcome) {
        Known before = found.getIfPresent(user);
        return switch (outcome) {
            case Outcome.Known known
            when isValid(known) -> {
                notFound.invalidate(user);
                found.put(user, new Known(known, begun, new AtomicLong(begun)));
                yield before != null && !before.user().credential().equals(known.credential());
            }
            case Outcome.Known _, Outcome.Unknown _ -> {
                found.invalidate(user);
                notFound.put(user, true);
                yield before != null;
            }
            case Outcome.Failed _ -> false;
        };
    }

    private boolean isValid(Outcome.Known user) {
        return user.validUntil().isEmpty()
                || clock.instant().isBefore(user.validUntil().get());
    }

    /// Forgets what is known of one user; the next login looks him up.
    public void forget(String user) {
        flights.compute(user, (_, _) -> {
            found.invalidate(user);
            notFound.invalidate(user);
            return null;
        });
    }

    /// Forgets everything.
    public void forgetAll() {
        flights.keySet().forEach(this::forget);
        found.invalidateAll();
        notFound.invalidateAll();
    }

    /// What has been counted, and what is remembered now.
    ///
    /// @param entries users and names of nobody that are remembered
    /// @param hits logins for which nothing had to be asked
    /// @param misses logins for which somebody had to be asked, or to wait for the answer to another
    /// @param refetches lookups of users who were known: after a wrong password, or ahead of the end of
    ///     their time
    /// @param rateLimited wrong passwords after which `min_interval` forbade to ask
    public record Statistics(long entries, long hits, long misses, long refetches, long rateLimited) {}

    public Statistics statistics() {
        found.cleanUp();
        notFound.cleanUp();
        return new Statistics(
                found.estimatedSize() + notFound.estimatedSize(),
                hits.sum(),
                misses.sum(),
                refetches.sum(),
                rateLimited.sum());
    }
}
