package org.pgporter.integration.differential;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.pgporter.support.PostgresMajor;

/// Conversations that nobody has thought of, for a minute, the same each time, or others for as long as one likes:
///
/// ```
/// -Dpgporter.differential.seconds=3600      for so long
/// -Dpgporter.differential.seed=4711         this conversation only
/// ```
class RandomIT {
    private static final Optional<Integer> SECONDS =
            Optional.ofNullable(Integer.getInteger("pgporter.differential.seconds"));
    private static final int SECONDS_BY_DEFAULT = 60;
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
            var first = SECONDS.isPresent() ? ThreadLocalRandom.current().nextLong(1, Long.MAX_VALUE / 2) : 1;
            var end = System.nanoTime()
                    + Duration.ofSeconds(SECONDS.orElse(SECONDS_BY_DEFAULT)).toNanos();
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
