package org.pgporter.node.admin;

import java.time.Duration;
import java.util.ArrayList;
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
import org.pgporter.node.stats.PoolTotals;

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

    /// Pools of one name: one for each grant of tokens, and those of single sessions.
    private record Named(String database, String user, List<PoolView> pools, Use use) {
        /// Those of single sessions take their connections from the other one's size.
        int size() {
            boolean onlyAlone = pools.stream().allMatch(PoolView::forOneSession);
            return pools.stream()
                    .filter(pool -> onlyAlone || !pool.forOneSession())
                    .mapToInt(PoolView::size)
                    .sum();
        }
    }

    /// What clients and server connections are doing.
    ///
    /// @param servers how many of them, by their state
    private record Use(long active, long waiting, Duration longest, Map<String, Long> servers) {
        long servers(String state) {
            return servers.getOrDefault(state, 0L);
        }
    }

    private List<Named> named() {
        Map<PoolKey, List<PoolView>> pools = new TreeMap<>(ORDER);
        snapshot.pools()
                .forEach(pool -> pools.computeIfAbsent(pool.key(), _ -> new ArrayList<>())
                        .add(pool));
        return pools.entrySet().stream()
                .map(entry -> new Named(
                        entry.getKey().database(), entry.getKey().user(), entry.getValue(), use(entry.getKey())))
                .toList();
    }

    private Use use(PoolKey key) {
        List<ClientView> clients = snapshot.sessions()
                .filter(client -> client.database().equals(key.database())
                        && client.poolUser().equals(key.user()))
                .toList();
        long waiting = clients.stream()
                .filter(client -> client.activity() == Activity.WAITING)
                .count();
        return new Use(
                clients.size() - waiting,
                waiting,
                clients.stream()
                        .map(ClientView::waiting)
                        .max(Comparator.naturalOrder())
                        .orElse(Duration.ZERO),
                snapshot.servers().stream()
                        .filter(server -> ORDER.compare(server.pool(), key) == 0)
                        .collect(Collectors.groupingBy(
                                server -> sockets.serverState(server.view()), Collectors.counting())));
    }

    Table pools() {
        Table.Rows rows = Table.of(Show.POOLS.columns());
        named().forEach(pool -> rows.row(
                pool.database(),
                pool.user(),
                pool.use().active(),
                pool.use().waiting(),
                0,
                0,
                pool.use().servers("active"),
                0,
                pool.use().servers("being_canceled"),
                pool.use().servers("idle"),
                pool.use().servers("used"),
                pool.use().servers("tested"),
                pool.use().servers("new"),
                Units.seconds(pool.use().longest()),
                Units.restMicros(pool.use().longest()),
                Units.word(pool.pools().getFirst().mode()),
                NO_BALANCING,
                pool.size(),
                pool.pools().getFirst().paused()));
        consoles(rows);
        return rows.table();
    }

    /// @param totals what has been counted until now
    Table extended(Map<PoolKey, PoolTotals> totals, Periods periods) {
        Table.Rows rows = Table.of(Show.POOLS_EXTENDED.columns());
        for (Named pool : named()) {
            PoolTotals now = PoolTotals.none();
            PoolTotals before = PoolTotals.none();
            for (Map.Entry<PoolKey, PoolTotals> entry : totals.entrySet()) {
                if (ORDER.compare(entry.getKey(), new PoolKey(pool.database(), pool.user())) == 0) {
                    now = now.plus(entry.getValue());
                    before = before.plus(periods.before(entry.getKey()));
                }
            }
            Quantiles queries = Quantiles.between(before.queryTimes(), now.queryTimes());
            Quantiles transactions = Quantiles.between(before.transactionTimes(), now.transactionTimes());
            Quantiles waits = Quantiles.between(before.waitTimes(), now.waitTimes());
            rows.row(
                    pool.database(),
                    pool.user(),
                    pool.use().active(),
                    pool.use().waiting(),
                    pool.use().servers("active"),
                    pool.use().servers("idle"),
                    pool.use().servers("used"),
                    pool.use().servers("new"),
                    pool.size(),
                    Units.seconds(pool.use().longest()),
                    Units.restMicros(pool.use().longest()),
                    Units.word(pool.pools().getFirst().mode()),
                    now.bytesFromClients(),
                    now.bytesToClients(),
                    queries.micros(0.99),
                    transactions.micros(0.99),
                    queries.micros(0.95),
                    transactions.micros(0.95),
                    queries.micros(0.5),
                    transactions.micros(0.5),
                    waits.micros(0.99));
        }
        return rows.table();
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
                .row("pools", named().size())
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
