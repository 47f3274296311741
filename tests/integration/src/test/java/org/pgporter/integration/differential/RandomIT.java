package org.pgporter.integration.differential;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.pgporter.support.PostgresMajor;

/// Conversations that nobody has thought of: the same ones each time, for half a minute or so; or others for as long as
/// one likes:
///
/// ```
/// -Dpgporter.differential.seconds=3600      for so long
/// -Dpgporter.differential.seed=4711         this conversation only
/// ```
class RandomIT {
    private static final Optional<Integer> SECONDS =
            Optional.ofNullable(Integer.getInteger("pgporter.differential.seconds"));
    private static final int BY_DEFAULT = 250;
    private static final long ANY = 0;

    @Test
    @Timeout(100_000)
    void shouldSayTheSameWhateverClientsSay() {
        try (var stage = Stage.open(PostgresMajor.NEWEST)) {
            long seed = Long.getLong("pgporter.differential.seed", ANY);
            if (seed != ANY) {
                plays(stage, seed);
                return;
            }
            if (SECONDS.isEmpty()) {
                for (long each = 1; each <= BY_DEFAULT; each++) {
                    plays(stage, each);
                }
                return;
            }
            var first = ThreadLocalRandom.current().nextLong(1, Long.MAX_VALUE / 2);
            var end = System.nanoTime() + Duration.ofSeconds(SECONDS.get()).toNanos();
            var next = first;
            while (System.nanoTime() < end) {
                plays(stage, next++);
            }
            System.out.println(next - first + " conversations from seed " + first);
        }
    }

    private static void plays(Stage stage, long seed) {
        var comparison = Comparison.on(stage).delivered(RandomConversation.delivery(seed));
        assertThat(comparison.of(RandomConversation.of(seed)))
                .as("-Dpgporter.differential.seed=" + seed)
                .isEmpty();
    }
}
