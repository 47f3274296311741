package org.pgporter.support;

import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.awaitility.core.ConditionTimeoutException;

/// One data directory and the server process that runs on it, or not.
///
/// The server is a child of this JVM, not of `pg_ctl`: a child that was killed is reaped even in a
/// container whose first
/// process does not care for orphans, and only then lets PostgreSQL start again on its lock file.
final class PostgresProcess {
    private static final Duration INITDB_TAKES_AT_MOST = Duration.ofMinutes(2);
    private static final Duration STARTS_WITHIN = Duration.ofSeconds(60);
    private static final Duration STOPS_WITHIN = Duration.ofSeconds(30);

    /// The file with certificates that vouch for clients.
    static final String AUTHORITY = "root.crt";

    private final Launcher launcher = Launcher.ofThisMachine();
    private final PostgresBinaries binaries;
    private final PostgresFiles files;
    private Optional<Process> postmaster = Optional.empty();

    PostgresProcess(PostgresMajor major) throws IOException {
        binaries = PostgresBinaries.of(major);
        files = PostgresFiles.create(launcher);
    }

    PostgresFiles files() {
        return files;
    }

    void initialize(List<String> settings, List<String> hba) throws IOException {
        var outcome = Commands.run(
                launcher.command(List.of(
                        binaries.program("initdb"),
                        "--pgdata=" + files.data(),
                        "--username=postgres",
                        "--auth=trust",
                        "--encoding=UTF8",
                        "--locale=C",
                        "--no-sync")),
                Map.of(),
                "",
                INITDB_TAKES_AT_MOST);
        if (outcome.exitCode() != 0) {
            throw new IOException("initdb failed: " + outcome);
        }
        files.configure(settings);
        Files.write(files.hba(), hba);
    }

    /// Replaces the rules of a server that runs; it reads them when it is told to.
    void useHba(List<String> lines) throws IOException {
        Files.write(files.hba(), lines);
    }

    /// Puts a certificate with its key and its authority where PostgreSQL looks for them.
    void install(TestPki.Identity identity) throws IOException {
        var key = files.data().resolve("server.key");
        Files.copy(identity.certificate(), files.data().resolve("server.crt"), StandardCopyOption.REPLACE_EXISTING);
        Files.copy(identity.authority(), files.data().resolve(AUTHORITY), StandardCopyOption.REPLACE_EXISTING);
        Files.copy(identity.key(), key, StandardCopyOption.REPLACE_EXISTING);
        Files.setPosixFilePermissions(key, PosixFilePermissions.fromString("rw-------"));
        launcher.handOver(key);
    }

    /// Starts the server and returns when it accepts connections.
    ///
    /// @throws IOException when it does not come up, with its log
    synchronized void start() throws IOException {
        if (isRunning()) {
            throw new IllegalStateException("PostgreSQL runs already");
        }
        var command = new ArrayList<>(ofItsOwnSession());
        command.addAll(launcher.command(
                List.of(binaries.program("postgres"), "-D", files.data().toString())));
        var builder = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(files.log().toFile()));
        builder.environment().keySet().removeIf(name -> name.startsWith("PG"));
        var process = builder.start();
        postmaster = Optional.of(process);
        try {
            await().atMost(STARTS_WITHIN)
                    .pollDelay(Duration.ZERO)
                    .pollInterval(Duration.ofMillis(20))
                    .until(() -> !process.isAlive() || isReady(process));
        } catch (ConditionTimeoutException _) {
            process.destroyForcibly();
        }
        if (!process.isAlive()) {
            throw new IOException("PostgreSQL did not start: " + log());
        }
    }

    private boolean isReady(Process process) throws IOException {
        var lines = files.postmasterPid();
        return lines.size() >= 8
                && lines.getFirst().strip().equals(Long.toString(process.pid()))
                && lines.get(7).strip().equals("ready");
    }

    synchronized boolean isRunning() {
        return postmaster.filter(Process::isAlive).isPresent();
    }

    synchronized long pid() {
        return postmaster
                .filter(Process::isAlive)
                .orElseThrow(() -> new IllegalStateException("PostgreSQL does not run"))
                .pid();
    }

    /// Stops the server and returns when it is gone. One that is not running is fine.
    synchronized void stop(StopMode mode) {
        postmaster.filter(Process::isAlive).ifPresent(process -> {
            Commands.signal(process.pid(), mode.signal());
            if (!exits(process)) {
                kill();
                throw new IllegalStateException("PostgreSQL did not stop within " + STOPS_WITHIN + ": " + log());
            }
        });
    }

    /// Kills the server and all its backends, as a machine that loses power would.
    synchronized void kill() {
        postmaster.filter(Process::isAlive).ifPresent(process -> {
            var backends = process.descendants().toList();
            process.destroyForcibly();
            backends.forEach(ProcessHandle::destroyForcibly);
            exits(process);
        });
    }

    private static boolean exits(Process process) {
        try {
            return process.waitFor(STOPS_WITHIN.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    String log() {
        try {
            return Files.exists(files.log()) ? Files.readString(files.log()) : "";
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Ctrl-C in a terminal reaches every process of the terminal's group. The demo stops its node first
    /// and PostgreSQL last, so the server gets a session of its own where there is a program for that
    /// (Linux).
    private static List<String> ofItsOwnSession() {
        return Stream.of("/usr/bin/setsid", "/bin/setsid")
                .filter(it -> Files.isExecutable(Path.of(it)))
                .findFirst()
                .map(List::of)
                .orElse(List.of());
    }
}
