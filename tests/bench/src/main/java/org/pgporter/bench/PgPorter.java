package org.pgporter.bench;

import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/// PgPorter as its users start it: the launcher becomes a JVM, with a configuration file.
///
/// @param home the checkout, where the launcher is
/// @param io `io_uring`, `epoll`, `nio` or `auto`
/// @param loops number of event loops; 0: one per processor, as by default
/// @param jvmOptions options for the JVM, besides those of the launcher
record PgPorter(Path home, String io, int loops, String jvmOptions) implements Contender {
    @Override
    public String name() {
        return "PgPorter " + io + (loops == 0 ? "" : loops == 1 ? ", 1 loop" : ", " + loops + " loops");
    }

    @Override
    public Optional<String> cannot(Work work) {
        return Optional.empty();
    }

    /// How many event loops it has.
    int eventLoops() {
        return loops == 0 ? Runtime.getRuntime().availableProcessors() : loops;
    }

    /// The same with more options for the JVM.
    PgPorter with(String options) {
        return new PgPorter(home, io, loops, (jvmOptions + " " + options).strip());
    }

    /// Starts what was built last: `tests/bench/run` builds before.
    @Override
    public Pooler start(Database database, Setup setup, Path directory) {
        var port = Pooler.freePort();
        var config = Settings.write(directory.resolve("pgporter.yaml"), configuration(database, setup, port));
        var environment = Map.of(
                "PGPORTER_SKIP_BUILD",
                "1",
                "PGPORTER_JAVA_HOME",
                System.getProperty("java.home"),
                "PGPORTER_JAVA_OPTS",
                jvmOptions);
        var command = List.of(home.resolve("pgporter").toString(), "serve", "--config", config.toString());
        var program = Program.start(directory.resolve("pgporter.out"), environment, command);
        return Pooler.of(this, program, port).started();
    }

    private String configuration(Database database, Setup setup, int port) {
        var tls = setup.clientTls()
                ? """
                  tls_certificate: "%s"
                  tls_private_key: "%s"
                """.formatted(
                        database.certificate().chain(), database.certificate().key())
                : "";
        var serverTls = "  server_tls_mode: " + (setup.serverTls() ? "require" : "disable") + "\n";
        return """
                general:
                  host: "%s"
                  port: %d
                  io: %s
                  worker_threads: %d
                  pool_mode: transaction
                  max_connections: %d
                  query_wait_timeout: "%ds"
                  idle_timeout: "%ds"
                  log_client_connections: false
                  log_client_disconnections: false
                %s%spools:
                """.formatted(
                                Pooler.HOST,
                                port,
                                io.toLowerCase(Locale.ROOT),
                                loops,
                                Settings.CLIENTS,
                                Settings.QUERY_WAIT.toSeconds(),
                                setup.idleTimeout().toSeconds(),
                                tls,
                                serverTls)
                + setup.pools().stream()
                        .map(pool -> """
                                  %s:
                                    server_host: "%s"
                                    server_port: %d
                                    server_database: %s
                                    pool_size: %d
                                    users:
                                      - username: %s
                                        password: "%s"
                                """.formatted(
                                        pool.database(),
                                        database.host(),
                                        database.port(),
                                        Database.NAME,
                                        pool.size(),
                                        pool.role().user(),
                                        database.secret(pool.role()))
                                .indent(2))
                        .collect(Collectors.joining());
    }
}
