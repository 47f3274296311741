package org.pgporter.cluster.credential;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.pgporter.auth.Md5Hash;
import org.pgporter.auth.credential.CredentialKey;
import org.pgporter.auth.credential.CredentialLookup;
import org.pgporter.auth.credential.DynamicCredentials.Answer;
import org.pgporter.auth.credential.HashedCredential;
import org.pgporter.auth.credential.Md5Secret;
import org.pgporter.cluster.credential.UserLookups.Outcome;
import org.pgporter.config.AuthQueryOptions;

class CredentialCacheTest {
    private static final HashedCredential OLD = secret('a');
    private static final HashedCredential NEW = secret('b');
    private static final Duration SECOND = Duration.ofSeconds(1);

    private final Lookups lookups = new Lookups();
    private final List<String> changed = new ArrayList<>();
    private long nanos;
    private Instant now = Instant.parse("2030-01-01T00:00:00Z");
    private CredentialCache cache = cache(AuthQueryOptions.defaults());

    /// Answers when the test says so.
    private static final class Lookups implements UserLookups {
        final List<String> asked = new ArrayList<>();
        final Deque<CompletableFuture<Outcome>> open = new ArrayDeque<>();

        @Override
        public CompletionStage<Outcome> lookup(String user) {
            asked.add(user);
            CompletableFuture<Outcome> answer = new CompletableFuture<>();
            open.add(answer);
            return answer;
        }

        void answer(Outcome outcome) {
            open.remove().complete(outcome);
        }
    }

    private CredentialCache cache(AuthQueryOptions options) {
        return new CredentialCache(options, lookups, () -> nanos, () -> now, changed::add);
    }

    @BeforeEach
    void startLate() {
        nanos = Long.MAX_VALUE - 5; // a clock that overflows, as nanoTime may
        cache = cache(AuthQueryOptions.defaults());
    }

    // ---- remembering

    @Test
    void shouldAskOnceForAllWhoWait() {
        // When
        var first = cache.find("alice").toCompletableFuture();
        var second = cache.find("alice").toCompletableFuture();
        lookups.answer(known(OLD));

        // Then
        assertThat(lookups.asked).containsExactly("alice");
        assertThat(first).isCompletedWithValue(found(OLD));
        assertThat(second).isCompletedWithValue(found(OLD));
    }

    @Test
    void shouldNotLetOneWhoWaitsDecideForTheOthers() {
        var first = cache.find("alice").toCompletableFuture();
        var second = cache.find("alice").toCompletableFuture();
        first.complete(found(NEW));
        lookups.answer(known(OLD));
        assertThat(second).isCompletedWithValue(found(OLD));
    }

    @Test
    void shouldRememberWhoWasFoundForItsTime() {
        learn("alice", known(OLD));
        pass(Duration.ofMinutes(47));
        assertThat(now("alice")).isEqualTo(found(OLD));
        assertThat(lookups.asked).hasSize(1);

        pass(Duration.ofMinutes(14));
        cache.find("alice");
        assertThat(lookups.asked).hasSize(2);
    }

    @Test
    void shouldRememberWhoWasNotFoundForItsTime() {
        learn("nobody", new Outcome.Unknown());
        pass(Duration.ofSeconds(29));
        assertThat(now("nobody")).isEqualTo(new Answer.NotFound());
        assertThat(lookups.asked).hasSize(1);

        pass(Duration.ofSeconds(2));
        cache.find("nobody");
        assertThat(lookups.asked).hasSize(2);
    }

    @Test
    void shouldNotRememberThatNobodyCouldBeAsked() {
        var answer = cache.find("alice").toCompletableFuture();
        lookups.answer(new Outcome.Failed("it is down"));
        assertThat(answer).isCompletedWithValue(new Answer.Unavailable("it is down"));

        cache.find("alice");
        assertThat(lookups.asked).hasSize(2);
    }

    @Test
    void shouldRememberNothingWhenToldSo() {
        cache = cache(AuthQueryOptions.defaults().withCacheTtl(Duration.ZERO).withCacheFailureTtl(Duration.ZERO));
        learn("alice", known(OLD));
        learn("alice", new Outcome.Unknown());
        cache.find("alice");
        assertThat(lookups.asked).hasSize(3);
    }

    @Test
    void shouldRefreshAheadOfTheEndWithoutMakingAnybodyWait() {
        // Given
        learn("alice", known(OLD));
        pass(Duration.ofMinutes(49));

        // When
        assertThat(now("alice")).isEqualTo(found(OLD));
        assertThat(now("alice")).isEqualTo(found(OLD));

        // Then
        assertThat(lookups.asked).hasSize(2);
        lookups.answer(known(NEW));
        assertThat(now("alice")).isEqualTo(found(NEW));
        pass(Duration.ofMinutes(40));
        assertThat(now("alice")).as("its time has begun anew").isEqualTo(found(NEW));
        assertThat(changed).containsExactly("alice");
    }

