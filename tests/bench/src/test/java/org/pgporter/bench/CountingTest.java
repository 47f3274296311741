package org.pgporter.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pgporter.bench.Measurement.Used;

class CountingTest {
    private static final Instant START = Instant.ofEpochSecond(1_700_000_000);

    @TempDir
    private Path directory = Path.of("");

    @Test
    void shouldCountTheTransactionsOfAllThreadsThatEndedInTheWindow() throws Exception {
        // Given: client, transaction, duration, script, seconds, microseconds
        Files.writeString(directory.resolve("log.77"), """
                0 1 500 0 1700000000 999999
                0 2 900 0 1700000001 0
                1 1 300 0 1700000001 999999
                """);
        Files.writeString(directory.resolve("log.77.1"), "2 1 100 0 1700000001 5\n2 2 700 0 1700000002 0\n");

        // When
        var log = TransactionLog.read(directory, "log");

        // Then
        assertThat(log.size()).isEqualTo(5);
        assertThat(log.between(START.plusSeconds(1), START.plusSeconds(2))).containsExactly(100, 300, 900);
    }

    @Test
    void shouldDivideWhatWasUsedBetweenTwoMomentsByTheTransactions() {
        // Given
        var pooler = used(100, 2048);
        var server = used(300, 0);

        // When
        var measurement = Measurement.of(Optional.of(pooler), server, new long[] {1_000, 2_000, 3_000, 10_000});

        // Then
        assertThat(measurement.values())
                .isEqualTo(Map.ofEntries(
                        Map.entry(Metric.CPU_MICROS, 25_000.0),
                        Map.entry(Metric.SERVER_CPU_MICROS, 75_000.0),
                        Map.entry(Metric.TRANSACTIONS_PER_SECOND, 2.0),
                        Map.entry(Metric.AVERAGE_MILLIS, 4.0),
                        Map.entry(Metric.P50_MILLIS, 2.0),
                        Map.entry(Metric.P99_MILLIS, 10.0),
                        Map.entry(Metric.P999_MILLIS, 10.0),
                        Map.entry(Metric.WORST_MILLIS, 10.0),
                        Map.entry(Metric.P99_OVER_P50, 5.0),
                        Map.entry(Metric.RESIDENT_MEGABYTES, 2.0)));
    }

    @Test
    void shouldKnowNothingOfThePoolerWhereThereIsNone() {
        var measurement = Measurement.of(Optional.empty(), used(300, 5), new long[] {1_000});

        assertThat(measurement.value(Metric.CPU_MICROS)).isEmpty();
        assertThat(measurement.value(Metric.RESIDENT_MEGABYTES)).isEmpty();
        assertThat(measurement.value(Metric.TRANSACTIONS_PER_SECOND)).contains(0.5);
    }

    @Test
    void shouldRefuseAWindowWithoutTransactions() {
        var used = used(0, 0);

        assertThatThrownBy(() -> Measurement.of(Optional.of(used), used, new long[0]))
                .isInstanceOf(BenchFailure.class);
    }

    @Test
    void shouldDivideBytesByTimeAndProcessorTimeByBytes() {
        var measurement = Bulk.measurement(Optional.of(used(500, 1024)), 4, 2_000_000_000);

        assertThat(measurement.values())
                .isEqualTo(Map.of(
                        Metric.MEGABYTES_PER_SECOND,
                        500.0,
                        Metric.CPU_SECONDS_PER_GIGABYTE,
                        0.25,
                        Metric.RESIDENT_MEGABYTES,
                        1.0));
    }

    @Test
    void shouldTakePercentilesByRank() {
        var thousand = LongStream.rangeClosed(1, 1000).toArray();

        assertThat(Measurement.percentile(thousand, 50)).isEqualTo(500);
        assertThat(Measurement.percentile(thousand, 99)).isEqualTo(990);
        assertThat(Measurement.percentile(thousand, 99.9)).isEqualTo(999);
        assertThat(Measurement.percentile(new long[] {7}, 50)).isEqualTo(7);
    }

    @Test
    void shouldReadTimesBehindANameThatLooksLikeFields() {
        // Given: 250 and 31 ticks of its own, 7 and 8 of children that have ended
        var stat = "12 (a) 1 2 3) S 1 12 12 0 -1 4194560 100 0 0 0 250 31 7 8 20 0 1 0 99 1 1";

        assertThat(ProcessUsage.cpu(stat)).isEqualTo(Duration.ofMillis(2960));
        assertThat(ProcessUsage.resident("Name:\ta\nVmHWM:\t  900 kB\nVmRSS:\t  800 kB\n"))
                .isEqualTo(800);
    }

    @Test
    void shouldMeasureALivingProcess() {
        var usage = ProcessUsage.of(ProcessHandle.current().pid());

        assertThat(usage.cpu()).isPositive();
        assertThat(usage.residentKilobytes()).isGreaterThan(1_000);
    }

    @Test
    void shouldTakeTheMiddleAndTheMeanOfTwoMiddles() {
        assertThat(Results.medianOf(List.of(9.0, 1.0, 4.0))).contains(4.0);
        assertThat(Results.medianOf(List.of(9.0, 1.0, 4.0, 5.0))).contains(4.5);
        assertThat(Results.medianOf(List.of())).isEmpty();
    }

    @Test
    void shouldTakeTheMedianOfTheRatiosAndNotTheRatioOfTheMedians() {
        // Given: the machine was twice as slow in the second round, and it met both
        var work = Samples.SIMPLE;
        var results = Samples.results(
                work, Metric.CPU_MICROS, Map.of("ours", List.of(5.0, 30.0, 8.0), "base", List.of(10.0, 20.0, 10.0)));

        assertThat(results.ratio(work, "ours", "base", Metric.CPU_MICROS)).contains(0.8);
        assertThat(results.median(work, "ours", Metric.CPU_MICROS)).contains(8.0);
        assertThat(results.ratio(work, "ours", "nobody", Metric.CPU_MICROS)).isEmpty();
    }

    @Test
    void shouldAskPgbenchForWholeSecondsThatHoldTheWindowAndTheLogins() {
        var one = Catalogue.select(Setup.PLAIN, Work.Protocol.SIMPLE, 1);
        var many = Catalogue.select(Setup.PLAIN, Work.Protocol.SIMPLE, 10_000);

        assertThat(Pgbench.seconds(one, Duration.ofMillis(190), Duration.ZERO)).isEqualTo(1);
        assertThat(Pgbench.seconds(one, Duration.ofMillis(200), Duration.ZERO)).isEqualTo(2);
        assertThat(Pgbench.seconds(many, Duration.ofMillis(190), Duration.ofSeconds(10)))
                .isEqualTo(17);
    }

    @Test
    void shouldKnowWhichNumberOfClientsTheSystemForbids() {
        var limits = Limits.parse("""
                Limit                     Soft Limit           Hard Limit           Units
                Max processes             95000                95000                processes
                Max open files            1024                 20000                files
                """);

        assertThat(limits).isEqualTo(new Limits(1024));
        assertThat(limits.forbids(724)).isEmpty();
        assertThat(limits.forbids(725)).contains("needs ulimit -n 1025, here it is 1024");
        assertThat(Limits.parse("Max open files            unlimited            unlimited            files\n")
                        .forbids(1_000_000))
                .isEmpty();
    }

    private static Used used(int milliseconds, long kilobytes) {
        return new Used(
                new ProcessUsage(START, Duration.ofMillis(500), 9_999),
                new ProcessUsage(START.plusSeconds(2), Duration.ofMillis(500L + milliseconds), kilobytes));
    }
}
