package org.pgporter.bench;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/// A pooler of others that is installed here.
///
/// @param version as it says itself
record Peer(Kind kind, Path program, String version) implements Contender {
    private static final Duration ANSWERS_WITHIN = Duration.ofSeconds(5);
    private static final Pattern NUMBERS = Pattern.compile("(\\d+)\\.(\\d+)");

    /// The peers this benchmark knows how to configure.
    enum Kind {
        PGBOUNCER("PgBouncer", "pgbouncer", "PgBouncer (\\S+)"),
        ODYSSEY("Odyssey", "odyssey", "odyssey (\\S+)"),
        PG_DOORMAN("PgDoorman", "pg_doorman", "(?i)doorman (\\S+)"),
        PGDOG("PgDog", "pgdog", "(?i)pgdog v?(\\S+)");

        private final String title;
        private final String program;
        private final Pattern version;

        Kind(String title, String program, String version) {
            this.title = title;
            this.program = program;
            this.version = Pattern.compile(version);
        }

        /// What `--peers` calls it.
        String option() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }

    /// The one at the path, or without a path the one that is installed.
    ///
    /// @throws BenchFailure when there is nothing at the path that was given
    static Optional<Peer> find(Kind kind, Optional<Path> path, Path directory) {
        path.ifPresent(it -> {
            if (!Files.isExecutable(it)) {
                throw new BenchFailure("there is no program " + it);
            }
        });
        return path.or(() -> Program.find(kind.program)).map(program -> {
            var said = Program.run(
                    directory.resolve(kind.option() + "-version.out"),
                    Map.of(),
                    ANSWERS_WITHIN,
                    List.of(program.toString(), "--version"));
            var version = kind.version.matcher(said);
            return new Peer(kind, program, version.find() ? version.group(1) : "of unknown version");
        });
    }

    @Override
    public String name() {
        return kind.title + " " + version;
    }

    @Override
    public Optional<String> cannot(Work work) {
        return switch (work) {
            case Work.Load load
            when load.protocol() == Work.Protocol.PREPARED && isOld() -> Optional.of("cannot in transaction mode");
            case Work.Allocation _ -> Optional.of("is no JVM");
            case Work.Load _, Work.Bulk _, Work.Idle _, Work.Start _ -> Optional.empty();
        };
    }

    /// PgBouncer 1.21 brought `max_prepared_statements`.
    boolean isOld() {
        var numbers = NUMBERS.matcher(version);
        return kind == Kind.PGBOUNCER
                && numbers.find()
                && Integer.parseInt(numbers.group(1)) == 1
                && Integer.parseInt(numbers.group(2)) < 21;
    }

    @Override
    public Pooler start(Database database, Setup setup, Path directory) {
        var port = Pooler.freePort();
        var command = switch (kind) {
            case PGBOUNCER -> new PgBouncerConfig(database, setup, port, !isOld()).command(program, directory);
            case ODYSSEY -> new OdysseyConfig(database, setup, port).command(program, directory);
            case PG_DOORMAN -> new PgDoormanConfig(database, setup, port).command(program, directory);
            case PGDOG -> new PgDogConfig(database, setup, port).command(program, directory);
        };
        var output = directory.resolve(kind.program + ".out");
        return Pooler.of(this, Program.start(output, Map.of(), command), port).started();
    }
}
