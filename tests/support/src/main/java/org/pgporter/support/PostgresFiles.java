package org.pgporter.support;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/// The folder of one test server: data directory, Unix socket, log, and who it belongs to.
///
/// The name of the owner is written down so that a folder whose JVM was killed is found, stopped and deleted by the
/// next.
record PostgresFiles(Path folder) {
    // Unix socket paths end at 104 bytes on some systems, so the names are short.
    private static final String PREFIX = "pg-";
    private static final Duration ORPHAN_STOPS_WITHIN = Duration.ofSeconds(10);

    static PostgresFiles create(Launcher launcher) throws IOException {
        var home = PostgresBinaries.home();
        while (true) {
            var folder = home.resolve(
                    PREFIX + Integer.toHexString(ThreadLocalRandom.current().nextInt()));
            try {
                Files.createDirectory(folder);
            } catch (FileAlreadyExistsException _) {
                continue;
            }
            var files = new PostgresFiles(folder);
            Files.writeString(files.owner(), identityOf(ProcessHandle.current()));
            launcher.handOver(folder);
            return files;
        }
    }

    Path data() {
        return folder.resolve("data");
    }

    Path log() {
        return folder.resolve("postgres.log");
    }

    Path hba() {
        return data().resolve("pg_hba.conf");
    }

    private Path owner() {
        return folder.resolve("owner");
    }

    /// The lines of `postmaster.pid`, none when no server runs: process id, …, shared memory in line 7, state in line
    /// 8.
    List<String> postmasterPid() throws IOException {
        try {
            return Files.readAllLines(data().resolve("postmaster.pid"));
        } catch (NoSuchFileException _) {
            return List.of();
        }
    }

    void configure(List<String> settings) throws IOException {
        Files.write(data().resolve("postgresql.conf"), settings, StandardOpenOption.APPEND);
    }

    /// Deletes everything, and the shared memory segment that a killed server could not remove.
    void delete() throws IOException {
        var pid = postmasterPid();
        if (pid.size() > 6) {
            var keyAndId = pid.get(6).strip().split("\\s+");
            if (keyAndId.length == 2) {
                Commands.tryRun(List.of("ipcrm", "-m", keyAndId[1]));
            }
        }
        PostgresBinaries.deleteTree(folder);
    }

    /// Stops and deletes the servers of JVMs that are no more.
    static void deleteOrphans() throws IOException {
        List<Path> folders;
        try (Stream<Path> all = Files.list(PostgresBinaries.home())) {
            folders = all.filter(it -> it.getFileName().toString().startsWith(PREFIX))
                    .toList();
        }
        for (var folder : folders) {
            var files = new PostgresFiles(folder);
            try {
                var owner = Files.readString(files.owner()).strip();
                if (!owner.isEmpty() && !isAlive(owner)) {
                    files.stopOrphan();
                    files.delete();
                }
            } catch (NoSuchFileException _) {
                // Being created or deleted by its owner right now.
            }
        }
    }

    private void stopOrphan() throws IOException {
        var lines = postmasterPid();
        if (lines.isEmpty()) {
            return;
        }
        // Process ids are reused: only a process that names our data directory is ours.
        var orphan = ProcessHandle.of(Long.parseLong(lines.getFirst().strip()))
                .filter(it -> it.info().commandLine().orElse("").contains(data().toString()));
        if (orphan.isPresent()) {
            Commands.signal(orphan.get().pid(), "QUIT");
            try {
                orphan.get()
                        .onExit()
                        .orTimeout(ORPHAN_STOPS_WITHIN.toSeconds(), TimeUnit.SECONDS)
                        .join();
            } catch (CompletionException e) {
                throw new IOException("the server in " + folder + " does not stop", e);
            }
        }
    }

    private static boolean isAlive(String identity) {
        var pid = Long.parseLong(identity.substring(0, identity.indexOf(' ')));
        return ProcessHandle.of(pid).map(PostgresFiles::identityOf).equals(Optional.of(identity));
    }

    private static String identityOf(ProcessHandle process) {
        return process.pid() + " "
                + process.info().startInstant().orElse(Instant.EPOCH).toEpochMilli();
    }
}
