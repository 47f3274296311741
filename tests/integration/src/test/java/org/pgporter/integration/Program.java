package org.pgporter.integration;

import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/// A program that runs beside the test, can be sent signals, and is killed when it is closed.
final class Program implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private final Process process;
    private final Output stdout;
    private final Output stderr;

    private Program(Process process) {
        this.process = process;
        this.stdout = new Output(process.getInputStream());
        this.stderr = new Output(process.getErrorStream());
    }

    /// What a stream has brought so far.
    private static final class Output {
        private final StringBuilder text = new StringBuilder();

        Output(InputStream stream) {
            Thread.ofVirtual().start(() -> {
                byte[] chunk = new byte[8192];
                try (stream) {
                    for (int n = stream.read(chunk); n >= 0; n = stream.read(chunk)) {
                        append(new String(chunk, 0, n, StandardCharsets.UTF_8));
                    }
                } catch (IOException _) {
                    // The process is gone.
                }
            });
        }

        private synchronized void append(String more) {
            text.append(more);
        }

        @Override
        public synchronized String toString() {
            return text.toString();
        }
    }

    /// Variables of libpq that are set where the tests run are taken away; the given ones are added.
    static Program start(Map<String, String> environment, List<String> command) {
        ProcessBuilder builder = new ProcessBuilder(command);
        builder.environment().keySet().removeIf(name -> name.startsWith("PG"));
        builder.environment().put("LC_ALL", "C");
        builder.environment().putAll(environment);
        try {
            return new Program(builder.start());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Sends a signal, `TERM` or `INT`.
    void signal(String name) {
        try {
            new ProcessBuilder("kill", "-" + name, Long.toString(process.pid()))
                    .start()
                    .waitFor(5, TimeUnit.SECONDS);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /// Gives the program all of its standard input.
    void types(String text) {
        try (var input = process.getOutputStream()) {
            input.write(text.getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    void awaitStderr(String part) {
        await("\"" + part + "\" on standard error")
                .atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(20))
                .until(() -> {
                    if (!process.isAlive() && !stderr().contains(part)) {
                        throw new IllegalStateException("ended with " + process.exitValue() + ": " + this);
                    }
                    return stderr().contains(part);
                });
    }

    /// Waits for the end.
    ///
    /// @return the exit code
    int awaitExit() {
        try {
            if (!process.waitFor(PATIENCE.toMillis(), TimeUnit.MILLISECONDS)) {
                throw new AssertionError("still runs after " + PATIENCE + ": " + this);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
        return process.exitValue();
    }

    boolean isAlive() {
        return process.isAlive();
    }

    String stdout() {
        return stdout.toString();
    }

    String stderr() {
        return stderr.toString();
    }

    /// Whether a program of this name can be started.
    static boolean exists(String name) {
        return List.of(System.getenv().getOrDefault("PATH", "").split(":")).stream()
                .filter(folder -> !folder.isEmpty())
                .anyMatch(folder -> Path.of(folder, name).toFile().canExecute());
    }

    @Override
    public String toString() {
        return stdout() + stderr();
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
