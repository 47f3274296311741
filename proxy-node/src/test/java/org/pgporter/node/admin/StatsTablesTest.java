package org.pgporter.node.admin;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.pgporter.cluster.PoolKey;
import org.pgporter.node.stats.PoolCounters;
import org.pgporter.node.stats.PoolTotals;
import org.pgporter.node.stats.Statistics;

class StatsTablesTest {
    private final Statistics statistics = new Statistics(1);
    private final AtomicLong now = new AtomicLong();
    private final Periods periods = new Periods(now::get, statistics::byDatabase, statistics::byPool);
    private final PoolCounters shop = statistics.of(new PoolKey("shop", "ann"), 0);

    private void work(int queries, long micros) {
        for (int i = 0; i < queries; i++) {
            shop.assigned(TimeUnit.MICROSECONDS.toNanos(500));
            shop.query(TimeUnit.MICROSECONDS.toNanos(micros));
            shop.transaction(TimeUnit.MICROSECONDS.toNanos(micros));
            shop.fromClient(100);
        }
    }

    private void seconds(int passed) {
        now.addAndGet(TimeUnit.SECONDS.toNanos(passed));
        periods.turn();
    }

    private Map<String, String> shop() {
        Table table = new StatsTables(statistics.byDatabase(), periods.last(), Set.of("shop", "unused")).stats();
        assertThat(table.rows()).hasSize(2);
        return IntStream.range(0, table.columns().size())
                .boxed()
                .collect(Collectors.toMap(
                        i -> table.columns().get(i).name(),
                        i -> String.valueOf(table.rows().getFirst().get(i))));
    }

    @Test
    void shouldCountInMicrosecondsAndAverageOverTheLastPeriod() {
        work(1000, 7);
        seconds(10);
        work(50, 2000);
        seconds(10);
        work(3, 1);

        assertThat(shop())
                .containsEntry("database", "shop")
                .containsEntry("total_query_count", "1053")
                .containsEntry("total_query_time", String.valueOf(1000 * 7 + 50 * 2000 + 3))
                .containsEntry("total_received", "105300")
                .containsEntry("avg_query_count", "5")
                .containsEntry("avg_query_time", "2000")
                .containsEntry("avg_xact_time", "2000")
                .containsEntry("avg_wait_time", String.valueOf(50 * 500 / 10))
                .containsEntry("avg_recv", "500");
    }

    @Test
    void shouldHaveNoAverageBeforeThereWasAPeriod() {
        work(10, 10);

        assertThat(shop()).containsEntry("total_query_count", "10").containsEntry("avg_query_count", "0");
    }

    @Test
    void shouldShowQuantilesThatAreNotTooSmall() {
        work(98, 300);
        work(2, 50_000);
        Quantiles queries = Quantiles.between(
                new long[org.pgporter.node.stats.TimeHistogram.BUCKETS],
                statistics.byDatabase().getOrDefault("shop", PoolTotals.none()).queryTimes());

        assertThat(queries.micros(0.5).orElseThrow()).isBetween(300L, 600L);
        assertThat(queries.micros(0.99).orElseThrow()).isBetween(50_000L, 110_000L);
        assertThat(Quantiles.between(queries.counts(), queries.counts()).micros(0.5))
                .isEqualTo(OptionalLong.empty());
    }
}
