package org.pgporter.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.pgporter.support.TestPostgres;

/// The PostgreSQL behind the poolers, with the tables of pgbench and with TLS for who asks for it.
///
/// All its settings are PostgreSQL's defaults but for the number of connections and for durability: `fsync`,
/// `synchronous_commit` and `full_page_writes` are off, so that no disk is measured.
final class Database implements AutoCloseable {
    static final String NAME = "bench";

    private static final String OWNER = "bench";
    private static final Duration FILLED_WITHIN = Duration.ofMinutes(5);

    private final TestPostgres postgres;
    private final Certificate certificate;
    private final long pid;

    private Database(TestPostgres postgres, Certificate certificate) {
        this.postgres = postgres;
        this.certificate = certificate;
        this.pid = Long.parseLong(postgres.rows("select split_part(pg_read_file('postmaster.pid'), chr(10), 1)")
                .getFirst()
                .getFirst()
                .strip());
    }

    /// Starts a server and fills the tables.
    ///
    /// @param scale pgbench's option `-s`: 100,000 accounts each, 16 MB
    /// @param connections how many connections all contenders may open together
    static Database start(Path pgbench, Path directory, int scale, int connections) {
        var certificate = Certificate.create(directory);
        var postgres = TestPostgres.newest()
                .maxConnections(connections)
                .setting("shared_buffers", "128MB")
                .start();
        try {
            var database = new Database(postgres, certificate);
            database.encrypt();
            postgres.createUser(OWNER, Role.PASSWORD, "scram-sha-256");
            postgres.createDatabase(NAME, OWNER);
            for (var role : Role.values()) {
                postgres.sql(role.creation());
                postgres.sql("grant " + OWNER + " to " + role.user());
            }
            database.fill(pgbench, directory, scale);
            return database;
        } catch (RuntimeException | IOException e) {
            postgres.close();
            throw e instanceof BenchFailure failure ? failure : new BenchFailure("PostgreSQL: " + e.getMessage(), e);
        }
    }

    private void fill(Path pgbench, Path directory, int scale) {
        Program.run(
                directory.resolve("pgbench-init.out"),
                Map.of("PGPASSWORD", Role.PASSWORD),
                FILLED_WITHIN,
                List.of(
                        pgbench.toString(),
                        "-i",
                        "-q",
                        "-s",
                        Integer.toString(scale),
                        "-h",
                        host(),
                        "-p",
                        Integer.toString(port()),
                        "-U",
                        OWNER,
                        NAME));
        postgres.sqlIn(NAME, "create unlogged table bulk (line text)", "alter table bulk owner to " + OWNER);
        postgres.sqlIn(NAME, "checkpoint");
    }

    /// TLS for those who ask for it; the key has to belong to whom the server runs as.
    private void encrypt() throws IOException {
        var folder = postgres.socketDirectory();
        var key = Files.copy(certificate.key(), folder.resolve("server.key"));
        var chain = Files.copy(certificate.chain(), folder.resolve("server.crt"));
        var owner = Files.getOwner(folder.resolve("data"));
        Files.setOwner(key, owner);
        Files.setOwner(chain, owner);
        postgres.sql(
                "alter system set ssl_cert_file = '" + chain + "'",
                "alter system set ssl_key_file = '" + key + "'",
                "alter system set ssl = on",
                "select pg_reload_conf()");
    }

    String host() {
        return postgres.host();
    }

    int port() {
        return postgres.port();
    }

    /// Of the postmaster, whose children the backends are.
    long pid() {
        return pid;
    }

    ProcessUsage usage() {
        return ProcessUsage.of(pid);
    }

    /// What the poolers' listeners and PostgreSQL show to clients who ask for TLS.
    Certificate certificate() {
        return certificate;
    }

    /// What PostgreSQL has stored for the role, and what poolers are given.
    String secret(Role role) {
        return postgres.secretOf(role.user());
    }

    /// How many server processes work for clients now.
    int backends() {
        return postgres.backends(NAME);
    }

    String version() {
        return postgres.rows("show server_version").getFirst().getFirst();
    }

    /// Logs in through a pooler, asks one question, and leaves.
    ///
    /// @throws SQLException when there is no login or no answer
    static void ask(Pooler pooler, Setup.Pool pool) throws SQLException {
        var url = "jdbc:postgresql://%s:%d/%s?sslmode=disable&gssEncMode=disable&connectTimeout=10&socketTimeout=30"
                .formatted(Pooler.HOST, pooler.port(), pooler.databaseOf(pool.database()));
        try (var connection = DriverManager.getConnection(url, pool.role().user(), Role.PASSWORD);
                var statement = connection.createStatement();
                var rows = statement.executeQuery("select 1")) {
            if (!rows.next()) {
                throw new SQLException("no row");
            }
        }
    }

    @Override
    public void close() {
        postgres.close();
    }
}
