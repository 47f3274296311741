package org.pgporter.bench;

import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;

/// Configuration and command line of PgDog. It takes passwords in plain text only.
record PgDogConfig(Database database, Setup setup, int port) {
    List<String> command(Path program, Path directory) {
        var config = Settings.write(directory.resolve("pgdog.toml"), configuration());
        var users = Settings.write(
                directory.resolve("users.toml"),
                setup.pools().stream().map(PgDogConfig::user).collect(Collectors.joining()));
        return List.of(program.toString(), "--config", config.toString(), "--users", users.toString());
    }

    private String configuration() {
        var tls = setup.clientTls()
                ? """
                tls_certificate = "%s"
                tls_private_key = "%s"
                """.formatted(
                        database.certificate().chain(), database.certificate().key())
                : "";
        return """
                [general]
                host = "%s"
                port = %d
                workers = %d
                min_pool_size = 0
                pooler_mode = "transaction"
                auth_type = "%s"
                checkout_timeout = %d
                idle_timeout = %d
                healthcheck_interval = 600_000
                idle_healthcheck_interval = 0
                log_level = "error"
                prepared_statements_limit = %d
                tls_verify = "%s"
                %s
                """.formatted(
                                Pooler.HOST,
                                port,
                                Settings.workers(),
                                setup == Setup.MD5 ? "md5" : "scram",
                                Settings.QUERY_WAIT.toMillis(),
                                setup.idleTimeout().toMillis(),
                                Settings.PREPARED_STATEMENTS,
                                setup.serverTls() ? "prefer" : "disabled",
                                tls)
                + setup.pools().stream().map(this::pool).collect(Collectors.joining());
    }

    private String pool(Setup.Pool pool) {
        return """
                [[databases]]
                name = "%s"
                host = "%s"
                port = %d
                database_name = "%s"
                role = "primary"
                pool_size = %d
                """.formatted(pool.database(), database.host(), database.port(), Database.NAME, pool.size());
    }

    private static String user(Setup.Pool pool) {
        return """
                [[users]]
                name = "%s"
                database = "%s"
                password = "%s"
                """.formatted(pool.role().user(), pool.database(), Role.PASSWORD);
    }
}
