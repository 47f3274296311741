package org.pgporter.bench;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.pgporter.support.TestPostgres;

/// The PostgreSQL behind the poolers, with the tables of pgbench.
///
/// All its settings are PostgreSQL's defaults but for the number of connections and for durability, which
/// reading does not touch.
final class Database implements AutoCloseable {
    static final String NAME = "bench";
    static final String USER = "bench";
    static final String PASSWORD = "bench-password";

    private static final Duration FILLED_WITHIN = Duration.ofMinutes(1);

    private final TestPostgres postgres;

    private Database(TestPostgres postgres) {
        this.postgres = postgres;
    }

    /// Starts a server and fills the tables.
    ///
    /// @param scale pgbench's option `-s`: 100,000 accounts each, 16 MB
    /// @param connections how many connections all poolers may open together
    static Database start(Path pgbench, Path directory, int scale, int connections) {
        var postgres = TestPostgres.newest()
                .maxConnections(connections + 20)
                .setting("shared_buffers", "128MB")
                .start();
        var database = new Database(postgres);
        try {
            postgres.createUser(USER, PASSWORD, "scram-sha-256");
            postgres.createDatabase(NAME, USER);
            Program.run(
                    directory.resolve("pgbench-init.out"),
                    Map.of("PGPASSWORD", PASSWORD),
                    FILLED_WITHIN,
                    List.of(
                            pgbench.toString(),
                            "-i",
                            "-q",
                            "-s",
                            Integer.toString(scale),
                            "-h",
                            postgres.host(),
                            "-p",
                            Integer.toString(postgres.port()),
                            "-U",
                            USER,
                            NAME));
            return database;
        } catch (RuntimeException e) {
            database.close();
            throw e;
        }
    }

    String host() {
        return postgres.host();
    }

    int port() {
        return postgres.port();
    }

    /// The SCRAM secret that both poolers are given, and with which both log in here.
    String secret() {
        return postgres.secretOf(USER);
    }

    String version() {
        return postgres.rows("show server_version").getFirst().getFirst();
    }

    @Override
    public void close() {
        postgres.close();
    }
}
