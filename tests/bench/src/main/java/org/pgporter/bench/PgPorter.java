package org.pgporter.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// PgPorter as its users start it: the launcher becomes a JVM, with a configuration file.
///
/// @param home the checkout, where the launcher is
/// @param io `io_uring`, `epoll`, `nio` or `auto`
/// @param loops number of event loops; 0: one per processor, as by default
/// @param jvmOptions options for the JVM, besides those of the launcher
record PgPorter(Path home, String io, int loops, String jvmOptions) {
    String name() {
        return "PgPorter " + io + (loops == 0 ? "" : loops == 1 ? ", 1 loop" : ", " + loops + " loops");
    }

    /// Starts what was built last: `tests/bench/run` builds before.
    Pooler start(Database database, Path directory) {
        var port = Pooler.freePort();
        var file = directory.resolve("pgporter-" + io + "-" + loops);
        try {
            var config = Files.writeString(Path.of(file + ".yaml"), configuration(database, port));
            var environment = Map.of(
                    "PGPORTER_SKIP_BUILD",
                    "1",
                    "PGPORTER_JAVA_HOME",
                    System.getProperty("java.home"),
                    "PGPORTER_JAVA_OPTS",
                    jvmOptions);
            var command = List.of(home.resolve("pgporter").toString(), "serve", "--config", config.toString());
            return new Pooler(name(), Program.start(Path.of(file + ".out"), environment, command), port, true)
                    .started();
        } catch (IOException e) {
            throw new BenchFailure("PgPorter cannot be set up: " + e.getMessage(), e);
        }
    }

    private String configuration(Database database, int port) {
        return """
                general:
                  host: "%s"
                  port: %d
                  io: %s
                  worker_threads: %d
                  pool_mode: transaction
                pools:
                """.formatted(Pooler.HOST, port, io.toLowerCase(Locale.ROOT), loops)
                + Stream.of(Workload.PoolSize.values())
                        .map(size -> """
                                  %s:
                                    server_host: "%s"
                                    server_port: %d
                                    server_database: %s
                                    pool_size: %d
                                    users:
                                      - username: %s
                                        password: "%s"
                                """.formatted(
                                        size.database(),
                                        database.host(),
                                        database.port(),
                                        Database.NAME,
                                        size.connections(),
                                        Database.USER,
                                        database.secret())
                                .indent(2))
                        .collect(Collectors.joining());
    }
}
