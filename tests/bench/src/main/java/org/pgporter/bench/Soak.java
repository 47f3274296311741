package org.pgporter.bench;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Function;

/// Many clients at a steady rate for a long time, and what the pooler holds meanwhile: whether memory stays flat.
///
/// Every [#EACH] the heap is collected in full and measured, with what the JVM has committed and what it holds in
/// buffers outside of the heap (native memory tracking is on, which costs some CPU).
///
/// @param clients of pgbench
/// @param rate transactions a second, of all clients together
/// @param directory where configuration, logs and results go
record Soak(Duration time, int clients, int rate, Path directory, PrintStream progress) {
    static final Duration EACH = Duration.ofSeconds(30);

    private static final Duration LOGIN = Duration.ofMillis(5);
    private static final Duration LOGGED_IN_WITHIN = Duration.ofSeconds(600);
    private static final Duration LOOK_AGAIN = Duration.ofMillis(200);
    private static final Duration ENDS_WITHIN = Duration.ofSeconds(120);

    /// What the pooler held at a moment. Bytes; empty where it is no JVM.
    ///
    /// @param seconds since all clients were in
    /// @param cpuSeconds processor time since then
    record Sample(
            double seconds,
            long resident,
            OptionalLong heap,
            OptionalLong committed,
            OptionalLong direct,
            double cpuSeconds) {
        static final String HEADER = "seconds,resident_bytes,heap_bytes,committed_bytes,direct_bytes,cpu_seconds\n";

        String csv() {
            return String.format(
                    Locale.ROOT,
                    "%.1f,%d,%s,%s,%s,%.2f%n",
                    seconds,
                    resident,
                    text(heap),
                    text(committed),
                    text(direct),
                    cpuSeconds);
        }

        private static String text(OptionalLong value) {
            return value.isPresent() ? Long.toString(value.getAsLong()) : "";
        }
    }

    /// Runs and leaves `soak.csv`, `soak.svg` and pgbench's own log of each half minute in the directory.
    ///
    /// @return what was seen, in Markdown
    String run(Contender contender, Database database, Path pgbench) {
        var watched = contender instanceof PgPorter node ? node.with("-XX:NativeMemoryTracking=summary") : contender;
        try (var pooler = watched.start(database, Setup.PLAIN, directory);
                var load = Program.start(
                        directory.resolve("pgbench-soak.out"),
                        PgbenchCommand.environment(Setup.PLAIN),
                        command(pgbench, pooler))) {
            awaitClients(load);
            progress.printf("all %d clients are in%n", clients);
            var samples = watch(pooler, load);
            load.endsWell(ENDS_WITHIN.plus(loginTime()).plus(EACH));
            Settings.write(
                    directory.resolve("soak.svg"),
                    SoakChart.of(contender.name(), samples).svg());
            return summary(contender, samples, load);
        }
    }

    /// pgbench's clock begins with the logins.
    private Duration loginTime() {
        return LOGIN.multipliedBy(clients);
    }

    /// pgbench wants a multiple of what it aggregates.
    private long seconds() {
        var each = EACH.toSeconds();
        return (time.plus(loginTime()).toSeconds() + each - 1) / each * each;
    }

    List<String> command(Path pgbench, Pooler pooler) {
        return List.of(
                pgbench.toString(),
                "-n",
                "-S",
                "-M",
                "prepared",
                "-P",
                Long.toString(EACH.toSeconds()),
                "-l",
                "--aggregate-interval=" + EACH.toSeconds(),
                "--log-prefix=" + directory.resolve("soak-latency"),
                "-c",
                Integer.toString(clients),
                "-j",
                Integer.toString(Math.clamp(PgbenchCommand.usualThreads(), 1, clients)),
                "-R",
                Integer.toString(rate),
                "-T",
                Long.toString(seconds()),
                "-h",
                Pooler.HOST,
                "-p",
                Integer.toString(pooler.port()),
                "-U",
                Setup.Pool.FORTY.role().user(),
                pooler.databaseOf(Setup.Pool.FORTY.database()));
    }

    private void awaitClients(Program load) {
        var deadline = System.nanoTime() + LOGGED_IN_WITHIN.toNanos();
        while (!load.output().contains("progress: ")) {
            if (load.endsWithin(LOOK_AGAIN)) {
                throw load.failure("ended before all clients were in");
            }
            if (System.nanoTime() > deadline) {
                throw load.failure("has not all of its clients in");
            }
        }
    }

    private List<Sample> watch(Pooler pooler, Program load) {
        var file = Settings.write(directory.resolve("soak.csv"), Sample.HEADER);
        var jvm = pooler.contender() instanceof PgPorter
                ? Optional.of(JavaProcess.of(pooler, directory))
                : Optional.<JavaProcess>empty();
        var samples = new ArrayList<Sample>();
        var first = pooler.usage().orElseThrow();
        var started = System.nanoTime();
        do {
            jvm.ifPresent(JavaProcess::collect);
            var heap = jvm.map(it -> OptionalLong.of(it.heapUsed())).orElse(OptionalLong.empty());
            var committed = jvm.map(JavaProcess::committed).orElse(OptionalLong.empty());
            var direct = jvm.map(JavaProcess::direct).orElse(OptionalLong.empty());
            var usage = pooler.usage().orElseThrow();
            var sample = new Sample(
                    (System.nanoTime() - started) / 1e9,
                    usage.residentKilobytes() * 1024,
                    heap,
                    committed,
                    direct,
                    usage.cpu().minus(first.cpu()).toNanos() / 1e9);
            samples.add(sample);
            append(file, sample.csv());
            progress.print(sample.csv());
        } while (!load.endsWithin(EACH) && System.nanoTime() - started < time.toNanos());
        return samples;
    }

    private static void append(Path file, String line) {
        try {
            Files.writeString(file, line, StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw new BenchFailure(file + " cannot be written: " + e.getMessage(), e);
        }
    }

    private String summary(Contender contender, List<Sample> samples, Program load) {
        return "* %s: %d clients, %d transactions a second asked for, %d minutes%n"
                        .formatted(contender.name(), clients, rate, time.toMinutes())
                + "* Resident memory: " + span(samples, it -> OptionalLong.of(it.resident()))
                + "* Heap after a full collection: " + span(samples, Sample::heap)
                + "* Committed by the JVM: " + span(samples, Sample::committed)
                + "* Buffers outside of the heap: " + span(samples, Sample::direct)
                + "\n```\n" + tail(load.output()) + "```\n";
    }

    /// Begin, end and extremes of what was sampled, for a reader. The first tenth is the warm-up and left out.
    static String span(List<Sample> samples, Function<Sample, OptionalLong> value) {
        var values = samples.stream()
                .skip(samples.size() / 10)
                .map(value)
                .filter(OptionalLong::isPresent)
                .mapToDouble(it -> it.getAsLong() / 1e6)
                .toArray();
        if (values.length == 0) {
            return "not known\n";
        }
        var statistics = Arrays.stream(values).summaryStatistics();
        return String.format(
                Locale.ROOT,
                "%.1f MB at the beginning, %.1f MB at the end, from %.1f to %.1f MB in between%n",
                values[0],
                values[values.length - 1],
                statistics.getMin(),
                statistics.getMax());
    }

    private static String tail(String output) {
        return output.lines()
                .filter(line -> !line.startsWith("progress: ") && !line.startsWith("NOTICE: "))
                .map(line -> line + "\n")
                .reduce("", String::concat);
    }
}
