package org.pgporter.bench;

import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.regex.Pattern;

/// Measures what clients cost that have logged in, asked one question, and then say nothing: pgbench with a script
/// that sleeps.
///
/// @param directory for scripts and output
/// @param clients how many
record IdleClients(Pgbench pgbench, Database database, Path directory, int clients) {
    private static final int FEW = 20;
    private static final Duration WARM_UP = Duration.ofMillis(500);
    private static final Duration LOOK_AGAIN = Duration.ofMillis(50);
    private static final Duration LOGIN_WITHIN = Duration.ofMillis(20);
    private static final Duration ALL_WITHIN = Duration.ofSeconds(30);
    /// pgbench counts the microseconds of a sleep in 32 bits: more than 2,147 seconds are none.
    private static final String SCRIPT = "select 1;\n\\sleep 2000 s\n";
    /// pgbench reports its progress once all clients are in; by the third second each has its answer. A report may be
    /// left out when it is late.
    private static final Pattern ALL_ARE_IN = Pattern.compile("progress: (?:[3-9]|\\d\\d+)\\.");

    /// Starts a process for it: in one that has worked before, what others have left would be used again.
    ///
    /// @param home where its configuration goes
    Measurement run(Work.Idle idle, Contender contender, Path home) {
        try (var pooler = contender.start(database, idle.setup(), home)) {
            pgbench.run(few(idle), pooler, WARM_UP);
            return run(idle, pooler);
        }
    }

    /// A load that has everybody load what serving clients needs.
    private static Work.Load few(Work.Idle idle) {
        return Catalogue.select(idle.setup(), Work.Protocol.SIMPLE, FEW);
    }

    private Measurement run(Work.Idle idle, Pooler pooler) {
        var jvm = pooler.contender() instanceof PgPorter
                ? Optional.of(JavaProcess.of(pooler, directory))
                : Optional.<JavaProcess>empty();
        var heapBefore = heap(jvm);
        var residentBefore = resident(pooler);
        var script = Settings.write(directory.resolve("idle.sql"), SCRIPT);
        var output = directory.resolve("pgbench-idle.out");
        try (var program = Program.start(output, PgbenchCommand.environment(idle.setup()), command(script, pooler))) {
            awaitAll(program);
            var values = new EnumMap<Metric, Double>(Metric.class);
            values.put(
                    Metric.RESIDENT_KILOBYTES_PER_CLIENT,
                    (resident(pooler) - residentBefore) * 1024.0 / 1000 / clients);
            var heap = heap(jvm);
            if (heap.isPresent()) {
                values.put(
                        Metric.HEAP_KILOBYTES_PER_CLIENT,
                        (heap.getAsLong() - heapBefore.orElseThrow()) / 1000.0 / clients);
            }
            values.put(Metric.RESIDENT_MEGABYTES, resident(pooler) / 1024.0);
            return new Measurement(values);
        }
    }

    private List<String> command(Path script, Pooler pooler) {
        return List.of(
                pgbench.commands().program().toString(),
                "-n",
                "-P",
                "1",
                "-f",
                script.toString(),
                "-c",
                Integer.toString(clients),
                "-T",
                "3600",
                "-h",
                Pooler.HOST,
                "-p",
                Integer.toString(pooler.port()),
                "-U",
                Setup.Pool.FORTY.role().user(),
                pooler.databaseOf(Setup.Pool.FORTY.database()));
    }

    private void awaitAll(Program program) {
        var deadline = System.nanoTime()
                + ALL_WITHIN.plus(LOGIN_WITHIN.multipliedBy(clients)).toNanos();
        while (!ALL_ARE_IN.matcher(program.output()).find()) {
            if (program.endsWithin(LOOK_AGAIN)) {
                throw program.failure("ended before all clients were in");
            }
            if (System.nanoTime() > deadline) {
                throw program.failure("has not all of its clients in");
            }
        }
    }

    private static OptionalLong heap(Optional<JavaProcess> jvm) {
        return jvm.map(it -> {
                    it.collect();
                    return OptionalLong.of(it.heapUsed());
                })
                .orElse(OptionalLong.empty());
    }

    private static long resident(Pooler pooler) {
        return pooler.usage().orElseThrow().residentKilobytes();
    }
}
