package org.pgporter.support;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// A program of an installed PostgreSQL, `psql` or `pgbench`. A test skips when there is none:
///
/// ```java
/// var psql = PgTools.psql();
/// assumeTrue(psql.isPresent(), PgTools.MISSING);
/// var outcome = psql.get().run(Map.of("PGPASSWORD", "secret"), "-h", "127.0.0.1", "-c", "select 1");
/// ```
///
/// Variables of libpq that happen to be set where the tests run are taken away.
public final class PgTools {
    /// Why a test was skipped.
    public static final String MISSING = "psql or pgbench is not on the PATH: install the PostgreSQL client programs";

    private static final Duration TAKES_AT_MOST = Duration.ofMinutes(2);

    private final Path program;

    private PgTools(Path program) {
        this.program = program;
    }

    /// What the program said.
    ///
    /// @param exitCode 0 when all went well; of psql 2 when the connection was lost, 3 when a script failed
    public record Result(int exitCode, String stdout, String stderr) {}

    public static Optional<PgTools> psql() {
        return find("psql");
    }

    public static Optional<PgTools> pgbench() {
        return find("pgbench");
    }

    /// Any other of these programs, such as `pg_basebackup`.
    public static Optional<PgTools> named(String name) {
        return find(name);
    }

    private static Optional<PgTools> find(String name) {
        return Stream.of(System.getenv().getOrDefault("PATH", "").split(":"))
                .filter(it -> !it.isEmpty())
                .map(it -> Path.of(it, name))
                .filter(Files::isExecutable)
                .findFirst()
                .map(PgTools::new);
    }

    /// Runs the program for at most two minutes.
    public Result run(Map<String, String> environment, String... arguments) {
        return run(environment, "", TAKES_AT_MOST, arguments);
    }

    /// Runs the program with the text as its standard input.
    ///
    /// @throws UncheckedIOException when it takes longer than the timeout; it is killed then
    public Result run(Map<String, String> environment, String stdin, Duration timeout, String... arguments) {
        try {
            var command = Stream.concat(Stream.of(program.toString()), Stream.of(arguments))
                    .toList();
            var outcome = Commands.run(command, environment, stdin, timeout);
            return new Result(outcome.exitCode(), outcome.stdout(), outcome.stderr());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// The program's own statement of its version, such as `psql (PostgreSQL) 18.1`.
    public String version() {
        return run(Map.of(), "--version").stdout().strip();
    }
}
