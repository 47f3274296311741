package org.pgporter.bench;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.pgporter.support.PgTools;

/// One run of the benchmark: starts a PostgreSQL, lets every contender do every work in turns, and says what it saw.
///
/// @param contenders in the order of the tables
/// @param threads of pgbench
record Bench(Plan plan, List<? extends Contender> contenders, int threads, PrintStream progress) {
    private static final int OTHERS = 60;

    /// Something that needs the PostgreSQL and a directory for temporary files.
    interface Job<T> {
        T run(Database database, Path directory) throws IOException;
    }

    /// Measures.
    ///
    /// @throws BenchFailure when a program is missing, or PostgreSQL fails
    Report run(Output output) throws IOException {
        var started = System.nanoTime();
        return withDatabase(plan.scale(), (database, directory) -> {
            var commands = PgbenchCommand.create(program("pgbench"), threads, directory);
            var pgbench = new Pgbench(commands, directory, database);
            var tools = new Series.Tools(database, pgbench, program("psql"), Limits.here());
            var load = Machine.load();
            var results = new Series(plan, contenders, tools, directory, progress, started).run();
            var report = new Report(plan, contenders, results, conditions(tools, directory, results.rounds(), load));
            output.write(report, directory);
            return report;
        });
    }

    /// Starts a PostgreSQL for the job, and leaves nothing of it behind.
    <T> T withDatabase(int scale, Job<T> job) throws IOException {
        var directory = Files.createTempDirectory("pgporter-bench");
        // Who refuses to be root must be able to find the files that it is given.
        Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx--x--x"));
        try {
            progress.println("starting PostgreSQL, in " + directory);
            try (var database = Database.start(program("pgbench"), directory, scale, connections())) {
                return job.run(database, directory);
            }
        } finally {
            delete(directory);
        }
    }

    static Path program(String name) {
        return Program.find(name).orElseThrow(() -> new BenchFailure(PgTools.MISSING));
    }

    /// What all contenders may have open together, in the setup that needs most.
    private int connections() {
        var pooled = Setup.Pool.FORTY.size() + Setup.Pool.TEN.size() + Setup.Pool.LOGIN.size();
        var pools = plan.works().stream().anyMatch(it -> it.setup() == Setup.POOLS)
                ? Setup.POOLS.pools().size()
                : 0;
        return pooled * contenders.size() + Direct.CLIENTS + pools + OTHERS;
    }

    private List<String> conditions(Series.Tools tools, Path directory, int rounds, String load) {
        var conditions = new ArrayList<String>();
        conditions.add(
                "Machine: " + Machine.describe() + "; load average " + load + " before, " + Machine.load() + " after");
        conditions.add("PostgreSQL " + tools.database().version() + ", "
                + tools.pgbench().commands().version(directory) + ", Java " + Runtime.version()
                + ", all on this machine through 127.0.0.1; ulimit -n "
                + tools.limits().openFiles());
        conditions.add("Contenders: "
                + String.join(", ", contenders.stream().map(Contender::name).toList()));
        conditions.add(
                "%d round(s) of %d ms for each line, medians; `x` is the median of each round's ratio to the first"
                                .formatted(rounds, plan.window().toMillis())
                        + " PgBouncer; warmed up for " + plan.warmUp().toSeconds()
                        + " s with each protocol; pgbench's scale "
                        + plan.scale());
        if (plan.works().stream().anyMatch(Work.Bulk.class::isInstance)) {
            conditions.add("Many bytes: " + plan.megabytes() + " million of them");
        }
        if (plan.works().stream().anyMatch(Work.Idle.class::isInstance)) {
            conditions.add("Idle clients: " + plan.idle());
        }
        commands(tools).forEach(it -> conditions.add("Command: " + it));
        return conditions;
    }

    /// The command line of each work, as it is for a pooler on port 6432.
    private List<String> commands(Series.Tools tools) {
        var pooler = new Pooler(new Direct(), Optional.empty(), 6432, Optional.empty());
        var bulk = new Bulk(tools.psql(), Path.of(""), plan.megabytes());
        var commands = new ArrayList<String>();
        for (var work : plan.works()) {
            switch (work) {
                case Work.Load it -> {
                    var seconds = Pgbench.seconds(it, plan.window(), Duration.ZERO);
                    var line =
                            tools.pgbench().commands().of(it, pooler, seconds).getFirst();
                    commands.add(it.key() + ": `" + String.join(" ", line) + "` (and `-l`)");
                }
                case Work.Bulk it ->
                    commands.add(it.key() + ": `"
                            + String.join(" ", bulk.command(it, pooler)).replaceAll("x{20,}", "xxx…") + "`");
                case Work.Idle _, Work.Start _, Work.Allocation _ -> {}
            }
        }
        return commands;
    }

    private static void delete(Path directory) throws IOException {
        try (var files = Files.walk(directory)) {
            for (var file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
