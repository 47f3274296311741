package org.pgporter.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pgporter.support.PgTools;

/// The whole program, with one work of each kind and windows so short that their numbers mean nothing.
class BenchSmokeIT {
    private static final List<String> WORKS = List.of("select-prepared-20", "copy-in", "idle-plain", "first-answer");

    @TempDir
    private Path directory = Path.of("");

    @Test
    void shouldMeasureEveryKindOfWorkOfEveryContender() throws Exception {
        assumeTrue(Program.find("pgbench").isPresent() && Program.find("psql").isPresent(), PgTools.MISSING);
        assumeTrue(Program.find("openssl").isPresent(), "openssl is not installed");
        assumeTrue(
                Files.isDirectory(Main.home().resolve("proxy-node/target/lib")),
                "the launcher finds no PgPorter: run mvn verify, not mvn test");
        // Given
        var node = new PgPorter(Main.home(), "epoll", 1, "");
        var contenders = new ArrayList<Contender>(List.of(new Direct()));
        Peer.find(Peer.Kind.PGBOUNCER, Optional.empty(), directory).ifPresent(contenders::add);
        contenders.add(node);
        var works = Catalogue.of(Catalogue.CLIENTS).select(WORKS);
        var plan = new Plan(1, Duration.ofMillis(300), Duration.ZERO, 1, Duration.ofMinutes(1), 2, 20, works);
        var said = new ByteArrayOutputStream();
        var progress = new PrintStream(said, true, StandardCharsets.UTF_8);

        // When
        var report = new Bench(plan, contenders, 1, progress).run(new Output(directory.resolve("out")));

        // Then: numbers in all columns, above zero where time has certainly passed
        var number = " -?\\d+(?:\\.\\d+)? \\|";
        var positive = " (?!0[.0]* )\\d+(?:\\.\\d+)? \\|";
        var range = " -?[\\d.]+ – -?[\\d.]+ \\|";
        var ratio = " [\\d.–]+ \\|";
        var line = "PgPorter epoll, 1 loop \\|";
        var load = line + positive + range + ratio + positive + ratio + positive.repeat(5) + number.repeat(3);
        assertThat(report.markdown())
                .containsPattern(row(works.get(0), "PostgreSQL directly \\| – \\| – \\| – \\|" + positive))
                .containsPattern(row(works.get(0), load))
                .containsPattern(row(works.get(1), line + positive + range + ratio + number + range))
                .containsPattern(row(works.get(2), line + number + range + number + range + positive))
                .containsPattern(row(works.get(3), line + positive + range))
                .contains("Machine: ", "PostgreSQL 18", "pgbench -n -S -M prepared -c 20", "### Targets");
        assertThat(said.toString(StandardCharsets.UTF_8))
                .contains("round 1 of 1")
                .doesNotContain("fails");
        assertThat(directory.resolve("out/measurements.csv"))
                .content()
                .contains("first-answer,\"PgPorter epoll, 1 loop\",1,first_answer_millis,");
        assertThat(directory.resolve("out/configurations/plain/pgporter-epoll-1-loop/pgporter.yaml"))
                .content()
                .contains("pool_size: 40");
    }

    private static Pattern row(Work work, String columns) {
        return Pattern.compile("\\| " + Pattern.quote(work.title()) + " \\| " + columns);
    }
}
