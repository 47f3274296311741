package org.pgporter.integration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.pgporter.auth.credential.StoredCredential;
import org.pgporter.config.ClusterConfig;
import org.pgporter.config.GeneralConfig;
import org.pgporter.config.IssuerConfig;
import org.pgporter.config.PoolConfig;
import org.pgporter.config.PoolOptions;
import org.pgporter.config.ProxyConfig;
import org.pgporter.config.TalosConfig;
import org.pgporter.config.UserConfig;
import org.pgporter.node.ProxyNode;

/// A node of its own on a free port, for one test or one class of tests.
public final class TestNode implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(5);
    private static final ProxyNode.Holdings NOTHING = new ProxyNode.Holdings(0, 0);

    private final ProxyNode node;

    private TestNode(ProxyNode node) {
        this.node = node;
    }

    /// A node in front of whatever listens there.
    public static Builder inFrontOf(String host, int port) {
        return new Builder(host, port);
    }

    public String host() {
        return "127.0.0.1";
    }

    public int port() {
        return ((InetSocketAddress) node.addresses().getFirst()).getPort();
    }

    public String jdbcUrl(String database) {
        return "jdbc:postgresql://" + host() + ":" + port() + "/" + database;
    }

    public ProxyNode node() {
        return node;
    }

    /// Stops the node.
    ///
    /// @throws AssertionError when clients that are gone still count: whatever happened to them, nothing
    /// may be left
    @Override
    public void close() {
        try {
            awaitNothingHeld();
        } finally {
            node.stop().toCompletableFuture().join();
        }
    }

    /// Waits until no client counts against any limit, no cancel key leads anywhere, and no session is
    /// shown to keep a backend connection.
    public void awaitNothingHeld() {
        await().atMost(PATIENCE).untilAsserted(() -> {
            assertThat(node.holdings()).isEqualTo(NOTHING);
            assertThat(node.pins().current()).isEmpty();
        });
    }

    public static final class Builder {
        private final String host;
        private final int port;
        private final Map<String, List<UserConfig>> users = new LinkedHashMap<>();
        private final Map<String, IssuerConfig> issuers = new LinkedHashMap<>();
        private Optional<TalosConfig> talos = Optional.empty();
        private UnaryOperator<PoolConfig> pool = UnaryOperator.identity();
        private final Map<String, UnaryOperator<PoolConfig>> onePool = new LinkedHashMap<>();
        private GeneralConfig general =
                GeneralConfig.defaults().withHost("127.0.0.1").withPort(0);

        private Builder(String host, int port) {
            this.host = host;
            this.port = port;
        }

        /// @param password as in the configuration: a secret as PostgreSQL stores it, or plain
        public Builder user(String database, String name, String password) {
            return user(database, UserConfig.of(name, StoredCredential.parse(password)));
        }

        /// A database with the users that it has otherwise.
        public Builder database(String name) {
            users.computeIfAbsent(name, _ -> new ArrayList<>());
            return this;
        }

        public Builder user(String database, UserConfig user) {
            users.computeIfAbsent(database, _ -> new ArrayList<>()).add(user);
            return this;
        }

        public Builder pools(UnaryOperator<PoolOptions> change) {
            general = general.withPools(change.apply(general.pools()));
            return this;
        }

        /// Changes each pool as it stands in the configuration.
        public Builder eachPool(UnaryOperator<PoolConfig> change) {
            UnaryOperator<PoolConfig> before = pool;
            pool = config -> change.apply(before.apply(config));
            return this;
        }

        /// Changes one pool as it stands in the configuration, after what [#eachPool] has changed.
        public Builder pool(String database, UnaryOperator<PoolConfig> change) {
            onePool.put(database, change);
            return this;
        }

        public Builder general(UnaryOperator<GeneralConfig> change) {
            general = change.apply(general);
            return this;
        }

        public Builder issuer(String name, IssuerConfig issuer) {
            issuers.put(name, issuer);
            return this;
        }

        public Builder talos(TalosConfig changed) {
            talos = Optional.of(changed);
            return this;
        }

        public Builder unixSocketIn(Path directory) {
            return general(config -> config.withListener(config.listener().withUnixSocketDir(directory)));
        }

        public TestNode start() {
            Map<String, PoolConfig> pools = new LinkedHashMap<>();
            users.forEach((database, its) -> {
                PoolConfig all = pool.apply(
                        PoolConfig.defaults().withServer(host, port).withUsers(its.toArray(UserConfig[]::new)));
                pools.put(
                        database,
                        onePool.getOrDefault(database, UnaryOperator.identity()).apply(all));
            });
            return new TestNode(
                    ProxyNode.start(new ProxyConfig(general, ClusterConfig.defaults(), pools, issuers, talos)));
        }
    }
}
