package org.pgporter.support;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/// Runs a program of the operating system to its end.
final class Commands {
    private static final Duration SIGNAL_TAKES_AT_MOST = Duration.ofSeconds(10);

    private Commands() {}

    /// What a program answered.
    ///
    /// @param exitCode 0 when it is content
    record Outcome(int exitCode, String stdout, String stderr) {}

    /// Runs the command with these variables added to the environment and `stdin` as its input. One that takes longer
    /// than the timeout is killed.
    ///
    /// @throws IOException when it cannot be started, or took too long; then with what it had said
    static Outcome run(List<String> command, Map<String, String> environment, String stdin, Duration timeout)
            throws IOException {
        var builder = new ProcessBuilder(command);
        // The variables of libpq in the environment of whoever runs the tests must not decide what is tested.
        builder.environment().keySet().removeIf(name -> name.startsWith("PG") && !name.startsWith("PGPORTER"));
        builder.environment().put("LC_ALL", "C");
        builder.environment().putAll(environment);
        var process = builder.start();
        var stdout = readAll(process.getInputStream());
        var stderr = readAll(process.getErrorStream());
        try (var input = process.getOutputStream()) {
            input.write(stdin.getBytes(StandardCharsets.UTF_8));
        } catch (IOException _) {
            // A program that does not read its input has closed it: its exit code says what it thinks.
        }
        try {
            if (!process.waitFor(timeout.toMillis(), TimeUnit.MILLISECONDS)) {
                process.descendants().forEach(ProcessHandle::destroyForcibly);
                process.destroyForcibly();
                throw new IOException(command + " took longer than " + timeout + ": " + stdout.join() + stderr.join());
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
            throw new IOException(command + " was interrupted", e);
        }
        return new Outcome(process.exitValue(), stdout.join(), stderr.join());
    }

    /// Sends the signal, for example `INT`, to a process. One that is gone already is fine.
    static void signal(long pid, String name) {
        tryRun(List.of("sh", "-c", "kill -" + name + " " + pid));
    }

    /// Runs what may fail without harm.
    static void tryRun(List<String> command) {
        try {
            run(command, Map.of(), "", SIGNAL_TAKES_AT_MOST);
        } catch (IOException _) {
            // By contract.
        }
    }

    private static CompletableFuture<String> readAll(InputStream stream) {
        var text = new CompletableFuture<String>();
        Thread.ofVirtual().start(() -> {
            try {
                text.complete(new String(stream.readAllBytes(), StandardCharsets.UTF_8));
            } catch (IOException e) {
                text.complete("[unreadable: " + e.getMessage() + "]");
            }
        });
        return text;
    }
}
