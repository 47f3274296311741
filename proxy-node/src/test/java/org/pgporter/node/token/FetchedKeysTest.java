package org.pgporter.node.token;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.pgporter.auth.jwt.KeySet;
import org.pgporter.auth.jwt.TokenAlgorithm;
import org.pgporter.auth.jwt.TokenKeys.Answer;
import org.pgporter.auth.jwt.VerificationKey;
import org.pgporter.support.OpenIdProvider;

class FetchedKeysTest {
    private static final Duration TTL = Duration.ofMinutes(5);
    private static final Duration STALE = Duration.ofHours(1);
    private static final Duration INTERVAL = Duration.ofSeconds(10);
    private static final VerificationKey KEY =
            VerificationKey.unnamed(OpenIdProvider.newRsa().getPublic());

    private long now = 1_000_000;
    private final List<CompletableFuture<KeySet>> fetches = new ArrayList<>();
    private final FetchedKeys keys = new FetchedKeys(
            "corp",
            () -> {
                CompletableFuture<KeySet> fetch = new CompletableFuture<>();
                fetches.add(fetch);
                return fetch;
            },
            TTL,
            STALE,
            INTERVAL,
            () -> now);

    private CompletableFuture<Answer> find(String name) {
        return keys.find(Optional.of(name), TokenAlgorithm.RS256).toCompletableFuture();
    }

    private static KeySet set(String... names) {
        return new KeySet(List.of(names).stream().map(KEY::named).toList());
    }

    private void passes(Duration time) {
        now += time.toNanos();
    }

    private static void assertFound(CompletableFuture<Answer> answer) {
        assertThat(answer).isCompletedWithValueMatching(Answer.Found.class::isInstance);
    }

    private void fetched(String... names) {
        find("x");
        fetches.getLast().complete(set(names));
        passes(INTERVAL);
    }

    @Test
    void shouldFetchOnceForAllWhoWait() {
        CompletableFuture<Answer> one = find("a");
        CompletableFuture<Answer> other = find("b");
        assertThat(fetches).hasSize(1);
        assertThat(one).isNotDone();
        fetches.getFirst().complete(set("a"));
        assertFound(one);
        assertThat(other).isCompletedWithValue(new Answer.Unknown());
    }

    @Test
    void shouldNotWaitForWhatIsKnown() {
        fetched("a");
        passes(TTL.minus(INTERVAL).minusSeconds(1));
        assertFound(find("a")); // and the keys are fetched anew behind it
        assertThat(fetches).hasSize(2);
        assertFound(find("a"));
        assertThat(fetches).hasSize(2);
    }

    @Test
    void shouldAskOnceInTheIntervalForAKeyThatIsNotThere() {
        fetched("a");
        CompletableFuture<Answer> asked = find("b");
        assertThat(fetches).hasSize(2);
        fetches.getLast().complete(set("a", "b"));
        assertFound(asked);
        for (int i = 0; i < 100; i++) {
            assertThat(find("c" + i)).isCompletedWithValue(new Answer.Unknown());
        }
        assertThat(fetches).hasSize(2);
        passes(INTERVAL);
        find("c");
        assertThat(fetches).hasSize(3);
    }

    @Test
    void shouldGoOnWithOldKeysWhileTheIssuerIsDown() {
        fetched("a");
        for (Duration passed = Duration.ZERO; passed.compareTo(STALE) < 0; passed = passed.plusMinutes(10)) {
            assertFound(find("a"));
            fetches.getLast().completeExceptionally(new IOException("down"));
            passes(Duration.ofMinutes(10));
        }
        passes(TTL);
        CompletableFuture<Answer> late = find("a");
        fetches.getLast().completeExceptionally(new IOException("down"));
        assertThat(late).isCompletedWithValueMatching(Answer.Unavailable.class::isInstance);
    }

    @Test
    void shouldNotSayThatAKeyIsUnknownToWhoCouldNotBeAsked() {
        CompletableFuture<Answer> first = find("a");
        fetches.getFirst().completeExceptionally(new IOException("down"));
        assertThat(first).isCompletedWithValueMatching(Answer.Unavailable.class::isInstance);
        assertThat(find("a")).isCompletedWithValueMatching(Answer.Unavailable.class::isInstance);
        assertThat(fetches).as("within the interval").hasSize(1);
        passes(INTERVAL);
        CompletableFuture<Answer> again = find("a");
        fetches.getLast().complete(set("a"));
        assertFound(again);
        passes(INTERVAL);
        CompletableFuture<Answer> unknown = find("b");
        fetches.getLast().complete(set("a"));
        assertThat(unknown).isCompletedWithValue(new Answer.Unknown());
    }

    @Test
    void shouldForgetKeysThatTheIssuerWithdraws() {
        fetched("a");
        find("b");
        fetches.getLast().complete(set("b"));
        assertThat(find("a")).isCompletedWithValue(new Answer.Unknown());
    }
}
