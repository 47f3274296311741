package org.pgporter.cli;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.pgporter.node.transport.EventLoops;
import org.pgporter.node.transport.IoKind;

/// Makes an AOT cache of the JVM: a node in a process of its own is started as the launcher starts it, and sees
/// what a node sees in its life. With its end its JVM writes which classes it has loaded and linked, and what its
/// methods were used for.
///
/// The clients are in this process, so that nothing of them comes into the cache. In the node's process there is a
/// second node with another kind of I/O, because a configuration may choose that.
final class Training {
    private static final String HOST = "127.0.0.1";
    private static final Duration START_LIMIT = Duration.ofSeconds(60);
    private static final Duration END_LIMIT = Duration.ofSeconds(120);

    private final List<String> program;
    private final Path cache;

    /// @param program the command that starts the program, up to its main class
    Training(List<String> program, Path cache) {
        this.program = program;
        this.cache = cache;
    }

    /// Returns when the cache is complete. If that fails, there is no cache.
    void run() throws DemoFailure, InterruptedException {
        var unfinished = cache.resolveSibling(cache.getFileName() + ".unfinished");
        try {
            var directory = Files.createTempDirectory("pgporter-training-");
            try (var postgres = DemoPostgres.start()) {
                Files.deleteIfExists(cache);
                train(postgres, directory, unfinished);
                Files.move(unfinished, cache);
            } finally {
                Files.deleteIfExists(unfinished);
                delete(directory);
            }
        } catch (IOException | SQLException e) {
            throw new DemoFailure(String.valueOf(e));
        }
    }

    private void train(DemoPostgres postgres, Path directory, Path unfinished)
            throws IOException, SQLException, DemoFailure, InterruptedException {
        var targets = new ArrayList<DemoTarget>();
        var command = new ArrayList<>(program);
        command.add(1, "-XX:AOTCacheOutput=" + unfinished);
        command.add("serve");
        for (var io : kinds()) {
            var port = DemoNode.anyFree(HOST);
            var file = directory.resolve(io + ".yaml");
            Files.writeString(file, TrainingLoad.config(postgres, HOST, port, io));
            command.addAll(List.of(targets.isEmpty() ? "--config" : "--beside", file.toString()));
            targets.add(new DemoTarget(HOST, port));
        }
        var log = directory.resolve("node.log");
        var node = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(Redirect.to(log.toFile()))
                .start();
        // Whoever ends this process early, with a signal, does not want to keep what it has started.
        var end = Thread.ofPlatform().unstarted(() -> abandon(node, postgres));
        Runtime.getRuntime().addShutdownHook(end);
        try {
            awaitStart(node, targets, log);
            var unheard = new PrintStream(OutputStream.nullOutputStream());
            new DemoTour(targets.getFirst(), postgres, DemoNode.POOL_SIZE, unheard).take();
            for (var target : targets) {
                new TrainingLoad(target).run(target == targets.getFirst());
            }
            node.destroy();
            DemoFailure.unless(
                    node.waitFor(END_LIMIT.toSeconds(), TimeUnit.SECONDS), "the node did not end" + lastLines(log));
            DemoFailure.unless(
                    node.exitValue() == ExitCodes.OK && Files.exists(unfinished),
                    "the node ended with " + node.exitValue() + lastLines(log));
        } finally {
            node.destroyForcibly().waitFor();
            try {
                Runtime.getRuntime().removeShutdownHook(end);
            } catch (IllegalStateException _) {
                // It runs already.
            }
        }
    }

    private static void abandon(Process node, DemoPostgres postgres) {
        node.destroyForcibly();
        try {
            postgres.close();
        } catch (IOException e) {
            System.err.println("pgporter: " + e.getMessage());
        }
    }

    /// The kind that a node chooses by itself, and the next best.
    private static List<String> kinds() {
        IoKind best;
        try (var loops = EventLoops.start(IoKind.AUTO, 1, Duration.ZERO)) {
            best = loops.kind();
        }
        var other = switch (best) {
            case IO_URING -> IoKind.EPOLL;
            case EPOLL, KQUEUE, NIO, AUTO -> IoKind.NIO;
        };
        return List.of(best, other).stream()
                .distinct()
                .map(kind -> kind.name().toLowerCase(Locale.ROOT))
                .toList();
    }

    private static void awaitStart(Process node, List<DemoTarget> targets, Path log)
            throws IOException, DemoFailure, InterruptedException {
        var deadline = System.nanoTime() + START_LIMIT.toNanos();
        for (var target : targets) {
            while (DemoNode.isFree(target.host(), target.port())) {
                DemoFailure.unless(
                        !node.waitFor(10, TimeUnit.MILLISECONDS) && System.nanoTime() < deadline,
                        "the node did not start" + lastLines(log));
            }
        }
    }

    private static String lastLines(Path log) throws IOException {
        var lines = Files.readAllLines(log);
        return "\n" + String.join("\n", lines.subList(Math.max(0, lines.size() - 10), lines.size()));
    }

    private static void delete(Path directory) throws IOException {
        try (var files = Files.walk(directory)) {
            for (var file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        }
    }
}
