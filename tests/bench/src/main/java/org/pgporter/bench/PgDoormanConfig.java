package org.pgporter.bench;

import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;

/// Configuration and command line of PgDoorman.
record PgDoormanConfig(Database database, Setup setup, int port) {
    List<String> command(Path program, Path directory) {
        var config = Settings.write(directory.resolve("pg_doorman.yaml"), configuration());
        return List.of(program.toString(), config.toString());
    }

    private String configuration() {
        var tls = setup.clientTls()
                ? """
                  tls_mode: "allow"
                  tls_certificate: "%s"
                  tls_private_key: "%s"
                """.formatted(
                        database.certificate().chain(), database.certificate().key())
                : "  tls_mode: \"disable\"\n";
        return """
                general:
                  host: "%s"
                  port: %d
                  backlog: 4096
                  worker_threads: %d
                  max_connections: %d
                  query_wait_timeout: "%ds"
                  idle_timeout: "%ds"
                  proxy_copy_data_timeout: "120s"
                  log_client_connections: false
                  log_client_disconnections: false
                  prepared_statements: true
                  prepared_statements_cache_size: %d
                  admin_username: "admin"
                  admin_password: "%s"
                  server_tls_mode: "%s"
                %spools:
                """.formatted(
                                Pooler.HOST,
                                port,
                                Settings.workers(),
                                Settings.CLIENTS,
                                Settings.QUERY_WAIT.toSeconds(),
                                setup.idleTimeout().toSeconds(),
                                Settings.PREPARED_STATEMENTS,
                                Role.PASSWORD,
                                setup.serverTls() ? "require" : "disable",
                                tls)
                + setup.pools().stream().map(this::pool).collect(Collectors.joining());
    }

    private String pool(Setup.Pool pool) {
        return """
                %s:
                  server_host: "%s"
                  server_port: %d
                  server_database: "%s"
                  pool_mode: "transaction"
                  users:
                    - username: "%s"
                      password: "%s"
                      pool_size: %d
                """.formatted(
                        pool.database(),
                        database.host(),
                        database.port(),
                        Database.NAME,
                        pool.role().user(),
                        database.secret(pool.role()),
                        pool.size())
                .indent(2);
    }
}
