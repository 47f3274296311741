package org.pgporter.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// The command line of the benchmark. The report goes to standard output and, with everything else, into a directory;
/// progress goes to standard error.
@Command(
        name = "run",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description =
                "Measures PgPorter side by side with PostgreSQL alone and with other poolers, in transaction mode.",
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:The report is printed.", "1:Something failed; standard error says what.", "2:Wrong options."
        })
final class Main implements Callable<Integer> {
    @Option(
            names = "--work",
            split = ",",
            paramLabel = "NAME",
            description =
                    "Groups of works, or single works. Default: targets, or quick with --quick. 'all' is everything;"
                            + " an unknown name prints what there is.")
    private List<String> work = List.of();

    @Option(
            names = "--clients",
            split = ",",
            description = "Numbers of clients of the groups 'clients' and 'tpcb', and of the soak (the first)."
                    + " Default: 1,20,100,500,2000,10000; the soak's: 10000.")
    private List<Integer> clients = List.of();

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

    @Option(
            names = "--peers",
            split = ",",
            defaultValue = "pgbouncer,odyssey,pg-doorman,pgdog",
            description = "Which other poolers, where they are installed. Default: ${DEFAULT-VALUE}; 'none': none.")
    private List<String> peers = List.of();

    @Option(names = "--pgbouncer", paramLabel = "PATH", description = "The program. Default: the one on the PATH.")
    private Optional<Path> pgbouncer = Optional.empty();

    @Option(names = "--odyssey", paramLabel = "PATH", description = "As --pgbouncer.")
    private Optional<Path> odyssey = Optional.empty();

    @Option(names = "--pg-doorman", paramLabel = "PATH", description = "As --pgbouncer.")
    private Optional<Path> pgDoorman = Optional.empty();

    @Option(names = "--pgdog", paramLabel = "PATH", description = "As --pgbouncer.")
    private Optional<Path> pgdog = Optional.empty();

    @Option(names = "--no-direct", description = "Leaves out PostgreSQL without a pooler.")
    private boolean notDirectly;

    @Option(names = "--rounds", description = "Rounds to measure. Default: 3, or 1 with --quick.")
    private Optional<Integer> rounds = Optional.empty();

    @Option(names = "--window", description = "Milliseconds measured of each run. Default: 3000, or 1000 with --quick.")
    private Optional<Integer> window = Optional.empty();

    @Option(
            names = "--warm-up",
            description =
                    "Milliseconds that each pooler runs each protocol before. Default: 5000, or 1000 with --quick.")
    private Optional<Integer> warmUp = Optional.empty();

    @Option(
            names = "--limit",
            description = "Seconds after which no further round begins. Default: 10800, or 40 with --quick.")
    private Optional<Integer> limit = Optional.empty();

    @Option(names = "--scale", description = "pgbench's scale factor. Default: 10, or 1 with --quick.")
    private Optional<Integer> scale = Optional.empty();

    @Option(
            names = "--megabytes",
            description = "How much COPY and large rows move, in million bytes. Default: 1000, or 20 with --quick.")
    private Optional<Integer> megabytes = Optional.empty();

    @Option(names = "--idle", description = "How many clients are idle. Default: 2000, or 50 with --quick.")
    private Optional<Integer> idle = Optional.empty();

    @Option(names = "--pgbench-threads", description = "pgbench's option -j. Default: half of the processors.")
    private Optional<Integer> threads = Optional.empty();

    @Option(names = "--quick", description = "Two kinds of work and one round, below a minute.")
    private boolean quick;

    @Option(
            names = "--soak-minutes",
            description =
                    "Instead of all that: many clients at a steady rate for so long, with the first contender that"
                            + " --io, --loops and --peers name; PgPorter before the peers.")
    private Optional<Integer> soakMinutes = Optional.empty();

    @Option(
            names = "--rate",
            defaultValue = "5000",
            description = "Transactions a second of the soak, of all clients together. Default: ${DEFAULT-VALUE}.")
    private int rate = 5000;

    @Option(
            names = "--out",
            paramLabel = "DIRECTORY",
            description =
                    "Where report, measurements, plots and configurations go. Default: target/bench of this module.")
    private Optional<Path> out = Optional.empty();

