package org.pgporter.bench;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.pgporter.bench.Measurement.Used;

/// Runs `pgbench` against a contender and reads what both have done in a window of time. Logging in and ending lie
/// outside of it. Not for several threads.
final class Pgbench {
    // After the first transactions are in the log: backend connections open, clients reach their pace.
    private static final Duration LEAD = Duration.ofMillis(300);
    // Of many clients that all begin at once, the first wave is none of their pace.
    private static final Duration LEAD_OF_EACH = Duration.ofNanos(150_000);
    // For the delays of a busy machine.
    private static final Duration TAIL = Duration.ofMillis(500);
    // A guess for the first run of a pooler; then the logins of the run before say it.
    private static final Duration LOGIN = Duration.ofNanos(1_500_000);
    private static final int MANY = 100;
    private static final double MARGIN = 1.4;
    private static final int ATTEMPTS = 4;
    private static final int MORE_SECONDS = 2;
    private static final Duration LOOK_AGAIN = Duration.ofMillis(10);
    private static final Duration BEGINS_WITHIN = Duration.ofSeconds(20);
    private static final Duration LOGIN_WITHIN = Duration.ofMillis(10);
    private static final Duration ENDS_WITHIN = Duration.ofSeconds(60);
    private static final Pattern PROCESSED = Pattern.compile("number of transactions actually processed: (\\d+)");
    private static final Pattern FAILED = Pattern.compile("number of failed transactions: (\\d+)");
    private static final String LOG = "transactions";

    private final PgbenchCommand commands;
    private final Path directory;
    private final Database database;
    private final Map<String, Duration> logins = new HashMap<>();

    /// @param directory where its logs go
    /// @param database the PostgreSQL whose processor time is measured too
    Pgbench(PgbenchCommand commands, Path directory, Database database) {
        this.commands = commands;
        this.directory = directory;
        this.database = database;
    }

    PgbenchCommand commands() {
        return commands;
    }

    /// One run. pgbench counts its logins as part of the time it is given; where it ends before the window does, it
    /// gets more time.
    ///
    /// @param window how long to measure
    /// @throws BenchFailure when pgbench reports an error, or its log and its summary disagree
    Measurement run(Work.Load load, Pooler pooler, Duration window) {
        return run(load, pooler, window, Observer.NONE);
    }

