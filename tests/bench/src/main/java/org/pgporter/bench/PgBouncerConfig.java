package org.pgporter.bench;

import static java.nio.file.StandardCopyOption.REPLACE_EXISTING;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;

/// Configuration and command line of PgBouncer.
///
/// @param prepared whether it knows prepared statements in transaction mode
record PgBouncerConfig(Database database, Setup setup, int port, boolean prepared) {
    private static final String NOBODY = "nobody";

    List<String> command(Path program, Path directory) {
        var users = Settings.write(
                directory.resolve("userlist.txt"),
                setup.pools().stream()
                        .map(Setup.Pool::role)
                        .distinct()
                        .map(role -> "\"%s\" \"%s\"\n".formatted(role.user(), database.secret(role)))
                        .collect(Collectors.joining()));
        var command = new ArrayList<>(List.of(program.toString()));
        try {
            if (setup.clientTls()) {
                Files.copy(database.certificate().key(), directory.resolve("server.key"), REPLACE_EXISTING);
                Files.copy(database.certificate().chain(), directory.resolve("server.crt"), REPLACE_EXISTING);
            }
            var config = Settings.write(directory.resolve("pgbouncer.ini"), configuration(directory, users));
            if (isRoot()) {
                // PgBouncer refuses to be root.
                handOver(directory);
                command.addAll(List.of("-u", NOBODY));
            }
            command.add(config.toString());
        } catch (IOException e) {
            throw new BenchFailure("PgBouncer cannot be set up: " + e.getMessage(), e);
        }
        return command;
    }

    private String configuration(Path directory, Path users) {
        var pools = setup.pools().stream()
                .map(pool -> "%s = host=%s port=%d dbname=%s pool_size=%d"
                        .formatted(pool.database(), database.host(), database.port(), Database.NAME, pool.size()))
                .collect(Collectors.joining("\n"));
        var tls = setup.clientTls() ? """
                client_tls_sslmode = allow
                client_tls_key_file = %1$s/server.key
                client_tls_cert_file = %1$s/server.crt
                """.formatted(directory) : "";
        return """
                [databases]
                %s
                [pgbouncer]
                listen_addr = %s
                listen_port = %d
                listen_backlog = 4096
                unix_socket_dir =
                auth_type = %s
                auth_file = %s
                pool_mode = transaction
                max_client_conn = %d
                query_wait_timeout = %d
                server_idle_timeout = %d
                log_connections = 0
                log_disconnections = 0
                log_stats = 0
                server_tls_sslmode = %s
                %s%s
                """.formatted(
                        pools,
                        Pooler.HOST,
                        port,
                        setup == Setup.MD5 ? "md5" : "scram-sha-256",
                        users,
                        Settings.CLIENTS,
                        Settings.QUERY_WAIT.toSeconds(),
                        setup.idleTimeout().toSeconds(),
                        setup.serverTls() ? "require" : "disable",
                        tls,
                        prepared ? "max_prepared_statements = " + Settings.PREPARED_STATEMENTS : "");
    }

    private static boolean isRoot() throws IOException {
        var self = Path.of("/proc/self");
        return Files.exists(self) && Integer.valueOf(0).equals(Files.getAttribute(self, "unix:uid"));
    }

    /// Gives it its files. The directories above are made for everybody to pass through.
    private static void handOver(Path directory) throws IOException {
        var nobody =
                Path.of("/").getFileSystem().getUserPrincipalLookupService().lookupPrincipalByName(NOBODY);
        try (var files = Files.walk(directory)) {
            for (var file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.setOwner(file, nobody);
            }
        }
    }
}
