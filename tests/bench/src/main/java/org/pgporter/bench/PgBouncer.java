package org.pgporter.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// An installed PgBouncer, configured as PgPorter is: transaction mode, the same pools, SCRAM on both legs.
///
/// @param major the first and `minor` the second number of its version
record PgBouncer(Path program, int major, int minor, String version) {
    private static final Pattern VERSION = Pattern.compile("PgBouncer (\\d+)\\.(\\d+)\\S*");
    private static final Duration ANSWERS_WITHIN = Duration.ofSeconds(5);
    private static final String NOBODY = "nobody";

    /// The one that is installed here.
    static Optional<PgBouncer> find(Path directory) {
        return Program.find("pgbouncer").map(program -> {
            var said = Program.run(
                    directory.resolve("pgbouncer-version.out"),
                    Map.of(),
                    ANSWERS_WITHIN,
                    List.of(program.toString(), "--version"));
            var version = VERSION.matcher(said);
            if (!version.find()) {
                throw new BenchFailure(program + " --version says: " + said);
            }
            return new PgBouncer(
                    program, Integer.parseInt(version.group(1)), Integer.parseInt(version.group(2)), version.group());
        });
    }

    /// PgBouncer 1.21 brought `max_prepared_statements`.
    boolean preparedInTransactions() {
        return major > 1 || major == 1 && minor >= 21;
    }

    Pooler start(Database database, Path directory) {
        var port = Pooler.freePort();
        try {
            var home = Files.createDirectory(directory.resolve("pgbouncer"));
            var users = Files.writeString(
                    home.resolve("userlist.txt"), "\"%s\" \"%s\"\n".formatted(Database.USER, database.secret()));
            var config = Files.writeString(home.resolve("pgbouncer.ini"), configuration(database, port, users));
            var command = new ArrayList<>(List.of(program.toString()));
            if (isRoot()) {
                // PgBouncer refuses to be root.
                handOver(directory, home, users, config);
                command.addAll(List.of("-u", NOBODY));
            }
            command.add(config.toString());
            var started = Program.start(directory.resolve("pgbouncer.out"), Map.of(), command);
            return new Pooler(version, started, port, preparedInTransactions()).started();
        } catch (IOException e) {
            throw new BenchFailure("PgBouncer cannot be set up: " + e.getMessage(), e);
        }
    }

    private String configuration(Database database, int port, Path users) {
        var pools = Stream.of(Workload.PoolSize.values())
                .map(size -> "%s = host=%s port=%d dbname=%s pool_size=%d"
                        .formatted(
                                size.database(), database.host(), database.port(), Database.NAME, size.connections()))
                .collect(Collectors.joining("\n"));
        return """
                [databases]
                %s
                [pgbouncer]
                listen_addr = %s
                listen_port = %d
                unix_socket_dir =
                auth_type = scram-sha-256
                auth_file = %s
                pool_mode = transaction
                max_client_conn = 1000
                %s
                """.formatted(
                pools, Pooler.HOST, port, users, preparedInTransactions() ? "max_prepared_statements = 200" : "");
    }

    private static boolean isRoot() throws IOException {
        var self = Path.of("/proc/self");
        return Files.exists(self) && Integer.valueOf(0).equals(Files.getAttribute(self, "unix:uid"));
    }

    private static void handOver(Path... paths) throws IOException {
        var nobody =
                Path.of("/").getFileSystem().getUserPrincipalLookupService().lookupPrincipalByName(NOBODY);
        for (var path : paths) {
            Files.setOwner(path, nobody);
        }
    }
}