    @Test
    void shouldGoOnWithWhatIsKnownWhenTheRefreshFails() {
        learn("alice", known(OLD));
        pass(Duration.ofMinutes(49));
        cache.find("alice");
        lookups.answer(new Outcome.Failed("it is down"));

        assertThat(now("alice")).isEqualTo(found(OLD));
        assertThat(lookups.asked).as("not at once again").hasSize(2);
        pass(SECOND);
        assertThat(now("alice")).isEqualTo(found(OLD));
        assertThat(lookups.asked).hasSize(3);
    }

    @Test
    void shouldNotLetMadeUpNamesDisplaceUsers() {
        // Given
        cache = cache(AuthQueryOptions.defaults().withCacheSize(10));
        learn("alice", known(OLD));

        // When
        for (int i = 0; i < 10_000; i++) {
            learn("nobody" + i, new Outcome.Unknown());
        }

        // Then
        assertThat(now("alice")).isEqualTo(found(OLD));
        assertThat(cache.statistics().entries()).isLessThanOrEqualTo(11);
    }

    // ---- a password that has ceased to hold

    @Test
    void shouldKnowNobodyWhosePasswordHasCeasedToHold() {
        assertThat(learn("alice", new Outcome.Known(OLD, Optional.of(now), Map.of())))
                .isEqualTo(new Answer.NotFound());
        assertThat(now("alice")).isEqualTo(new Answer.NotFound());
        assertThat(lookups.asked).hasSize(1);
    }

    @Test
    void shouldNoticeThatAPasswordCeasesToHoldWhileItIsRemembered() {
        // Given
        learn("alice", new Outcome.Known(OLD, Optional.of(now.plusSeconds(60)), Map.of()));
        now = now.plusSeconds(59);
        assertThat(now("alice")).isEqualTo(found(OLD));

        // When
        now = now.plusSeconds(1);
        var answer = cache.find("alice").toCompletableFuture();

        // Then
        assertThat(lookups.asked).as("it may have been prolonged").hasSize(2);
        lookups.answer(new Outcome.Known(OLD, Optional.of(now.plusSeconds(60)), Map.of()));
        assertThat(answer).isCompletedWithValue(found(OLD));
    }

    // ---- a proof that does not fit

    @Test
    void shouldAskAgainWhenAProofDoesNotFit() {
        learn("alice", known(OLD));
        pass(SECOND);
        var again = cache.findAgain("alice", OLD).toCompletableFuture();
        lookups.answer(known(NEW));
        assertThat(again).isCompletedWithValue(found(NEW));
        assertThat(now("alice")).isEqualTo(found(NEW));
        assertThat(changed).containsExactly("alice");
    }

    @Test
    void shouldNotAskMoreOftenThanTheIntervalAllows() {
        // Given
        learn("alice", known(OLD));

        // When
        for (int i = 0; i < 1000; i++) {
            assertThat(cache.findAgain("alice", OLD)).isCompletedWithValue(found(OLD));
        }
        assertThat(lookups.asked).as("it was asked just now").hasSize(1);
        pass(SECOND);
        cache.findAgain("alice", OLD);
        lookups.answer(known(OLD));
        for (int i = 0; i < 1000; i++) {
            cache.findAgain("alice", OLD);
        }

        // Then
        assertThat(lookups.asked).hasSize(2);
        assertThat(cache.statistics().rateLimited()).isEqualTo(2000);
        assertThat(cache.statistics().refetches()).isEqualTo(1);
        assertThat(changed).isEmpty();
    }

    @Test
    void shouldNotAskMoreOftenAlsoWhenNobodyAnswers() {
        learn("alice", known(OLD));
        pass(SECOND);
        var again = cache.findAgain("alice", OLD).toCompletableFuture();
        lookups.answer(new Outcome.Failed("it is down"));
        assertThat(again).isCompletedWithValue(new Answer.Unavailable("it is down"));
        cache.findAgain("alice", OLD);
        assertThat(lookups.asked).hasSize(2);
    }

    @Test
    void shouldLetAllMismatchesWaitForOneLookup() {
        learn("alice", known(OLD));
        pass(SECOND);
        var first = cache.findAgain("alice", OLD).toCompletableFuture();
        var second = cache.findAgain("alice", OLD).toCompletableFuture();
        lookups.answer(known(NEW));
        assertThat(lookups.asked).hasSize(2);
        assertThat(first).isCompletedWithValue(found(NEW));
        assertThat(second).isCompletedWithValue(found(NEW));
    }

