package org.pgporter.bench;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.pgporter.support.PgTools;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// Starts a PostgreSQL, PgPorter and, where it is installed, PgBouncer, lets pgbench load them in turns, and
/// prints a table in Markdown. Progress goes to standard error.
@Command(
        name = "run",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Measures PgPorter side by side with PgBouncer, in transaction mode, under pgbench -S.",
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:The table is printed.", "1:Something failed; standard error says what.", "2:Wrong options."})
final class Bench implements Callable<Integer> {
    @Option(
            names = "--io",
            split = ",",
            defaultValue = "epoll,io_uring",
            description = "How PgPorter's event loops do I/O, one process each: epoll, io_uring, nio, auto."
                    + " Default: ${DEFAULT-VALUE}.")
    private List<String> io = List.of();

    @Option(
            names = "--loops",
            split = ",",
            defaultValue = "0",
            description = "Number of PgPorter's event loops, one process each; 0, the default: one per processor.")
    private List<Integer> loops = List.of();

    @Option(names = "--rounds", description = "Rounds to measure. Default: 3, or 1 with --quick.")
    private Optional<Integer> rounds = Optional.empty();

    @Option(names = "--window", description = "Milliseconds measured of each run. Default: 2000, or 1000 with --quick.")
    private Optional<Integer> window = Optional.empty();

    @Option(
            names = "--limit",
            description = "Seconds after which no further round begins. Default: 300, or 40 with --quick.")
    private Optional<Integer> limit = Optional.empty();

    @Option(names = "--quick", description = "Two kinds of work and one round, below 40 seconds.")
    private boolean quick;

    @Option(names = "--no-pgbouncer", description = "Leaves PgBouncer out, also where it is installed.")
    private boolean alone;

    @Option(
            names = "--jvm-options",
            defaultValue = "",
            paramLabel = "OPTIONS",
            description = "Options for PgPorter's JVM, for example a flight recording.")
    private String jvmOptions = "";

    public static void main(String[] args) {
        System.exit(new CommandLine(new Bench())
                .setExecutionExceptionHandler((e, line, _) -> {
                    line.getErr().println("bench: " + e);
                    return 1;
                })
                .execute(args));
    }

    @Override
    public Integer call() throws IOException {
        var poolers = new ArrayList<PgPorter>();
        for (var kind : io) {
            loops.forEach(number -> poolers.add(new PgPorter(home(), kind, number, jvmOptions)));
        }
        System.out.print(run(plan(), poolers, !alone, System.err));
        return 0;
    }

    private Plan plan() {
        var plan = quick ? Plan.quick() : Plan.usual();
        return plan.withRounds(rounds.orElse(plan.rounds()))
                .withWindow(Duration.ofMillis(window.orElse((int) plan.window().toMillis())))
                .withLimit(Duration.ofSeconds(limit.orElse((int) plan.limit().toSeconds())));
    }

    /// Measures and returns the report.
    ///
    /// @param withPgBouncer also PgBouncer, if it is installed
    /// @throws BenchFailure when a program is missing or fails
    static String run(Plan plan, List<PgPorter> nodes, boolean withPgBouncer, PrintStream progress) throws IOException {
        var started = System.nanoTime();
        var program = Program.find("pgbench").orElseThrow(() -> new BenchFailure(PgTools.MISSING));
        var directory = Files.createTempDirectory("pgporter-bench");
        var running = new ArrayList<AutoCloseable>();
        try {
            var pgbench = new Pgbench(program, directory);
            progress.println("starting PostgreSQL and the poolers, in " + directory);
            var database = Database.start(program, directory, plan.scale(), connections(nodes.size() + 1));
            running.add(database);
            var poolers = new ArrayList<Pooler>();
            var pgBouncer = withPgBouncer ? PgBouncer.find(directory) : Optional.<PgBouncer>empty();
            pgBouncer.ifPresent(it -> poolers.add(it.start(database, directory)));
            running.addAll(poolers);
            for (var node : nodes) {
                var pooler = node.start(database, directory);
                running.add(pooler);
                poolers.add(pooler);
            }
            var load = Machine.load();
            var results = new Series(plan, poolers, pgbench, progress, started).run();
            var conditions = conditions(plan, results.rounds(), pgbench, database, poolers, load);
            return new Report(plan, poolers, results, conditions).markdown();
        } finally {
            closeAll(running);
            delete(directory);
        }
    }

    private static List<String> conditions(
            Plan plan, int rounds, Pgbench pgbench, Database database, List<Pooler> poolers, String load) {
        var conditions = new ArrayList<>(List.of(
                "Machine: " + Machine.describe() + "; load average " + load + " before, " + Machine.load() + " after",
                "PostgreSQL " + database.version() + ", " + pgbench.version() + ", Java " + Runtime.version()
                        + ", all on " + "this machine through 127.0.0.1",
                "%d round(s) of %d ms for each line, medians; `x` is the median of each round's ratio to %s"
                        .formatted(
                                rounds,
                                plan.window().toMillis(),
                                poolers.getFirst().name())));
        plan.workloads().stream()
                .limit(1)
                .map(workload -> pgbench.command(workload, 6432, Pgbench.seconds(workload, plan.window())))
                .forEach(command ->
                        conditions.add("Command of the first line: `" + String.join(" ", command) + "` (and `-l`)"));
        if (poolers.stream().noneMatch(pooler -> pooler.name().startsWith("PgBouncer"))) {
            conditions.add("Without PgBouncer: it is not installed, or was not wanted");
        } else if (!poolers.getFirst().preparedInTransactions()) {
            conditions.add("This PgBouncer is older than 1.21 and cannot do prepared statements in transaction mode");
        }
        return conditions;
    }

    private static int connections(int poolers) {
        var each = 0;
        for (var size : Workload.PoolSize.values()) {
            each += size.connections();
        }
        return each * poolers;
    }

    /// The checkout: where the launcher is, here or above.
    static Path home() {
        var here = Path.of("").toAbsolutePath();
        for (var directory = here; directory != null; directory = directory.getParent()) {
            if (Files.isExecutable(directory.resolve("pgporter")) && Files.exists(directory.resolve("proxy-node"))) {
                return directory;
            }
        }
        throw new BenchFailure("start the benchmark inside of a checkout of PgPorter: " + here + " is none");
    }

    /// Last started, first closed.
    private static void closeAll(List<AutoCloseable> running) {
        for (var it : running.reversed()) {
            try {
                it.close();
            } catch (Exception e) {
                System.err.println("bench: cannot stop " + it + ": " + e);
            }
        }
    }

    private static void delete(Path directory) throws IOException {
        try (var files = Files.walk(directory)) {
            for (var file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
