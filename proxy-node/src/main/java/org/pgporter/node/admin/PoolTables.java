package org.pgporter.node.admin;

import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.pgporter.cluster.PoolKey;
import org.pgporter.config.DatabaseLimits;
import org.pgporter.config.PoolConfig;
import org.pgporter.config.PoolMode;
import org.pgporter.config.PoolOptions;
import org.pgporter.config.ProxyConfig;
import org.pgporter.config.UserConfig;
import org.pgporter.node.backend.ServerView;
import org.pgporter.node.pool.PoolView;
import org.pgporter.node.session.ClientView;
import org.pgporter.node.session.ClientView.Activity;

/// SHOW POOLS, DATABASES, USERS, LISTS and what else counts connections.
final class PoolTables {
    private static final Comparator<PoolKey> ORDER =
            Comparator.comparing(PoolKey::database).thenComparing(PoolKey::user);

    /// There is one server for each database.
    private static final String NO_BALANCING = "disable";

    private final Snapshot snapshot;
    private final ProxyConfig config;
    private final SocketTables sockets;

    PoolTables(Snapshot snapshot, ProxyConfig config, SocketTables sockets) {
        this.snapshot = snapshot;
        this.config = config;
        this.sockets = sockets;
    }

    Table pools() {
        Table.Rows rows = Table.of(Show.POOLS.columns());
        Map<PoolKey, PoolView> pools = new TreeMap<>(ORDER);
        // One for a single session has its row only where there is no other pool of its key.
        snapshot.pools().stream().filter(PoolView::forOneSession).forEach(pool -> pools.put(pool.key(), pool));
        snapshot.pools().stream().filter(pool -> !pool.forOneSession()).forEach(pool -> pools.put(pool.key(), pool));
        pools.values().forEach(pool -> poolRow(rows, pool));
        consoles(rows);
        return rows.table();
    }

    private void poolRow(Table.Rows rows, PoolView pool) {
        PoolKey key = pool.key();
        List<ClientView> clients = snapshot.sessions()
                .filter(client -> client.database().equals(key.database())
                        && client.poolUser().equals(key.user()))
                .toList();
        Map<String, Long> servers = snapshot.servers().stream()
                .filter(server -> server.pool().equals(key))
                .collect(Collectors.groupingBy(server -> sockets.serverState(server.view()), Collectors.counting()));
        Duration longest = clients.stream()
                .map(ClientView::waiting)
                .max(Comparator.naturalOrder())
                .orElse(Duration.ZERO);
        long waiting = clients.stream()
                .filter(client -> client.activity() == Activity.WAITING)
                .count();
        rows.row(
                key.database(),
                key.user(),
                clients.size() - waiting,
                waiting,
                0,
                0,
                servers.getOrDefault("active", 0L),
                0,
                servers.getOrDefault("being_canceled", 0L),
                servers.getOrDefault("idle", 0L),
                servers.getOrDefault("used", 0L),
                servers.getOrDefault("tested", 0L),
                servers.getOrDefault("new", 0L),
                Units.seconds(longest),
                Units.restMicros(longest),
                Units.word(pool.mode()),
                NO_BALANCING,
                pool.size(),
                pool.paused());
    }

    /// The console looks like a pool of its own, as PgBouncer's does.
    private void consoles(Table.Rows rows) {
        new TreeMap<>(snapshot.console().collect(Collectors.groupingBy(ClientView::database, Collectors.counting())))
                .forEach((database, clients) -> rows.row(
                        database,
                        database,
                        clients,
                        0,
                        0,
                        0,
                        0,
                        0,
                        0,
                        0,
                        0,
                        0,
                        0,
                        0,
                        0,
                        Units.word(PoolMode.STATEMENT),
                        NO_BALANCING,
                        0,
                        false));
    }

    Table databases() {
        Table.Rows rows = Table.of(Show.DATABASES.columns());
        config.pools().forEach((name, pool) -> {
            PoolOptions options = config.general().pools().overriddenBy(pool.overrides());
            DatabaseLimits limits = config.general().databaseLimits().overriddenBy(pool.databaseLimits());
            rows.row(
                    name,
                    pool.serverHost(),
                    pool.serverPort(),
                    pool.serverDatabase().orElse(name),
                    forcedUser(pool),
                    options.poolSize(),
                    options.minPoolSize(),
                    limits.reservePoolSize(),
                    options.serverLifetime().toSeconds(),
                    Units.word(options.poolMode()),
                    NO_BALANCING,
                    limits.maxDbConnections(),
                    serversOf(server -> server.pool().database().equals(name)),
                    pool.maxClientConnections().orElse(config.general().limits().maxDbClientConnections()),
                    clientsOf(client -> client.database().equals(name)),
                    snapshot.databases().isPaused(name),
                    snapshot.databases().disabled().contains(name));
        });
        return rows.table();
    }