    @Test
    void shouldNotAskWhenSomethingNewerIsKnownAlready() {
        learn("alice", known(NEW));
        assertThat(cache.findAgain("alice", OLD)).isCompletedWithValue(found(NEW));
        assertThat(lookups.asked).hasSize(1);
    }

    @Test
    void shouldForgetWhoIsGone() {
        learn("alice", known(OLD));
        pass(SECOND);
        cache.findAgain("alice", OLD);
        lookups.answer(new Outcome.Unknown());
        assertThat(now("alice")).isEqualTo(new Answer.NotFound());
        assertThat(changed).containsExactly("alice");
    }

    // ---- forgetting

    @Test
    void shouldForgetOnCommand() {
        learn("alice", known(OLD));
        learn("bob", known(OLD));
        cache.forget("alice");
        cache.find("alice");
        cache.find("bob");
        assertThat(lookups.asked).containsExactly("alice", "bob", "alice");

        cache.forgetAll();
        cache.find("bob");
        assertThat(lookups.asked).containsExactly("alice", "bob", "alice", "bob");
    }

    @Test
    void shouldNotKeepWhatWasAskedBeforeItWasForgotten() {
        // Given
        var before = cache.find("alice").toCompletableFuture();

        // When
        cache.forgetAll();
        var after = cache.find("alice").toCompletableFuture();

        // Then
        assertThat(lookups.asked).as("the answer on its way may be old").hasSize(2);
        CompletableFuture<Outcome> slow = lookups.open.remove();
        lookups.answer(known(NEW));
        slow.complete(known(OLD));
        assertThat(before).isCompletedWithValue(found(OLD));
        assertThat(after).isCompletedWithValue(found(NEW));
        assertThat(now("alice")).isEqualTo(found(NEW));
    }

    @Test
    void shouldCountWhatItDoes() {
        learn("alice", known(OLD));
        now("alice");
        now("alice");
        learn("nobody", new Outcome.Unknown());
        assertThat(cache.statistics()).isEqualTo(new CredentialCache.Statistics(2, 2, 2, 0, 0));
    }

    // ---- of all databases

    @Test
    void shouldAskOnlyForNamesThatARoleCanHave() {
        var all = new LookedUpCredentials(Map.of("app", cache));
        for (String name : List.of("a".repeat(64), "ä".repeat(32), "broken\uDCE4")) {
            assertThat(all.lookup(new CredentialKey("app", name)))
                    .isCompletedWithValue(new CredentialLookup.NotFound());
        }
        assertThat(all.lookup(new CredentialKey("elsewhere", "alice")))
                .isCompletedWithValue(new CredentialLookup.NotFound());
        assertThat(lookups.asked).isEmpty();

        all.lookup(new CredentialKey("app", "ä".repeat(31) + "x"));
        assertThat(lookups.asked).hasSize(1);
    }

    /// What a flood of logins costs in memory and lookups.
    @Test
    void shouldBearAHundredThousandNamesOfNobody() {
        // Given
        int[] asked = {0};
        cache = new CredentialCache(
                AuthQueryOptions.defaults(),
                _ -> {
                    asked[0]++;
                    return CompletableFuture.completedStage(new Outcome.Unknown());
                },
                () -> nanos,
                () -> now,
                changed::add);
        var all = new LookedUpCredentials(Map.of("app", cache));

        // When
        for (int i = 0; i < 100_000; i++) {
            var answer = all.lookup(new CredentialKey("app", "nobody" + i));
            assertThat(answer).isCompletedWithValue(new CredentialLookup.NotFound());
            all.lookup(new CredentialKey("app", "nobody" + i));
        }

        // Then
        assertThat(asked[0]).as("one lookup for two logins").isEqualTo(100_000);
        assertThat(cache.statistics().entries()).isLessThanOrEqualTo(10_000);
    }

    // ---- words

    private Answer learn(String user, Outcome outcome) {
        var answer = cache.find(user).toCompletableFuture();
        lookups.answer(outcome);
        return answer.join();
    }

    /// What is answered without a lookup.
    private Answer now(String user) {
        var answer = cache.find(user).toCompletableFuture();
        assertThat(answer).isDone();
        return answer.join();
    }

    private void pass(Duration time) {
        nanos += time.toNanos();
    }

    private static Outcome known(HashedCredential credential) {
        return new Outcome.Known(credential, Optional.empty(), Map.of());
    }

    private static Answer found(HashedCredential credential) {
        return new Answer.Found(credential, Map.of());
    }

    private static HashedCredential secret(char digit) {
        return new Md5Secret(new Md5Hash(String.valueOf(digit).repeat(32)));
    }
}
