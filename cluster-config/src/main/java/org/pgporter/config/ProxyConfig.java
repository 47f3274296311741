package org.pgporter.config;

import java.time.Duration;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.pgporter.auth.Secret;
import org.pgporter.auth.TokenGrant;
import org.pgporter.auth.credential.PlainPassword;
import org.pgporter.auth.credential.StoredCredential;

/// The whole configuration of a node. What changed between two of them is record equality, section by
/// section.
///
/// @param general this node, and the defaults of all pools
/// @param cluster this node among the others
/// @param pools the databases, by the name that clients use, in the order of the file; at least one
/// @param issuers who issues tokens, by the name of the section, in the order of the file
/// @param talos tokens that name a role; may also stand in section `general`
public record ProxyConfig(
        GeneralConfig general,
        ClusterConfig cluster,
        Map<String, PoolConfig> pools,
        Map<String, IssuerConfig> issuers,
        Optional<TalosConfig> talos) {
    /// So that names arrive as they were sent and times can be read, whatever the role's own settings are.
    private static final Map<String, String> LOOKUP_PARAMETERS = Map.of(
            "client_encoding", "UTF8",
            "DateStyle", "ISO, YMD",
            "TimeZone", "UTC",
            "application_name", "pgporter auth_query");

    /// The pool of a user with a token, and its connections with it, stays so long after his last session:
    /// the next statement of a script is often the next session.
    private static final Duration KEPT_FOR_TOKEN_USERS = Duration.ofSeconds(60);

    /// @throws ConfigException when sections contradict each other; paths start at the root, as in
    /// `pools.app.users[0].min_pool_size`
    public ProxyConfig {
        pools = Collections.unmodifiableMap(new LinkedHashMap<>(pools));
        issuers = Collections.unmodifiableMap(new LinkedHashMap<>(issuers));
        Checks checks = new Checks();
        checks.require(
                !pools.isEmpty(),
                "pools",
                "must have at least one pool",
                "add a section such as `app: {server_host: 127.0.0.1, users: [...]}`",
                Set.of("pools"));
        for (Map.Entry<String, PoolConfig> entry : pools.entrySet()) {
            checkPool(checks, general, entry.getKey(), entry.getValue());
        }
        checkTokens(checks, general, pools, issuers, talos);
        checks.throwIfAny();
    }

    /// A configuration in which nobody comes with a token.
    public ProxyConfig(GeneralConfig general, ClusterConfig cluster, Map<String, PoolConfig> pools) {
        this(general, cluster, pools, Map.of(), Optional.empty());
    }

    /// A cluster of one with defaults and one pool.
    public static ProxyConfig of(String database, PoolConfig pool) {
        return new ProxyConfig(GeneralConfig.defaults(), ClusterConfig.defaults(), Map.of(database, pool));
    }

    /// The pool that clients know as `database`.
    public Optional<PoolConfig> pool(String database) {
        return Optional.ofNullable(pools.get(database));
    }

    /// What holds for `user` of `database`, inheritance resolved; empty when one of them is not configured.
    public Optional<PoolSettings> settings(String database, String user) {
        return pool(database).flatMap(pool -> pool.user(user).map(found -> resolve(database, pool, found)));
    }

    /// All issuers by name, with the one that `general.jwt_…` defines.
    public Map<String, IssuerConfig> tokenIssuers() {
        Map<String, IssuerConfig> all = new LinkedHashMap<>(issuers);
        general.jwt().issuer().ifPresent(issuer -> all.put(JwtOptions.NAME, issuer));
        return all;
    }

    /// Section `talos`, wherever it stands.
    public Optional<TalosConfig> talosAnywhere() {
        return talos.or(general::talos);
    }

    /// Whether some pool has a user of this name: then nobody else may go by it.
    public boolean knows(String user) {
        return pools.values().stream().anyMatch(pool -> pool.user(user).isPresent());
    }

    /// What holds for somebody of `database` who came with a token of an issuer: the settings of the user,
    /// where the configuration has one that comes with tokens of this issuer, or those of the issuer where
    /// it provides for
    /// users that the configuration does not know. Empty in every other case.
    public Optional<PoolSettings> settings(String database, String user, TokenGrant grant) {
        Optional<IssuerConfig> issuer =
                Optional.ofNullable(tokenIssuers().get(grant.issuer())).filter(found -> found.allows(database));
        if (issuer.isEmpty()) {
            return Optional.empty();
        }
        if (!knows(user)) {
            return pool(database)
                    .filter(_ -> issuer.get().users().autoProvision())
                    .map(pool -> provided(database, pool, user, issuer.get().users(), grant));
        }
        return pool(database)
                .flatMap(pool -> pool.user(user))
                .filter(configured -> configured.issuer().equals(Optional.of(grant.issuer())))
                .flatMap(_ -> settings(database, user))
                .map(settings -> settings.withGrant(grant));
    }

    private PoolSettings provided(String database, PoolConfig pool, String user, TokenUsers users, TokenGrant grant) {
        UserConfig made = UserConfig.withoutPassword(user).withServerLogin(users.serverUser(), users.serverPassword());
        return resolve(database, pool, made)
                .withUnlisted(new UnlistedUsers("issuer " + grant.issuer(), users.maxUsers(), KEPT_FOR_TOKEN_USERS))
                .withGrant(grant);
    }

    private PoolSettings resolve(String database, PoolConfig pool, UserConfig user) {
        return new PoolSettings(
                database,
                user.username(),
                PoolKind.CONFIGURED,
                pool.server(),
                pool.serverDatabase().orElse(database),
                user.serverUsername().orElse(user.username()),
                serverPassword(user, user.serverPassword(), user.password()),
                serverPassword(user, user.previousServerPassword(), user.previousPassword()),
                Optional.empty(),
                Optional.empty(),
                options(general, pool, user),
                general.databaseLimits().overriddenBy(pool.databaseLimits()),
                general.tls(),
                general.serverTls().overriddenBy(pool.serverTls()),
                general.sockets(),
                pool.maxClientConnections().orElse(general.limits().maxDbClientConnections()),
                user.maxClientConnections().orElse(general.limits().maxUserClientConnections()));
    }

    /// What holds for a user of `database` who is not configured and whom its `auth_query` has found; empty
    /// where it has none.
    ///
    /// @param startupParameters what the lookup says of the user's connections, added to those of the pool;
    ///     without effect where all users share them
    public Optional<PoolSettings> foundByLookup(String database, String user, Map<String, String> startupParameters) {
        return pool(database)
                .flatMap(pool -> pool.authQuery().map(query -> {
                    PoolOptions options = general.pools()
                            .overriddenBy(pool.overrides())
                            .withMinGuaranteedPoolSize(0)
                            .withMinPoolSize(0)
                            .withPoolSize(query.options().poolSize())
                            .withMinPoolSize(query.options().minPoolSize());
                    PoolOptions own = options.withStartupParameters(
                            StartupParameters.merge(options.startupParameters(), startupParameters));
                    return query.serverUser()
                            .map(role -> dynamic(
                                    database,
                                    pool,
                                    role,
                                    PoolKind.SHARED,
                                    query.serverPassword(),
                                    role,
                                    Optional.empty(),
                                    options))
                            .orElseGet(() -> dynamic(
                                    database,
                                    pool,
                                    user,
                                    PoolKind.DYNAMIC,
                                    Optional.empty(),
                                    user,
                                    Optional.of(unlisted(database, query.options())),
                                    own));
                }));
    }

    private static UnlistedUsers unlisted(String database, AuthQueryOptions options) {
        return new UnlistedUsers(
                "auth_query of " + database,
                options.maxDynamicPools(),
                // Connections that are to be kept open are kept with their pool.
                options.minPoolSize() > 0 ? Duration.ZERO : options.dynamicPoolIdleTimeout());
    }

    private PoolSettings dynamic(
            String database,
            PoolConfig pool,
            String user,
            PoolKind kind,
            Optional<Secret> password,
            String role,
            Optional<UnlistedUsers> unlisted,
            PoolOptions options) {
        return new PoolSettings(
                database,
                user,
                kind,
                pool.server(),
                pool.serverDatabase().orElse(database),
                role,
                password,
                Optional.empty(),
                Optional.empty(),
                unlisted,
                options,
                general.databaseLimits().overriddenBy(pool.databaseLimits()),
                general.tls(),
                general.serverTls().overriddenBy(pool.serverTls()),
                general.sockets(),
                pool.maxClientConnections().orElse(general.limits().maxDbClientConnections()),
                general.limits().maxUserClientConnections());
    }

    /// The connections by which users of `database` are looked up; empty where it has no `auth_query`.
    /// Nothing that a client or a pool wishes reaches them. They do not count against the database's cap,
    /// so that logins do not wait for queries.
    public Optional<PoolSettings> lookupSettings(String database) {
        return pool(database)
                .flatMap(pool -> pool.authQuery().map(query -> {
                    PoolOptions ofPool = general.pools().overriddenBy(pool.overrides());
                    PoolOptions options = PoolOptions.defaults()
                            .withPoolSize(query.options().workers())
                            .withMaxConcurrentCreates(query.options().workers())
                            .withConnectTimeout(ofPool.connectTimeout())
                            .withQueryWaitTimeout(query.options().lookupTimeout())
                            .withIdleTimeout(ofPool.idleTimeout())
                            .withServerLifetime(ofPool.serverLifetime())
                            .withServerLoginRetry(ofPool.serverLoginRetry())
                            .withServerCheckDelay(ofPool.serverCheckDelay())
                            .withSessionStateCheck(StateCheck.NEVER)
                            .withPreparedStatements(false)
                            .withStartupParameters(LOOKUP_PARAMETERS);
                    return new PoolSettings(
                            database,
                            query.user(),
                            PoolKind.LOOKUP,
                            pool.server(),
                            query.database().or(pool::serverDatabase).orElse(database),
                            query.user(),
                            query.password(),
                            Optional.empty(),
                            Optional.empty(),
                            Optional.empty(),
                            options,
                            DatabaseLimits.defaults(),
                            general.tls(),
                            general.serverTls().overriddenBy(pool.serverTls()),
                            general.sockets(),
                            0,
                            0);
                }));
    }

    /// A plain password that the client must know opens the backend, too, as long as it is for the same name.
    private static Optional<Secret> serverPassword(
            UserConfig user, Optional<Secret> ofServer, Optional<StoredCredential> ofClient) {
        boolean sameName = user.serverUsername()
                .filter(role -> !role.equals(user.username()))
                .isEmpty();
        boolean same = sameName && user.serverPassword().isEmpty();
        return ofServer.or(() -> same && ofClient.orElse(null) instanceof PlainPassword plain
                ? Optional.of(plain.password())
                : Optional.empty());
    }

    private static PoolOptions options(GeneralConfig general, PoolConfig pool, UserConfig user) {
        return general.pools().overriddenBy(pool.overrides()).overriddenBy(user.overrides());
    }

    public ProxyConfig withGeneral(GeneralConfig changed) {
        return new ProxyConfig(changed, cluster, pools, issuers, talos);
    }

    public ProxyConfig withCluster(ClusterConfig changed) {
        return new ProxyConfig(general, changed, pools, issuers, talos);
    }

    /// With `pool` added, or in place of the one that has the name.
    public ProxyConfig withPool(String database, PoolConfig pool) {
        Map<String, PoolConfig> changed = new LinkedHashMap<>(pools);
        changed.put(database, pool);
        return new ProxyConfig(general, cluster, changed, issuers, talos);
    }

    public ProxyConfig withIssuer(String name, IssuerConfig issuer) {
        Map<String, IssuerConfig> changed = new LinkedHashMap<>(issuers);
        changed.put(name, issuer);
        return new ProxyConfig(general, cluster, pools, changed, talos);
    }

    public ProxyConfig withTalos(TalosConfig changed) {
        return new ProxyConfig(general, cluster, pools, issuers, Optional.of(changed));
    }

    private static void checkTokens(
            Checks checks,
            GeneralConfig general,
            Map<String, PoolConfig> pools,
            Map<String, IssuerConfig> issuers,
            Optional<TalosConfig> talos) {
        issuers.keySet().forEach(name -> checks.notBlank("issuers." + name, name));
        for (Map.Entry<String, IssuerConfig> issuer : issuers.entrySet()) {
            checks.require(
                    issuer.getValue().issuer().isPresent(),
                    "issuers." + issuer.getKey() + ".issuer",
                    "is missing",
                    "give what stands in `iss` of its tokens",
                    Set.of("issuer"));
        }
        checks.require(
                !issuers.containsKey(JwtOptions.NAME) || general.jwt().issuer().isEmpty(),
                "issuers." + JwtOptions.NAME,
                "has the name of the issuer that general.jwt_… defines",
                "give it another one",
                Set.of("issuers"));
        checks.require(
                talos.isEmpty() || general.talos().isEmpty(),
                "talos",
                "stands at the top and in section general",
                "remove one of the two",
                Set.of("talos"));
        Optional<TalosConfig> anywhere = talos.or(general::talos);
        pools.forEach((database, pool) -> {
            List<UserConfig> users = pool.users();
            for (int i = 0; i < users.size(); i++) {
                String path = "pools." + database + ".users[" + i + "]";
                Optional<String> issuer = users.get(i).issuer();
                checks.require(
                        issuer.isEmpty()
                                || issuers.containsKey(issuer.get())
                                || issuer.get().equals(JwtOptions.NAME)
                                        && general.jwt().issuer().isPresent(),
                        path + ".issuer",
                        "names no section of issuers",
                        "",
                        Set.of("issuer", "issuers"));
                checks.require(
                        anywhere.isEmpty() || !users.get(i).username().equals(TalosConfig.USER),
                        path + ".username",
                        "is the user behind which everybody comes with a Talos token",
                        "give it another name",
                        Set.of("username"));
            }
        });
    }

    private static void checkPool(Checks checks, GeneralConfig general, String name, PoolConfig pool) {
        String path = "pools." + name;
        checks.notBlank(path, name);
        checks.require(
                !ConsoleOptions.isConsole(name),
                path,
                "is a name of the console, and no pool can have it",
                "choose another one; server_database says what the database is called in PostgreSQL",
                Set.of(name));
        checks.require(
                !pool.users().isEmpty() || pool.authQuery().isPresent(),
                path + ".users",
                "must have at least one user, or nobody can log in",
                "add `users: [{username: ..., password: ...}]` or auth_query",
                Set.of("users", "auth_query"));
        Set<ConfigException.Violation> ofPool = new HashSet<>();
        try {
            general.pools().overriddenBy(pool.overrides());
        } catch (ConfigException e) {
            // A user may put right what contradicts in the pool, but a reader of the file could not see that.
            e.violations().forEach(violation -> {
                ofPool.add(violation);
                checks.add(at(path, pool.overrides(), "general", violation));
            });
        }
        try {
            general.serverTls().overriddenBy(pool.serverTls());
        } catch (ConfigException e) {
            e.violations()
                    .forEach(violation -> checks.require(
                            false,
                            path + "." + violation.path(),
                            violation.message(),
                            violation.remedy(),
                            violation.involved()));
        }
        List<UserConfig> users = pool.users();
        for (int i = 0; i < users.size(); i++) {
            checks.require(
                    users.get(i).password().isPresent()
                            || users.get(i).authPamService().isPresent()
                            || users.get(i).issuer().isPresent()
                            || general.access().pgHba().isPresent(),
                    path + ".users[" + i + "].password",
                    "is missing",
                    "or set auth_pam_service, issuer, or rules in general.pg_hba that do not ask for one",
                    Set.of("password", "auth_pam_service", "issuer", "pg_hba"));
        }
        for (int i = 0; i < users.size() && ofPool.isEmpty(); i++) {
            String userPath = path + ".users[" + i + "]";
            PoolOverrides overrides = users.get(i).overrides();
            try {
                options(general, pool, users.get(i));
            } catch (ConfigException e) {
                e.violations().forEach(violation -> checks.add(at(userPath, overrides, path, violation)));
                return;
            }
        }
        if (ofPool.isEmpty()) {
            checkGuarantees(checks, general, path, pool);
        }
    }

    /// What is guaranteed to all users together must fit below the cap, or it is not guaranteed.
    private static void checkGuarantees(Checks checks, GeneralConfig general, String path, PoolConfig pool) {
        int most = general.databaseLimits().overriddenBy(pool.databaseLimits()).maxDbConnections();
        long guaranteed = pool.users().stream()
                .mapToLong(user -> options(general, pool, user).guaranteedSize())
                .sum();
        checks.require(
                most == 0 || guaranteed <= most,
                (pool.databaseLimits().maxDbConnections().isPresent() ? path : "general") + ".max_db_connections",
                "is " + most + ", less than the " + guaranteed
                        + " connections that min_guaranteed_pool_size promises to" + " the users of " + path,
                "lower min_guaranteed_pool_size or raise max_db_connections",
                Set.of("max_db_connections", "min_guaranteed_pool_size", "pool_size"));
    }

    /// A contradiction is reported where its key stands, or else where the other of the two stands.
    private static ConfigException.Violation at(
            String path, PoolOverrides overrides, String outer, ConfigException.Violation violation) {
        String key = violation.path();
        if (key.equals("min_pool_size") && overrides.minPoolSize().isEmpty()) {
            return new ConfigException.Violation(
                    path + ".pool_size",
                    "is less than min_pool_size, which is inherited from " + outer + ": min_pool_size "
                            + violation.message(),
                    violation.remedy(),
                    violation.involved());
        }
        return new ConfigException.Violation(
                path + "." + key, violation.message(), violation.remedy(), violation.involved());
    }
}
