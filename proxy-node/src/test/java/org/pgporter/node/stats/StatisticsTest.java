package org.pgporter.node.stats;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.pgporter.cluster.PoolKey;
import org.pgporter.config.PoolKind;

final class StatisticsTest {
    private static final PoolKey POOL = new PoolKey("db", "app");

    private final Statistics statistics = new Statistics(2);

    @Test
    void shouldAddUpWhatTheLoopsHaveCounted() {
        statistics.of(POOL, 0).query(1_000);
        statistics.of(POOL, 1).query(2_000);
        statistics.of(POOL, 1).fromClient(7);
        statistics.of(new PoolKey("db", "other"), 0).query(4_000);

        assertThat(statistics.byPool().get(POOL))
                .satisfies(
                        totals -> assertThat(totals.queries()).isEqualTo(2),
                        totals -> assertThat(totals.queryTime()).isEqualTo(3_000),
                        totals -> assertThat(totals.bytesFromClients()).isEqualTo(7));
        assertThat(queriesOfDatabase()).isEqualTo(3);
    }

    @Test
    void shouldNeverCountBackwardsWhenAPoolIsGone() {
        statistics.of(POOL, 0).query(1_000);
        statistics.error(POOL, "22012");
        statistics.forget(POOL);

        assertThat(statistics.byPool()).isEmpty();
        assertThat(statistics.errors()).isEmpty();
        assertThat(queriesOfDatabase()).isEqualTo(1);

        statistics.of(POOL, 0).query(1_000);
        assertThat(queriesOfDatabase()).isEqualTo(2);
        statistics.forget(POOL);
        assertThat(queriesOfDatabase()).isEqualTo(2);
    }

    @Test
    void shouldNotCountTheNodesOwnLookupsAsWorkOfADatabase() {
        PoolKey lookups = new PoolKey("db", "looker", PoolKind.LOOKUP);
        statistics.of(POOL, 0).query(1_000);
        statistics.of(lookups, 0).query(1_000);

        assertThat(queriesOfDatabase()).isEqualTo(1);
        statistics.forget(lookups);
        assertThat(queriesOfDatabase()).isEqualTo(1);
    }

    @Test
    void shouldCountErrorsBySqlStateWithoutGrowingForEver() {
        IntStream.range(0, 2 * Statistics.MOST_SQL_STATES).forEach(i -> statistics.error(POOL, "X%04d".formatted(i)));
        statistics.error(POOL, "X0000");

        Map<String, Long> counts = statistics.errors().getOrDefault(POOL, Map.of());
        assertThat(counts)
                .hasSize(Statistics.MOST_SQL_STATES + 1)
                .containsEntry("X0000", 2L)
                .containsEntry("other", (long) Statistics.MOST_SQL_STATES);
    }

    @Test
    void shouldPutEachTimeWhereItBelongs() {
        assertThat(TimeHistogram.bucket(-5)).isZero();
        assertThat(TimeHistogram.bucket(0)).isZero();
        for (int bucket = 0; bucket < TimeHistogram.BUCKETS - 1; bucket++) {
            assertThat(TimeHistogram.bucket(TimeHistogram.upperBound(bucket) - 1))
                    .isEqualTo(bucket);
            assertThat(TimeHistogram.bucket(TimeHistogram.upperBound(bucket))).isEqualTo(bucket + 1);
        }
        assertThat(TimeHistogram.bucket(Long.MAX_VALUE)).isEqualTo(TimeHistogram.BUCKETS - 1);
    }

    private long queriesOfDatabase() {
        return statistics.byDatabase().getOrDefault("db", PoolTotals.none()).queries();
    }
}
