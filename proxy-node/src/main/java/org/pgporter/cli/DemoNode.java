package org.pgporter.cli;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.sql.SQLException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import org.pgporter.auth.credential.StoredCredential;
import org.pgporter.config.ClusterConfig;
import org.pgporter.config.EventLoopConfig;
import org.pgporter.config.GeneralConfig;
import org.pgporter.config.IoTransport;
import org.pgporter.config.LogConfig;
import org.pgporter.config.PoolConfig;
import org.pgporter.config.PoolMode;
import org.pgporter.config.PoolOptions;
import org.pgporter.config.ProxyConfig;
import org.pgporter.config.UserConfig;

/// The configuration of the demo's node, and where it listens.
final class DemoNode {
    /// PgBouncer's port, which people who try a pooler expect.
    static final int USUAL_PORT = 6432;

    /// Backends for one user and database: few enough to see fifty clients share them.
    static final int POOL_SIZE = 5;

    private static final Duration SHUTDOWN_TIMEOUT = Duration.ofSeconds(5);

    private DemoNode() {}

    /// A node in transaction mode in front of the server. It knows the users' SCRAM secrets only, and logs in to
    /// PostgreSQL with what the
    /// clients prove themselves with.
    static ProxyConfig config(DemoPostgres postgres, String host, int port, IoTransport io) throws SQLException {
        var users = postgres.secrets().entrySet().stream()
                .map(entry -> UserConfig.of(entry.getKey(), StoredCredential.parse(entry.getValue())))
                .toArray(UserConfig[]::new);
        var pool = PoolConfig.defaults()
                .withServer(postgres.host(), postgres.port())
                .withUsers(users);
        Map<String, PoolConfig> pools = new LinkedHashMap<>();
        for (var database : DemoPostgres.DATABASES) {
            pools.put(database, pool);
        }
        var general = GeneralConfig.defaults()
                .withHost(host)
                .withPort(port)
                .withShutdownTimeout(SHUTDOWN_TIMEOUT)
                .withEventLoops(EventLoopConfig.defaults().withIo(io))
                .withPools(PoolOptions.defaults()
                        .withPoolMode(PoolMode.TRANSACTION)
                        .withPoolSize(POOL_SIZE))
                // A line for each client would bury the output of the tour.
                .withLog(LogConfig.defaults().withLogClientConnections(false).withLogClientDisconnections(false));
        return new ProxyConfig(general, ClusterConfig.defaults(), pools);
    }

    /// Whether nobody listens there. Somebody may come between this look and the node's start; then the start
    /// fails and says so.
    static boolean isFree(String host, int port) {
        try (var socket = new ServerSocket()) {
            socket.bind(new InetSocketAddress(InetAddress.getByName(host), port));
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    /// A port that nobody uses just now.
    static int anyFree(String host) throws IOException {
        try (var socket = new ServerSocket()) {
            socket.bind(new InetSocketAddress(InetAddress.getByName(host), 0));
            return socket.getLocalPort();
        }
    }
}
