package org.pgporter.bench;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/// Command lines of `pgbench`.
///
/// @param program the installed pgbench
/// @param threads its option `-j`
/// @param pipeline a file with the script of [Work.Script#PIPELINE]
record PgbenchCommand(Path program, int threads, Path pipeline) {
    private static final Duration ANSWERS_WITHIN = Duration.ofSeconds(5);
    private static final int BATCH = 100;
    private static final int LAST_ACCOUNT = 99_000;

    static PgbenchCommand create(Path program, int threads, Path directory) {
        return new PgbenchCommand(
                program, threads, Settings.write(directory.resolve("pipeline.sql"), pipelineScript()));
    }

    /// Half of the processors, so that pgbench is not what is measured on large machines and disturbs little on small
    /// ones.
    static int usualThreads() {
        return Math.max(Runtime.getRuntime().availableProcessors() / 2, 1);
    }

    /// What libpq is to do, besides the password: TLS where the setup has it, and nothing tried that the setup has not.
    static Map<String, String> environment(Setup setup) {
        return Map.of(
                "PGPASSWORD",
                Role.PASSWORD,
                "PGSSLMODE",
                setup.clientTls() ? "require" : "disable",
                "PGGSSENCMODE",
                "disable");
    }

    /// One line for each database of the load, without the options for the log.
    List<List<String>> of(Work.Load load, Pooler pooler, long seconds) {
        var databases = load.databases();
        return databases.stream()
                .map(database -> one(
                        load, pooler.port(), pooler.databaseOf(database), load.clients() / databases.size(), seconds))
                .toList();
    }

    private List<String> one(Work.Load load, int port, String database, int clients, long seconds) {
        var command = new ArrayList<>(List.of(program.toString(), "-n"));
        command.addAll(
                switch (load.script()) {
                    case SELECT -> List.of("-S");
                    case TPCB -> List.of("-b", "tpcb-like");
                    case PIPELINE -> List.of("-f", pipeline.toString());
                });
        command.addAll(List.of(
                "-M",
                load.protocol().option(),
                "-c",
                Integer.toString(clients),
                "-j",
                Integer.toString(Math.clamp(threads, 1, clients)),
                "-T",
                Long.toString(seconds),
                "-h",
                Pooler.HOST,
                "-p",
                Integer.toString(port),
                "-U",
                load.pool().role().user()));
        if (load.reconnect()) {
            command.add("-C");
        }
        command.add(database);
        return command;
    }

    String version(Path directory) {
        return Program.run(
                        directory.resolve("pgbench-version.out"),
                        Map.of(),
                        ANSWERS_WITHIN,
                        List.of(program.toString(), "--version"))
                .strip();
    }

    private static String pipelineScript() {
        return "\\set aid random(1, " + LAST_ACCOUNT + ")\n\\startpipeline\n"
                + IntStream.range(0, BATCH)
                        .mapToObj(
                                number -> "select abalance from pgbench_accounts where aid = :aid + " + number + ";\n")
                        .collect(Collectors.joining())
                + "\\endpipeline\n";
    }
}
