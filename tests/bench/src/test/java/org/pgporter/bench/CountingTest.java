package org.pgporter.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

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
        var before = new ProcessUsage(START, Duration.ofMillis(500), 9_999);
        var after = new ProcessUsage(START.plusSeconds(2), Duration.ofMillis(600), 2_048);

        var measurement = Measurement.of(before, after, new long[] {1_000, 2_000, 3_000, 10_000});

        assertThat(measurement).isEqualTo(new Measurement(25_000, 2, 4, 2, 10, 10, 2));
    }

    @Test
    void shouldRefuseAWindowWithoutTransactions() {
        var usage = new ProcessUsage(START, Duration.ZERO, 0);

        assertThatThrownBy(() -> Measurement.of(usage, usage, new long[0])).isInstanceOf(BenchFailure.class);
    }

    @Test
    void shouldTakePercentilesByRank() {
        var hundred = LongStream.rangeClosed(1, 100).toArray();

        assertThat(Measurement.percentile(hundred, 50)).isEqualTo(50);
        assertThat(Measurement.percentile(hundred, 99)).isEqualTo(99);
        assertThat(Measurement.percentile(new long[] {7}, 50)).isEqualTo(7);
    }

    @Test
    void shouldReadTimesBehindANameThatLooksLikeFields() {
        var stat = "12 (a) 1 2 3) S 1 12 12 0 -1 4194560 100 0 0 0 250 31 7 8 20 0 1 0 99 1 1";

        assertThat(ProcessUsage.cpu(stat)).isEqualTo(Duration.ofMillis(2810));
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
    void shouldAskPgbenchForWholeSecondsThatHoldTheWindow() {
        var one = new Workload(Workload.Protocol.SIMPLE, 1, Workload.PoolSize.FEW, false);
        var many = new Workload(Workload.Protocol.SIMPLE, 200, Workload.PoolSize.FEW, false);

        assertThat(Pgbench.seconds(one, Duration.ofMillis(190))).isEqualTo(1);
        assertThat(Pgbench.seconds(one, Duration.ofMillis(201))).isEqualTo(2);
        assertThat(Pgbench.seconds(many, Duration.ofMillis(201))).isEqualTo(3);
    }
}
