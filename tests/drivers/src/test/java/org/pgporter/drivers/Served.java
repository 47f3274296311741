package org.pgporter.drivers;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.pgporter.config.PoolMode;
import org.pgporter.integration.TestNode;
import org.pgporter.support.TestPostgres;

/// A node in transaction mode in front of the shared PostgreSQL, with a role and a database of that role for one
/// driver. The pool is smaller than any program's number of connections, so that backends change hands all the time.
final class Served implements AutoCloseable {
    /// Backends of the pool.
    static final int POOL_SIZE = 4;

    /// Connections that a program uses at one time.
    static final int CONNECTIONS = 12;

    static final String PASSWORD = "secret";

    // The machine may be busy: how long a client waits is not what is tested here.
    private static final Duration QUERY_WAIT_TIMEOUT = Duration.ofSeconds(60);

    private final TestPostgres postgres;
    private final String name;
    private final TestNode node;

    private Served(TestPostgres postgres, String name, TestNode node) {
        this.postgres = postgres;
        this.name = name;
        this.node = node;
    }

    /// @param name of the role and of its database
    static Served start(String name) {
        TestPostgres postgres = TestPostgres.shared();
        postgres.createUser(name, PASSWORD, "scram-sha-256");
        postgres.createDatabase(name, name);
        return new Served(
                postgres,
                name,
                TestNode.inFrontOf(postgres.host(), postgres.port())
                        .user(name, name, postgres.secretOf(name))
                        .pools(pools -> pools.withPoolMode(PoolMode.TRANSACTION)
                                .withPoolSize(POOL_SIZE)
                                .withQueryWaitTimeout(QUERY_WAIT_TIMEOUT))
                        .general(
                                general -> general.withConsole(general.console().withAdminUsers(List.of(name))))
                        .start());
    }

    String host() {
        return node.host();
    }

    int port() {
        return node.port();
    }

    /// The role, and its database.
    String name() {
        return name;
    }

    String jdbcUrl() {
        return node.jdbcUrl(name);
    }

    /// Variables by which programs of PostgreSQL find the node.
    Map<String, String> variables() {
        return Map.of(
                "PGHOST", host(),
                "PGPORT", Integer.toString(port()),
                "PGUSER", name,
                "PGPASSWORD", PASSWORD,
                "PGDATABASE", name);
    }

    /// Stops the node, and expects that nothing of the clients is left and that the pool has kept its size.
    @Override
    public void close() {
        try (node) {
            node.awaitNothingHeld();
            assertThat(postgres.backends(name)).isBetween(1, POOL_SIZE);
        }
    }
}
