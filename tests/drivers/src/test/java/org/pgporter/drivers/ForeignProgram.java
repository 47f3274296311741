package org.pgporter.drivers;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/// Programs in another language: a folder of sources with pinned versions, which the language's own package manager
/// installs into `target`. What is installed stays until the sources change or `target` is removed.
enum ForeignProgram {
    PSYCOPG("python", "psycopg_program.py"),
    ASYNCPG("python", "asyncpg_program.py"),
    PGX("go", "pgx-program"),
    NODE_POSTGRES("node", "node_postgres_program.js"),
    POSTGRES_JS("node", "postgres_js_program.js"),
    /// Not at work, but at the console.
    CONSOLE("python", "console_program.py");

    private static final Duration INSTALLS_WITHIN = Duration.ofMinutes(5);
    private static final Duration RUNS_WITHIN = Duration.ofMinutes(2);
    // Beside the installed things: what they were installed from.
    private static final String INSTALLED = ".installed";

    private final String language;
    private final String program;

    ForeignProgram(String language, String program) {
        this.language = language;
        this.program = program;
    }

    /// What a program said, standard error included.
    record Outcome(int exitCode, String output) {
        String lastLine() {
            return output.strip().lines().reduce("", (_, last) -> last);
        }
    }

    /// Runs the program, installed before if needed.
    ///
    /// @throws org.opentest4j.TestAbortedException when the language or its packages cannot be had here
    Outcome run(Map<String, String> variables) {
        install();
        Path installed = installed();
        return run(
                installed,
                variables,
                RUNS_WITHIN,
                switch (language) {
                    case "python" -> List.of("venv/bin/python", program);
                    case "node" -> List.of("node", program);
                    default -> List.of("./" + program);
                });
    }

    private Path sources() {
        return Path.of(language).toAbsolutePath();
    }

    private Path installed() {
        return Path.of("target", language).toAbsolutePath();
    }

    /// The sources are copied each time, packages are fetched only when the files that name them have changed.
    private void install() {
        try {
            Files.createDirectories(installed());
            StringBuilder packages = new StringBuilder();
            try (Stream<Path> files = Files.list(sources())) {
                for (Path file : files.filter(Files::isRegularFile).sorted().toList()) {
                    Path copy = installed().resolve(file.getFileName());
                    Files.write(copy, Files.readAllBytes(file));
                    if (!file.toString().matches(".*\\.(py|js|go)")) {
                        packages.append(Files.readString(file));
                    }
                }
            }
            Path marker = installed().resolve(INSTALLED);
            if (!Files.exists(marker) || !Files.readString(marker).contentEquals(packages)) {
                fetchPackages();
                Files.writeString(marker, packages);
            }
            if (language.equals("go")) {
                build();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void fetchPackages() {
        switch (language) {
            case "python" -> {
                succeedsOrSkips("python3", "-m", "venv", "--clear", "venv");
                // Wheels only: what would have to be compiled is not there for this platform.
                succeedsOrSkips(
                        "venv/bin/pip",
                        "install",
                        "--quiet",
                        "--disable-pip-version-check",
                        // Where there is no network, that is known soon.
                        "--retries=1",
                        "--only-binary=:all:",
                        "--requirement",
                        "requirements.txt");
            }
            case "node" ->
                succeedsOrSkips("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1");
            default -> succeedsOrSkips("go", "mod", "download");
        }
    }

    /// Unlike a package that cannot be fetched, a program that does not compile is a failure.
    private void build() {
        Outcome outcome = run(installed(), Map.of(), INSTALLS_WITHIN, List.of("go", "build", "-o", program, "."));
        if (outcome.exitCode() != 0) {
            throw new AssertionError("go build failed: " + outcome.output());
        }
    }

    private void succeedsOrSkips(String... command) {
        Outcome outcome;
        try {
            outcome = run(installed(), Map.of(), INSTALLS_WITHIN, List.of(command));
        } catch (UncheckedIOException e) {
            outcome = new Outcome(-1, String.valueOf(e.getMessage()));
        }
        assumeTrue(
                outcome.exitCode() == 0,
                "skipped, because " + String.join(" ", command) + " did not succeed: " + outcome.output());
    }

    private static Outcome run(Path folder, Map<String, String> variables, Duration atMost, List<String> command) {
        ProcessBuilder builder =
                new ProcessBuilder(command).directory(folder.toFile()).redirectErrorStream(true);
        Map<String, String> environment = builder.environment();
        // What happens to be set where the tests run must not decide what is tested.
        environment.keySet().removeIf(name -> name.startsWith("PG") || name.startsWith("PYTHON"));
        // Modules that can be removed again, and no other Go than the one that is there.
        environment.put("GOMODCACHE", folder.resolve("modules").toString());
        environment.put("GOFLAGS", "-mod=readonly -modcacherw");
        environment.put("GOTOOLCHAIN", "local");
        environment.putAll(variables);
        try {
            Path output = Files.createTempFile(folder, "output-", ".log");
            Process process = builder.redirectOutput(output.toFile()).start();
            boolean ended = process.waitFor(atMost.toMillis(), TimeUnit.MILLISECONDS);
            if (!ended) {
                process.descendants().forEach(ProcessHandle::destroyForcibly);
                process.destroyForcibly().waitFor();
            }
            String said = new String(Files.readAllBytes(output), StandardCharsets.UTF_8);
            Files.delete(output);
            return ended
                    ? new Outcome(process.exitValue(), said)
                    : new Outcome(-1, said + "\n" + command + " did not end within " + atMost);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }
}
