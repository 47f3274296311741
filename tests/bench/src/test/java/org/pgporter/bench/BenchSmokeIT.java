package org.pgporter.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.time.Duration;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.pgporter.bench.Workload.PoolSize;
import org.pgporter.bench.Workload.Protocol;
import org.pgporter.support.PgTools;

/// The whole program, with windows so short that their numbers mean nothing.
class BenchSmokeIT {
    private static final List<Workload> WORKLOADS = List.of(
            new Workload(Protocol.SIMPLE, 3, PoolSize.FEW, false),
            new Workload(Protocol.PREPARED, 3, PoolSize.FEW, false));
    private static final Plan PLAN =
            new Plan(1, Duration.ofMillis(300), Duration.ZERO, 1, Duration.ofMinutes(1), WORKLOADS);

    @Test
    void shouldMeasureEveryWorkOfEveryPooler() throws Exception {
        assumeTrue(Program.find("pgbench").isPresent(), PgTools.MISSING);
        assumeTrue(
                Files.isDirectory(Bench.home().resolve("proxy-node/target/lib")),
                "the launcher finds no PgPorter: run mvn verify, not mvn test");
        // Given
        var node = new PgPorter(Bench.home(), "auto", 1, "");
        var said = new ByteArrayOutputStream();

        // When
        var report = Bench.run(PLAN, List.of(node), true, new PrintStream(said, true, StandardCharsets.UTF_8));

        // Then: numbers in all columns, above zero where time has certainly passed
        var number = " \\d+(?:\\.\\d+)? \\|";
        var positive = " (?!0[.0]* )\\d+(?:\\.\\d+)? \\|";
        for (var workload : WORKLOADS) {
            assertThat(report)
                    .containsPattern(Pattern.compile(
                            "\\| " + Pattern.quote(workload.title()) + " \\| PgPorter auto, 1 loop \\|" + positive
                                    + " [\\d.]+ – [\\d.]+ \\| [\\d.–]+ \\|" + positive + " [\\d.–]+ \\|"
                                    + number.repeat(4) + positive));
        }
        assertThat(report).contains("Machine: ", "PostgreSQL 18", "pgbench -n -S -M simple -c 3");
        assertThat(said.toString(StandardCharsets.UTF_8)).contains("round 1 of 1");
    }
}