    /// The role of all backend connections, where it is the same for all users and not their own.
    private static Optional<String> forcedUser(PoolConfig pool) {
        Set<Optional<String>> roles =
                pool.users().stream().map(UserConfig::serverUsername).collect(Collectors.toSet());
        return roles.size() == 1 ? roles.iterator().next() : Optional.empty();
    }

    private long serversOf(Predicate<Snapshot.Server> which) {
        return snapshot.servers().stream()
                .filter(which)
                .filter(server -> server.view().activity() != ServerView.Activity.CLOSING)
                .count();
    }

    private long clientsOf(Predicate<ClientView> which) {
        return snapshot.sessions().filter(which).count();
    }

    private Set<String> userNames() {
        Set<String> names = new TreeSet<>();
        config.pools().values().forEach(pool -> pool.users().forEach(user -> names.add(user.username())));
        snapshot.pools().forEach(pool -> names.add(pool.key().user()));
        config.general().console().everybody().forEach(names::add);
        return names;
    }

    Table users() {
        Table.Rows rows = Table.of(Show.USERS.columns());
        for (String name : userNames()) {
            List<UserConfig> configured = config.pools().values().stream()
                    .flatMap(pool -> pool.user(name).stream())
                    .toList();
            Stream<String> sizes = configured.stream()
                    .flatMap(user -> user.overrides().poolSize().stream())
                    .map(String::valueOf);
            Stream<String> modes = configured.stream()
                    .flatMap(user -> user.overrides().poolMode().stream())
                    .map(Units::word);
            rows.row(
                    name,
                    same(sizes),
                    Optional.empty(),
                    same(modes),
                    0,
                    serversOf(server -> server.pool().user().equals(name)),
                    configured.stream()
                            .flatMap(user -> user.maxClientConnections().stream())
                            .findFirst()
                            .orElse(config.general().limits().maxUserClientConnections()),
                    clientsOf(client -> client.user().equals(name)));
        }
        return rows.table();
    }

    /// A user can have a setting in each of its databases: shown is one that holds everywhere.
    private static Optional<String> same(Stream<String> settings) {
        List<String> different = settings.distinct().toList();
        return different.size() == 1 ? Optional.of(different.getFirst()) : Optional.empty();
    }

    Table lists() {
        long logins = snapshot.clients().stream()
                .filter(client -> client.activity() == Activity.LOGIN)
                .count();
        return Table.of(Show.LISTS.columns())
                .row("databases", config.pools().size())
                .row("users", userNames().size())
                .row("peers", 0)
                .row(
                        "pools",
                        snapshot.pools().stream().map(PoolView::key).distinct().count())
                .row("peer_pools", 0)
                .row("free_clients", 0)
                .row("used_clients", snapshot.clients().size() - logins)
                .row("login_clients", logins)
                .row("free_servers", 0)
                .row("used_servers", serversOf(_ -> true))
                .row("dns_names", 0)
                .row("dns_zones", 0)
                .row("dns_queries", 0)
                .row("dns_pending", 0)
                .table();
    }

    Table coordinator() {
        Table.Rows rows = Table.of(Show.POOL_COORDINATOR.columns());
        config.pools().forEach((name, pool) -> {
            DatabaseLimits limits = config.general().databaseLimits().overriddenBy(pool.databaseLimits());
            if (limits.capped()) {
                long current = serversOf(server -> server.pool().database().equals(name));
                rows.row(
                        name,
                        limits.maxDbConnections(),
                        current,
                        limits.reservePoolSize(),
                        Math.max(0, current - limits.maxDbConnections()));
            }
        });
        return rows.table();
    }

    Table preparedStatements() {
        Table.Rows rows = Table.of(Show.PREPARED_STATEMENTS.columns());
        snapshot.servers()
                .forEach(server -> rows.row(
                        server.pool().database(),
                        server.pool().user(),
                        server.name(),
                        server.view().backendPid(),
                        server.view().preparedStatements()));
        return rows.table();
    }

    Table startupParameters() {
        Table.Rows rows = Table.of(Show.STARTUP_PARAMETERS.columns());
        config.pools()
                .forEach((database, pool) -> pool.users().forEach(user -> {
                    Map<String, String> common = config.general().pools().startupParameters();
                    Map<String, String> all = config.settings(database, user.username())
                            .map(settings -> settings.options().startupParameters())
                            .orElse(Map.of());
                    new TreeMap<>(all)
                            .forEach((name, value) -> rows.row(
                                    user.username(),
                                    database,
                                    name,
                                    value,
                                    value.equals(common.get(name)) ? "general" : "pool",
                                    "applied"));
                }));
        return rows.table();
    }

    Table state() {
        boolean paused = snapshot.databases().allPaused();
        return Table.of(Show.STATE.columns())
                .row("active", paused ? "no" : "yes")
                .row("paused", paused ? "yes" : "no")
                .row("suspended", "no")
                .table();
    }
}
