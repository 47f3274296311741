package org.pgporter.config;

import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Section `pools.<db>`: one database as clients name it.
///
/// @param serverHost name or address of the backend, or the absolute directory of its Unix socket
/// @param serverPort 1 to 65535; also in the name of the Unix socket
/// @param serverDatabase database at the backend; absent: the pool's name
/// @param maxClientConnections clients of this database at one time; 0: no limit; absent:
///     `general.max_db_client_connections`
/// @param serverTls TLS towards the backend
/// @param databaseLimits what all its users may hold together
/// @param overrides what differs from section `general`
/// @param authQuery how users are looked up who are not in `users`; absent: there are no others
/// @param users who may use it
public record PoolConfig(
        String serverHost,
        int serverPort,
        Optional<String> serverDatabase,
        Optional<Integer> maxClientConnections,
        @Flat ServerTlsOverrides serverTls,
        @Flat DatabaseLimitOverrides databaseLimits,
        @Flat PoolOverrides overrides,
        Optional<AuthQueryConfig> authQuery,
        List<UserConfig> users) {
    private static final PoolConfig DEFAULTS = new PoolConfig(
            "127.0.0.1",
            5432,
            Optional.empty(),
            Optional.empty(),
            ServerTlsOverrides.none(),
            DatabaseLimitOverrides.none(),
            PoolOverrides.none(),
            Optional.empty(),
            List.of());

    public PoolConfig {
        users = List.copyOf(users);
        Checks checks = new Checks()
                .notBlank("server_host", serverHost)
                .between("server_port", 1, 65_535, serverPort)
                .notBlank("server_database", serverDatabase)
                .atLeast("max_client_connections", 0, maxClientConnections);
        Set<String> seen = new HashSet<>();
        for (int i = 0; i < users.size(); i++) {
            String name = users.get(i).username();
            checks.require(
                    seen.add(name),
                    "users[" + i + "].username",
                    "user " + name + " is there twice",
                    "remove one of the two",
                    Set.of("username"));
        }
        checks.throwIfAny();
    }

    public static PoolConfig defaults() {
        return DEFAULTS;
    }

    /// The user of this name.
    public Optional<UserConfig> user(String name) {
        return users.stream().filter(user -> user.username().equals(name)).findFirst();
    }

    /// Where the backend listens.
    public ServerAddress server() {
        return ServerAddress.of(serverHost, serverPort);
    }

    public PoolConfig withServer(String host, int port) {
        return Records.with(Records.with(this, "serverHost", host), "serverPort", port);
    }

    public PoolConfig withServerDatabase(String changed) {
        return Records.with(this, "serverDatabase", Optional.of(changed));
    }

    public PoolConfig withMaxClientConnections(int changed) {
        return Records.with(this, "maxClientConnections", Optional.of(changed));
    }

    public PoolConfig withServerTls(ServerTlsOverrides changed) {
        return Records.with(this, "serverTls", changed);
    }

    public PoolConfig withDatabaseLimits(DatabaseLimitOverrides changed) {
        return Records.with(this, "databaseLimits", changed);
    }

    public PoolConfig withOverrides(PoolOverrides changed) {
        return Records.with(this, "overrides", changed);
    }

    public PoolConfig withAuthQuery(AuthQueryConfig changed) {
        return Records.with(this, "authQuery", Optional.of(changed));
    }

    public PoolConfig withUsers(UserConfig... changed) {
        return Records.with(this, "users", List.of(changed));
    }
}
