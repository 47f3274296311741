package org.pgporter.bench;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/// A program of the operating system that runs beside this one, its output in a file.
final class Program implements AutoCloseable {
    // Debian and others install daemons where the PATH of a normal user does not look.
    private static final String DAEMONS = ":/usr/local/sbin:/usr/sbin:/sbin";
    private static final Duration STOPS_WITHIN = Duration.ofSeconds(5);

    private static final Set<Program> OPEN = ConcurrentHashMap.newKeySet();

    static {
        // Ctrl-C ends this JVM; what it has started must not stay behind.
        Runtime.getRuntime().addShutdownHook(new Thread(() -> OPEN.forEach(Program::close), "stop-programs"));
    }

    private final Process process;
    private final Path output;

    private Program(Process process, Path output) {
        this.process = process;
        this.output = output;
        OPEN.add(this);
    }

    /// Where an installed program is.
    static Optional<Path> find(String name) {
        return Stream.of((System.getenv().getOrDefault("PATH", "") + DAEMONS).split(":"))
                .filter(it -> !it.isEmpty())
                .map(it -> Path.of(it, name))
                .filter(Files::isExecutable)
                .findFirst();
    }

    /// Starts the program. Of the environment, what libpq would read is taken away and `environment` is added.
    ///
    /// @param output the file for standard output and standard error; what it held is lost
    static Program start(Path output, Map<String, String> environment, List<String> command) {
        var builder = new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(output.toFile());
        builder.environment().keySet().removeIf(name -> name.startsWith("PG"));
        builder.environment().put("LC_ALL", "C");
        builder.environment().putAll(environment);
        try {
            var process = builder.start();
            process.getOutputStream().close();
            return new Program(process, output);
        } catch (IOException e) {
            throw new BenchFailure(command.getFirst() + " cannot be started: " + e.getMessage(), e);
        }
    }

    /// What a program prints that ends by itself within the time and is content.
    static String run(Path output, Map<String, String> environment, Duration within, List<String> command) {
        try (var program = start(output, environment, command)) {
            program.endsWell(within);
            return program.output();
        }
    }

    /// The operating system's number of the process.
    long pid() {
        return process.pid();
    }

    /// Waits for the end, at most so long.
    ///
    /// @return whether it has ended
    boolean endsWithin(Duration time) {
        try {
            return process.waitFor(time.toNanos(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new BenchFailure("interrupted", e);
        }
    }

    /// Waits for an end with exit code 0.
    ///
    /// @throws BenchFailure with the program's words when it ends otherwise, or not within the time
    void endsWell(Duration within) {
        if (!endsWithin(within)) {
            throw failure("ran longer than " + within.toSeconds() + " s");
        }
        if (process.exitValue() != 0) {
            throw failure("ended with exit code " + process.exitValue());
        }
    }

    /// Everything it has said so far.
    String output() {
        try {
            return Files.readString(output, StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new BenchFailure(output + " cannot be read: " + e.getMessage(), e);
        }
    }

    BenchFailure failure(String what) {
        return new BenchFailure(process.info().command().orElse("program " + pid()) + " " + what + ": " + output());
    }

    /// Asks the program to end, and after five seconds no longer asks.
    @Override
    public void close() {
        process.destroy();
        if (!endsWithin(STOPS_WITHIN)) {
            process.destroyForcibly();
        }
        OPEN.remove(this);
    }
}
