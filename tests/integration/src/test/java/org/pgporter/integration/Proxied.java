package org.pgporter.integration;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.Arguments;
import org.pgporter.config.PoolMode;
import org.pgporter.support.PostgresMajor;
import org.pgporter.support.TestPostgres;

/// A node in front of a server, a role, and two databases that belong to it: `name` and `name_other`.
final class Proxied implements AutoCloseable {
    static final String PASSWORD = "secret";

    private final TestPostgres postgres;
    private final String name;
    private final PoolMode mode;
    private final TestNode node;

    private Proxied(TestPostgres postgres, String name, PoolMode mode, TestNode node) {
        this.postgres = postgres;
        this.name = name;
        this.mode = mode;
        this.node = node;
    }

    /// In front of the server that all tests share.
    static Proxied start(PostgresMajor major, PoolMode mode, String prefix, int poolSize) {
        return start(TestPostgres.shared(major), mode, prefix, poolSize, UnaryOperator.identity());
    }

    /// @param change what else the node shall be
    static Proxied start(
            TestPostgres postgres, PoolMode mode, String prefix, int poolSize, UnaryOperator<TestNode.Builder> change) {
        String name = prefix + "_" + mode.name().toLowerCase(Locale.ROOT);
        if (postgres.rows("select 1 from pg_roles where rolname = ?", name).isEmpty()) {
            postgres.createUser(name, PASSWORD, "scram-sha-256");
            postgres.createDatabase(name, name);
            postgres.createDatabase(name + "_other", name);
        }
        String secret = postgres.secretOf(name);
        TestNode.Builder builder = TestNode.inFrontOf(postgres.host(), postgres.port())
                .user(name, name, secret)
                .user(name + "_other", name, secret)
                .pools(pools -> pools.withPoolMode(mode).withPoolSize(poolSize));
        return new Proxied(postgres, name, mode, change.apply(builder).start());
    }

    /// Both majors, each in session and in transaction mode.
    static Stream<Arguments> majorsAndModes() {
        return Stream.of(PostgresMajor.values())
                .flatMap(major ->
                        Stream.of(PoolMode.TRANSACTION, PoolMode.SESSION).map(mode -> Arguments.of(major, mode)));
    }

    TestPostgres postgres() {
        return postgres;
    }

    TestNode node() {
        return node;
    }

    /// The role, and its database.
    String name() {
        return name;
    }

    PoolMode mode() {
        return mode;
    }

    /// Variables by which programs of PostgreSQL find the node.
    Map<String, String> throughNode() {
        return variables(node.host(), node.port());
    }

    /// Variables by which programs of PostgreSQL find the server itself.
    Map<String, String> direct() {
        return variables(postgres.host(), postgres.port());
    }

    private Map<String, String> variables(String host, int port) {
        return Map.of(
                "PGHOST", host,
                "PGPORT", Integer.toString(port),
                "PGUSER", name,
                "PGPASSWORD", PASSWORD,
                "PGDATABASE", name);
    }

    /// A connection of pgjdbc through the node, with the driver's defaults but for a limit on waiting.
    Connection connect(String... properties) throws SQLException {
        Properties all = new Properties();
        all.setProperty("user", name);
        all.setProperty("password", PASSWORD);
        all.setProperty("socketTimeout", "30");
        for (int i = 0; i < properties.length; i += 2) {
            all.setProperty(properties[i], properties[i + 1]);
        }
        return DriverManager.getConnection(node.jdbcUrl(name), all);
    }

    /// Runs statements as superuser in the role's database, around the node.
    void sql(String... statements) {
        postgres.sqlIn(name, statements);
    }

    @Override
    public void close() {
        node.close();
    }
}
