package org.pgporter.bench;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/// Runs `pgbench` against a pooler and reads what both have done in a window of time. Logging in and ending lie
/// outside of it.
///
/// @param program the installed pgbench
/// @param directory where its logs go
record Pgbench(Path program, Path directory) {
    // After the first transactions are in the log: backend connections open, clients reach their pace.
    private static final Duration LEAD = Duration.ofMillis(300);
    // For the delays of a busy machine.
    private static final Duration TAIL = Duration.ofMillis(500);
    // The proof costs pgbench a few thousand hashes.
    private static final Duration LOGIN = Duration.ofMillis(5);
    private static final int ATTEMPTS = 4;
    private static final int MORE_SECONDS = 2;
    private static final Duration LOOK_AGAIN = Duration.ofMillis(10);
    private static final Duration BEGINS_WITHIN = Duration.ofSeconds(20);
    private static final Duration ENDS_WITHIN = Duration.ofSeconds(20);
    private static final Pattern PROCESSED = Pattern.compile("number of transactions actually processed: (\\d+)");
    private static final Pattern FAILED = Pattern.compile("number of failed transactions: (\\d+)");
    private static final String LOG = "transactions";

    /// One run. pgbench counts its logins as part of the time it is given; where it ends before the window does, it
    /// gets more time.
    ///
    /// @param window how long to measure
    /// @throws BenchFailure when pgbench reports an error, or its log and its summary disagree
    Measurement run(Workload workload, Pooler pooler, Duration window) {
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            var measured = tryRun(workload, pooler, window, seconds(workload, window) + attempt * MORE_SECONDS);
            if (measured.isPresent()) {
                return measured.get();
            }
        }
        throw new BenchFailure("pgbench always ended before the window did; the machine is too busy");
    }

    /// Empty when pgbench ended before the window did.
    private Optional<Measurement> tryRun(Workload workload, Pooler pooler, Duration window, long seconds) {
        deleteLogs();
        var command = new ArrayList<>(command(workload, pooler.port(), seconds));
        command.addAll(1, List.of("-l", "--log-prefix=" + directory.resolve(LOG)));
        var output = directory.resolve("pgbench.out");
        try (var pgbench = Program.start(output, Map.of("PGPASSWORD", Database.PASSWORD), command)) {
            var early = !begins(pgbench) || pgbench.endsWithin(LEAD);
            var before = ProcessUsage.of(pooler.program().pid());
            early = early || pgbench.endsWithin(window);
            var after = ProcessUsage.of(pooler.program().pid());
            pgbench.endsWell(ENDS_WITHIN);
            var log = TransactionLog.read(directory, LOG);
            check(pgbench, log);
            return early
                    ? Optional.empty()
                    : Optional.of(Measurement.of(before, after, log.between(before.at(), after.at())));
        }
    }

    /// The command line of a run, without the options for the log.
    List<String> command(Workload workload, int port, long seconds) {
        var command = new ArrayList<>(List.of(
                program.toString(),
                "-n",
                "-S",
                "-M",
                workload.protocol().option(),
                "-c",
                Integer.toString(workload.clients()),
                "-j",
                Integer.toString(threads(workload)),
                "-T",
                Long.toString(seconds),
                "-h",
                Pooler.HOST,
                "-p",
                Integer.toString(port),
                "-U",
                Database.USER));
        if (workload.reconnect()) {
            command.add("-C");
        }
        command.add(workload.backends().database());
        return command;
    }

    /// pgbench takes whole seconds: enough for the window and for what comes before and after it.
    static long seconds(Workload workload, Duration window) {
        return window.plus(LEAD)
                .plus(TAIL)
                .plus(LOGIN.multipliedBy(workload.clients()))
                .plus(Duration.ofNanos(999_999_999))
                .toSeconds();
    }

    String version() {
        return Program.run(
                        directory.resolve("pgbench-version.out"),
                        Map.of(),
                        ENDS_WITHIN,
                        List.of(program.toString(), "--version"))
                .strip();
    }

    // Half of the processors, so that pgbench is not what is measured on large machines and disturbs little on small
    // ones.
    private static int threads(Workload workload) {
        return Math.clamp(Runtime.getRuntime().availableProcessors() / 2, 1, workload.clients());
    }

    /// Returns when the first transactions are in the log.
    ///
    /// @return false when pgbench has ended before
    private boolean begins(Program pgbench) {
        var deadline = System.nanoTime() + BEGINS_WITHIN.toNanos();
        while (!hasLogged()) {
            if (pgbench.endsWithin(LOOK_AGAIN)) {
                return false;
            }
            if (System.nanoTime() > deadline) {
                throw pgbench.failure("has not finished a transaction");
            }
        }
        return true;
    }

    private static void check(Program pgbench, TransactionLog log) {
        if (number(PROCESSED, pgbench) != log.size() || number(FAILED, pgbench) != 0) {
            throw pgbench.failure("logged " + log.size() + " transactions and reports another number, or failures");
        }
    }

    private static long number(Pattern pattern, Program pgbench) {
        var found = pattern.matcher(pgbench.output());
        if (!found.find()) {
            throw pgbench.failure("does not say the " + pattern);
        }
        return Long.parseLong(found.group(1));
    }

    private boolean hasLogged() {
        try (var logs = logs()) {
            for (var log : logs) {
                if (Files.size(log) > 0) {
                    return true;
                }
            }
            return false;
        } catch (IOException e) {
            throw new BenchFailure("the log of pgbench cannot be read: " + e.getMessage(), e);
        }
    }

    private void deleteLogs() {
        try (var logs = logs()) {
            for (var log : logs) {
                Files.delete(log);
            }
        } catch (IOException e) {
            throw new BenchFailure("the log of pgbench cannot be deleted: " + e.getMessage(), e);
        }
    }

    private DirectoryStream<Path> logs() throws IOException {
        return Files.newDirectoryStream(directory, LOG + ".*");
    }
}