    /// One run, and somebody looks when the window begins and ends.
    Measurement run(Work.Load load, Pooler pooler, Duration window, Observer observer) {
        var key = pooler.contender().name() + load.setup();
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            var guess = logins.getOrDefault(key, LOGIN).multipliedBy(load.reconnect() ? 1 : load.clients());
            var more = guess.plus(observer.takes()).plusSeconds((long) attempt * MORE_SECONDS);
            var measured = tryRun(load, pooler, window, more, key, observer);
            if (measured.isPresent()) {
                return measured.get();
            }
        }
        throw new BenchFailure("pgbench always ended before the window did; the machine is too busy");
    }

    /// Who looks at the window, too.
    interface Observer {
        Observer NONE = new Observer() {
            @Override
            public Duration takes() {
                return Duration.ZERO;
            }

            @Override
            public void begins() {}

            @Override
            public void ends() {}

            @Override
            public void ended(TransactionLog log) {}
        };

        /// How long looking takes, about.
        Duration takes();

        /// The window is about to begin.
        void begins();

        /// The window is over, and pgbench may still run.
        void ends();

        /// pgbench has ended, and this is all it has done.
        void ended(TransactionLog log);
    }

    /// Empty when pgbench ended before the window did.
    ///
    /// @param before how long it probably takes until the window can begin
    private Optional<Measurement> tryRun(
            Work.Load load, Pooler pooler, Duration window, Duration before, String key, Observer observer) {
        deleteLogs();
        var started = System.nanoTime();
        var seconds = seconds(load, window, before);
        var running = new ArrayList<Program>();
        try {
            for (var line : commands.of(load, pooler, seconds)) {
                var command = new ArrayList<>(line);
                command.addAll(1, List.of("-l", "--log-prefix=" + directory.resolve(LOG)));
                var output = directory.resolve("pgbench-" + running.size() + ".out");
                running.add(Program.start(output, PgbenchCommand.environment(load.setup()), command));
            }
            var early = !begins(running, load);
            if (load.clients() >= MANY) {
                // Of few clients it is the start of pgbench that takes long, and not the logins.
                var taken = early ? before.multipliedBy(2) : since(started);
                logins.put(key, taken.dividedBy(load.clients()));
            }
            early = early || anyEndsWithin(running, lead(load));
            observer.begins();
            var serverBefore = database.usage();
            var poolerBefore = pooler.usage();
            early = early || anyEndsWithin(running, window);
            var after = pooler.usage();
            var server = new Used(serverBefore, database.usage());
            observer.ends();
            running.forEach(it -> it.endsWell(ENDS_WITHIN));
            var log = TransactionLog.read(directory, LOG);
            check(running, log);
            if (early) {
                return Optional.empty();
            }
            var used = poolerBefore.flatMap(it -> after.map(then -> new Used(it, then)));
            var timed = used.orElse(server);
            var durations = log.between(timed.before().at(), timed.after().at());
            observer.ended(log);
            return Optional.of(Measurement.of(used, server, durations));
        } finally {
            running.forEach(Program::close);
        }
    }

    /// pgbench takes whole seconds: enough for the window and for what comes before and after it.
    ///
    /// @param logins how long they probably take
    static long seconds(Work.Load load, Duration window, Duration logins) {
        return window.plus(lead(load))
                .plus(TAIL)
                .plus(Duration.ofMillis((long) (logins.toMillis() * MARGIN)))
                .plus(Duration.ofNanos(999_999_999))
                .toSeconds();
    }

    private static Duration lead(Work.Load load) {
        return LEAD.plus(LEAD_OF_EACH.multipliedBy(load.clients()));
    }

    private static Duration since(long started) {
        return Duration.ofNanos(System.nanoTime() - started);
    }

    /// Waits that long for the first that ends.
    private static boolean anyEndsWithin(List<Program> running, Duration time) {
        var ended = running.getFirst().endsWithin(time);
        return ended || running.stream().anyMatch(it -> it.endsWithin(Duration.ZERO));
    }

    /// Returns when the first transactions are in the log.
    ///
    /// @return false when pgbench has ended before
    private boolean begins(List<Program> running, Work.Load load) {
        var deadline = System.nanoTime()
                + BEGINS_WITHIN.plus(LOGIN_WITHIN.multipliedBy(load.clients())).toNanos();
        while (!haveLogged(running.size())) {
            if (anyEndsWithin(running, LOOK_AGAIN)) {
                return false;
            }
            if (System.nanoTime() > deadline) {
                throw running.getFirst().failure("has not finished a transaction");
            }
        }
        return true;
    }

    private static void check(List<Program> running, TransactionLog log) {
        var processed = running.stream().mapToLong(it -> number(PROCESSED, it)).sum();
        var failed = running.stream().mapToLong(it -> number(FAILED, it)).sum();
        if (processed != log.size() || failed != 0) {
            throw running.getFirst()
                    .failure("logged " + log.size() + " transactions and reports another number, or failures");
        }
    }

    private static long number(Pattern pattern, Program pgbench) {
        var found = pattern.matcher(pgbench.output());
        if (!found.find()) {
            throw pgbench.failure("does not say the " + pattern);
        }
        return Long.parseLong(found.group(1));
    }

    /// Whether so many logs have begun, one at least of each pgbench.
    private boolean haveLogged(int processes) {
        try (var logs = logs()) {
            var begun = 0;
            for (var log : logs) {
                if (Files.size(log) > 0) {
                    begun++;
                }
            }
            return begun >= processes;
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
