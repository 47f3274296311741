package org.pgporter.node.pool;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class PoolPlanTest {
    private static final long NOW = 12_345;

    @Test
    void shouldSpreadTheEndsOfConnectionsThatBeganTogether() { // checklist 118
        // Given
        PoolPlan plan = Plans.ageing(PoolWorld.plan(1), Duration.ZERO, Duration.ofNanos(100_000));
        Random random = new Random(7);

        // When
        List<Long> ends = LongStream.generate(() -> plan.expiry(NOW, random) - NOW)
                .limit(1_000)
                .boxed()
                .toList();

        // Then
        assertThat(ends).allMatch(end -> end >= 80_000 && end <= 120_000);
        assertThat(ends).filteredOn(end -> end < 90_000).hasSizeBetween(150, 350);
        assertThat(ends).filteredOn(end -> end > 110_000).hasSizeBetween(150, 350);
    }

    @Test
    void shouldNeverEndAConnectionWithoutALifetime() { // checklist 118
        PoolPlan plan = Plans.ageing(PoolWorld.plan(1), Duration.ZERO, Duration.ZERO);
        assertThat(plan.expiry(NOW, new Random(7))).isEqualTo(Long.MAX_VALUE);
    }
}