    @Option(
            names = "--jvm-options",
            defaultValue = "",
            paramLabel = "OPTIONS",
            description = "Options for PgPorter's JVM, for example a flight recording.")
    private String jvmOptions = "";

    public static void main(String[] args) {
        System.exit(new CommandLine(new Main())
                .setExecutionExceptionHandler((e, line, _) -> {
                    line.getErr().println("bench: " + (e instanceof BenchFailure ? e.getMessage() : e));
                    return 1;
                })
                .execute(args));
    }

    @Override
    public Integer call() throws IOException {
        var output = out.orElseGet(() -> home().resolve("tests/bench/target/bench"));
        Files.createDirectories(output);
        if (soakMinutes.isPresent()) {
            System.out.print(soak(Duration.ofMinutes(soakMinutes.get()), output));
        } else {
            System.out.print(bench(contenders()).run(new Output(output)).markdown());
        }
        return 0;
    }

    private Bench bench(List<Contender> contenders) {
        return new Bench(plan(), contenders, threads.orElse(PgbenchCommand.usualThreads()), System.err);
    }

    private String soak(Duration time, Path output) throws IOException {
        var candidates = contenders().stream().filter(Contender::isPooler).toList();
        var contender = candidates.stream()
                .filter(PgPorter.class::isInstance)
                .findFirst()
                .or(() -> candidates.stream().findFirst())
                .orElseThrow(() -> new BenchFailure("there is no pooler to watch"));
        var number = clients.isEmpty() ? Catalogue.CLIENTS.getLast() : clients.getFirst();
        Limits.here().forbids(number).ifPresent(reason -> {
            throw new BenchFailure(reason);
        });
        var soak = new Soak(time, number, rate, output, System.err);
        return bench(List.of(contender))
                .withDatabase(plan().scale(), (database, _) -> soak.run(contender, database, Bench.program("pgbench")));
    }

    private Plan plan() {
        var names = !work.isEmpty() ? work : List.of(quick ? Catalogue.QUICK : Catalogue.TARGETS);
        var works =
                Catalogue.of(clients.isEmpty() ? Catalogue.CLIENTS : clients).select(names);
        var usual = quick ? Plan.quick(works) : Plan.usual(works);
        return new Plan(
                rounds.orElse(usual.rounds()),
                window.map(Duration::ofMillis).orElse(usual.window()),
                warmUp.map(Duration::ofMillis).orElse(usual.warmUp()),
                scale.orElse(usual.scale()),
                limit.map(Duration::ofSeconds).orElse(usual.limit()),
                megabytes.orElse(usual.megabytes()),
                idle.orElse(usual.idle()),
                works);
    }

    private List<Contender> contenders() throws IOException {
        var contenders = new ArrayList<Contender>();
        if (!notDirectly) {
            contenders.add(new Direct());
        }
        contenders.addAll(installedPeers());
        for (var kind : io) {
            loops.forEach(number -> contenders.add(new PgPorter(home(), kind, number, jvmOptions)));
        }
        return contenders;
    }

    private List<Peer> installedPeers() throws IOException {
        var paths = new LinkedHashMap<>(Map.of(
                Peer.Kind.PGBOUNCER, pgbouncer,
                Peer.Kind.ODYSSEY, odyssey,
                Peer.Kind.PG_DOORMAN, pgDoorman,
                Peer.Kind.PGDOG, pgdog));
        var directory = Files.createTempDirectory("pgporter-bench-peers");
        try {
            var found = new ArrayList<Peer>();
            for (var kind : Peer.Kind.values()) {
                if (peers.contains(kind.option())) {
                    Peer.find(kind, paths.getOrDefault(kind, Optional.empty()), directory)
                            .ifPresentOrElse(
                                    found::add,
                                    () -> System.err.println("without " + kind.option() + ": not installed"));
                }
            }
            return found;
        } finally {
            try (var files = Files.list(directory)) {
                for (var file : files.toList()) {
                    Files.delete(file);
                }
            }
            Files.delete(directory);
        }
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
}
