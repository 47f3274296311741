package org.pgporter.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Method;
import java.lang.reflect.RecordComponent;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.pgporter.auth.Secret;
import org.pgporter.auth.credential.StoredCredential;
import org.pgporter.auth.jwt.TokenAlgorithm;

class MappingTest {
    private static final String OPTIONS = """
            pool_mode: Session
            pool_size: 7
            min_pool_size: 3
            min_guaranteed_pool_size: 2
            max_concurrent_creates: 2
            connect_timeout: 1500
            query_wait_timeout: "0"
            idle_timeout: "2H"
            server_lifetime: "1 d"
            server_login_retry: "250ms"
            server_check_delay: "1m"
            server_reset_query: ""
            session_state_check: always
            prepared_statements: false
            prepared_statements_cache_size: 11
            server_prepared_statements_cache_size: 12
            application_name: proxy
            query_timeout: "30s"
            transaction_timeout: "5m"
            idle_transaction_timeout: 1500
            client_idle_timeout: "1h"
            query_wait_notify: "0"
            startup_parameters: {work_mem: 64MB, geqo: off}
            """;

    private static final String DATABASE_LIMITS = """
            max_db_connections: 90
            min_connection_lifetime: 1500
            reserve_pool_size: 6
            reserve_pool_timeout: "0"
            """;

    private static final String SERVER_TLS = """
            server_tls_mode: Verify-Full
            server_tls_negotiation: direct
            server_tls_ca_cert: /tls/servers.pem
            server_tls_crl_file: /tls/servers.crl
            server_tls_certificate: /tls/us.crt
            server_tls_private_key: /tls/us.key
            """;

    private static final String GENERAL = """
            pg_hba: {path: rules/pg_hba.conf}
            pg_ident: |
              m ann alice
              m bob all
            host: "127.0.0.1, ::1"
            port: 0
            unix_socket_dir: /tmp/sockets
            unix_socket_mode: "0770"
            backlog: 17
            so_reuseport: true
            io: nio
            worker_threads: 3
            loop_held_threshold: "250ms"
            max_connections: 99
            max_db_client_connections: 50
            max_user_client_connections: 25
            client_login_timeout: "7s"
            admin_users: [root, "dba"]
            stats_users: "grafana, zabbix"
            admin_username: operator
            admin_password: open
            admin_reserved_connections: 1
            stats_period: "15s"
            max_unauthenticated_connections: 33
            login_rate_per_address: 34
            login_rate_per_user: 35
            login_failures_per_address: 36
            login_failures_per_user: 37
            login_backoff: 1500
            login_backoff_max: "1h"
            login_failure_delay: "250ms"
            tcp_keepalives_idle: 11
            tcp_keepalives_interval: "12s"
            tcp_keepalives_count: 13
            tcp_no_delay: false
            tcp_user_timeout: "14s"
            tcp_so_linger: 0
            tcp_socket_buffer_size: "64KB"
            log_client_connections: false
            log_client_disconnections: false
            log_level: debug
            log_format: json
            shutdown_timeout: "1h"
            tls_engine: jdk
            min_tls_version: TLSv1.3
            tls_ciphers: TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
            tls13_ciphers: "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384"
            tls_mode: verify-full
            tls_certificate: /tls/node.crt
            tls_private_key: /tls/node.key
            tls_ca_cert: /tls/clients.pem
            tls_crl_file: /tls/clients.crl
            tls_rate_limit_per_second: 100
            pam_timeout: "3s"
            pam_threads: 2
            pam_queue: 7
            ldap_timeout: "4s"
            ldap_connections: 3
            ldap_queue: 8
            ldap_tls_ca_cert: /tls/ldap.pem
            secrets_file: /secrets/file
            secrets_key_file: /secrets/key
            jwt_public_key_file: /jwt/key.pem
            jwt_jwks_url: https://issuer.example/keys
            jwt_jwks_cache_ttl: 60
            jwt_issuer: https://issuer.example
            jwt_audience: pgporter
            jwt_username_claim: email
            jwt_server_user: gateway
            jwt_server_password: open
            jwt_user_suffix: "@corp"
            jwt_user_auto_provision: true
            jwt_user_auto_provision_read_only: true
            jwt_allow_plaintext: true
            talos: {keys: [/talos/one.pem, two.pem], databases: [app]}
            """;

    private static final PoolOptions EXPECTED_OPTIONS = new PoolOptions(
            PoolMode.SESSION,
            7,
            3,
            2,
            2,
            Duration.ofMillis(1500),
            Duration.ZERO,
            Duration.ofHours(2),
            Duration.ofDays(1),
            Duration.ofMillis(250),
            Duration.ofMinutes(1),
            "",
            StateCheck.ALWAYS,
            false,
            11,
            Optional.of(12),
            Optional.of("proxy"),
            new TimeoutOptions(
                    Duration.ofSeconds(30),
                    Duration.ofMinutes(5),
                    Duration.ofMillis(1500),
                    Duration.ofHours(1),
                    Duration.ZERO),
            Map.of("work_mem", "64MB", "geqo", "off"));

    private static final PoolOverrides EXPECTED_OVERRIDES = PoolOverrides.none()
            .withPoolMode(PoolMode.SESSION)
            .withPoolSize(7)
            .withMinPoolSize(3)
            .withMinGuaranteedPoolSize(2)
            .withMaxConcurrentCreates(2)
            .withConnectTimeout(Duration.ofMillis(1500))
            .withQueryWaitTimeout(Duration.ZERO)
            .withIdleTimeout(Duration.ofHours(2))
            .withServerLifetime(Duration.ofDays(1))
            .withServerLoginRetry(Duration.ofMillis(250))
            .withServerCheckDelay(Duration.ofMinutes(1))
            .withServerResetQuery("")
            .withSessionStateCheck(StateCheck.ALWAYS)
            .withPreparedStatements(false)
            .withPreparedStatementsCacheSize(11)
            .withServerPreparedStatementsCacheSize(12)
            .withApplicationName("proxy")
            .withTimeouts(TimeoutOverrides.none()
                    .withQueryTimeout(Duration.ofSeconds(30))
                    .withTransactionTimeout(Duration.ofMinutes(5))
                    .withIdleTransactionTimeout(Duration.ofMillis(1500))
                    .withClientIdleTimeout(Duration.ofHours(1))
                    .withQueryWaitNotify(Duration.ZERO))
            .withStartupParameters(Map.of("work_mem", "64MB", "geqo", "off"));

    private static final ServerTlsOverrides EXPECTED_SERVER_TLS = ServerTlsOverrides.none()
            .withServerTlsMode(ServerTlsMode.VERIFY_FULL)
            .withServerTlsNegotiation(ServerTlsNegotiation.DIRECT)
            .withServerTlsCaCert(Path.of("/tls/servers.pem"))
            .withServerTlsCrlFile(Path.of("/tls/servers.crl"))
            .withServerTlsCertificate(Path.of("/tls/us.crt"))
            .withServerTlsPrivateKey(Path.of("/tls/us.key"));

    private static final DatabaseLimitOverrides EXPECTED_DATABASE_LIMITS = DatabaseLimitOverrides.none()
            .withMaxDbConnections(90)
            .withMinConnectionLifetime(Duration.ofMillis(1500))
            .withReservePoolSize(6)
            .withReservePoolTimeout(Duration.ZERO);

    private static final String AUTH_QUERY = """
            auth_query:
              user: finder
              password: md5aaaabbbbccccddddeeeeffff00001111
              query: "select passwd from finds($1)"
              database: users
              server_user: everybody
              server_password: theirs
              workers: 3
              lookup_timeout: "7s"
              max_waiting_lookups: 8
              max_lookups_per_second: 9
              cache_ttl: "2h"
              cache_failure_ttl: "40s"
              cache_size: 12
              min_interval: 1500
              pool_size: 13
              min_pool_size: 2
              max_dynamic_pools: 14
              dynamic_pool_idle_timeout: "15m"
            """;

    private static final AuthQueryConfig EXPECTED_AUTH_QUERY = new AuthQueryConfig(
            "finder",
            Optional.of(Secret.of("md5aaaabbbbccccddddeeeeffff00001111")),
            Optional.of("select passwd from finds($1)"),
            Optional.of("users"),
            Optional.of("everybody"),
            Optional.of(Secret.of("theirs")),
            new AuthQueryOptions(
                    3,
                    Duration.ofSeconds(7),
                    8,
                    9,
                    Duration.ofHours(2),
                    Duration.ofSeconds(40),
                    12,
                    Duration.ofMillis(1500),
                    13,
                    2,
                    14,
                    Duration.ofMinutes(15)));

    @Test
    void shouldHaveDefaultsForAllThatIsNotWritten() {
        ProxyConfig config = Yaml.valid(Yaml.POOLS);
        assertThat(config.general()).isEqualTo(GeneralConfig.defaults());
        assertThat(config.cluster()).isEqualTo(ClusterConfig.defaults());
        assertThat(config.pools())
                .containsExactly(Map.entry(
                        "app",
                        PoolConfig.defaults().withUsers(UserConfig.of("alice", StoredCredential.parse("wonderland")))));
    }

    @Test
    void shouldTakeEmptySectionsAsDefaults() {
        assertThat(Yaml.valid("general:\ncluster:\n" + Yaml.POOLS)).isEqualTo(Yaml.valid(Yaml.POOLS));
    }

    @Test
    void shouldMapEveryKeyOfGeneral() {
        // When
        GeneralConfig general = Yaml.valid(
                        "general:\n" + indented(2, GENERAL + SERVER_TLS + DATABASE_LIMITS + OPTIONS) + Yaml.POOLS)
                .general();

        // Then
        GeneralConfig expected = new GeneralConfig(
                new ListenerConfig(
                        "127.0.0.1, ::1", 0, Optional.of(Path.of("/tmp/sockets")), new FileMode(0770), 17, true),
                new EventLoopConfig(IoTransport.NIO, 3, Duration.ofMillis(250)),
                new ClientLimits(99, 50, 25, Duration.ofSeconds(7)),
                new LoginLimits(
                        33, 34, 35, 36, 37, Duration.ofMillis(1500), Duration.ofHours(1), Duration.ofMillis(250)),
                new SocketOptions(
                        Duration.ofSeconds(11),
                        Duration.ofSeconds(12),
                        13,
                        false,
                        Duration.ofSeconds(14),
                        Optional.of(0),
                        new ByteSize(65_536)),
                new TlsOptions(
                        TlsEngine.JDK,
                        TlsVersion.TLS_1_3,
                        Optional.of("TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
                        Optional.of("TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384")),
                new ClientTlsOptions(
                        ClientTlsMode.VERIFY_FULL,
                        Optional.of(Path.of("/tls/node.crt")),
                        Optional.of(Path.of("/tls/node.key")),
                        Optional.of(Path.of("/tls/clients.pem")),
                        Optional.of(Path.of("/tls/clients.crl")),
                        100),
                ServerTlsOptions.defaults().overriddenBy(EXPECTED_SERVER_TLS),
                new AccessOptions(
                        Optional.of(new RuleSource(
                                Optional.of(Path.of("rules/pg_hba.conf").toAbsolutePath()),
                                Optional.empty(),
                                "pgporter.yaml",
                                2)),
                        Optional.of(new RuleSource(
                                Optional.empty(), Optional.of("m ann alice\nm bob all\n"), "pgporter.yaml", 4)),
                        List.of()),
                new MethodOptions(
                        new PamOptions(Duration.ofSeconds(3), 2, 7),
                        new LdapOptions(Duration.ofSeconds(4), 3, 8, Optional.of(Path.of("/tls/ldap.pem")))),
                new SecretsOptions(Optional.of(Path.of("/secrets/file")), Optional.of(Path.of("/secrets/key"))),
                new DatabaseLimits(90, Duration.ofMillis(1500), 6, Duration.ZERO),
                EXPECTED_OPTIONS,
                new ConsoleOptions(
                        List.of("root", "dba"),
                        List.of("grafana", "zabbix"),
                        Optional.of("operator"),
                        Optional.of(StoredCredential.parse("open")),
                        1,
                        Duration.ofSeconds(15)),
                new LogConfig(false, false, LogLevel.DEBUG, LogFormat.JSON),
                new JwtOptions(
                        Optional.of(Path.of("/jwt/key.pem")),
                        Optional.of("https://issuer.example/keys"),
                        Duration.ofSeconds(60),
                        Optional.of("https://issuer.example"),
                        Optional.of("pgporter"),
                        "email",
                        Optional.of("gateway"),
                        Optional.of(Secret.of("open")),
                        Optional.of("@corp"),
                        true,
                        true,
                        true),
                Optional.of(new TalosConfig(List.of(Path.of("/talos/one.pem"), Path.of("two.pem")), List.of("app"))),
                Duration.ofHours(1));
        assertThat(general).isEqualTo(expected);
        assertThat(general.listener().addresses()).containsExactly("127.0.0.1", "::1");
        assertDiffersEverywhere(general, GeneralConfig.defaults());
    }

    @Test
    void shouldMapEveryKeyOfCluster() {
        ClusterConfig cluster = Yaml.valid("cluster: {name: fleet, host: 10.0.0.1, port: 7355, seed_nodes: "
                        + "['10.0.0.1:7355', '[::1]:7355'], node_index: 1023}\n" + Yaml.POOLS)
                .cluster();
        assertThat(cluster)
                .isEqualTo(new ClusterConfig("fleet", "10.0.0.1", 7355, List.of("10.0.0.1:7355", "[::1]:7355"), 1023));
        assertDiffersEverywhere(cluster, ClusterConfig.defaults());
    }

    @Test
    void shouldMapEveryKeyOfAPoolAndItsUsers() {
        // When
        PoolConfig pool = Yaml.valid("issuers: {corp: {issuer: x, audience: y, public_key_file: z}}\npools:\n  app:\n"
                        + indented(
                                4,
                                "server_host: db\nserver_port: 5433\nserver_database: real\n"
                                        + "max_client_connections: 0\n" + SERVER_TLS + DATABASE_LIMITS + OPTIONS
                                        + AUTH_QUERY + "users:\n- username: bob\n")
                        + indented(
                                6,
                                "password: pw\nprevious_password: older\nauth_pam_service: login\nissuer: corp\nserver_username: role\n"
                                        + "server_password: key\nprevious_server_password: rusty\n"
                                        + "max_client_connections: 9\nroles: [staff, '+x']\n" + OPTIONS))
                .pool("app")
                .orElseThrow();

        // Then
        UserConfig bob = new UserConfig(
                "bob",
                Optional.of(StoredCredential.parse("pw")),
                Optional.of(StoredCredential.parse("older")),
                Optional.of("login"),
                Optional.of("corp"),
                Optional.of("role"),
                Optional.of(Secret.of("key")),
                Optional.of(Secret.of("rusty")),
                Optional.of(9),
                Optional.of(List.of("staff", "+x")),
                EXPECTED_OVERRIDES);
        assertThat(pool)
                .isEqualTo(new PoolConfig(
                        "db",
                        5433,
                        Optional.of("real"),
                        Optional.of(0),
                        EXPECTED_SERVER_TLS,
                        EXPECTED_DATABASE_LIMITS,
                        EXPECTED_OVERRIDES,
                        Optional.of(EXPECTED_AUTH_QUERY),
                        List.of(bob)));
        assertDiffersEverywhere(pool, PoolConfig.defaults());
        assertDiffersEverywhere(EXPECTED_AUTH_QUERY, AuthQueryConfig.of("other"));
        assertDiffersEverywhere(EXPECTED_AUTH_QUERY.options(), AuthQueryOptions.defaults());
        assertDiffersEverywhere(bob, UserConfig.of("alice", StoredCredential.parse("other")));
    }

    @Test
    void shouldMapEveryKeyOfAnIssuer() {
        // When
        IssuerConfig issuer =
                java.util.Objects.requireNonNull(Yaml.valid("issuers:\n  corp:\n" + indented(4, """
                        issuer: http://issuer.example/realm
                        public_key_file: /keys/one.pem
                        public_key_files: [/keys/two.pem]
                        discovery: true
                        allow_http: true
                        tls_ca_cert: /tls/issuer.pem
                        jwks_cache_ttl: "1m"
                        jwks_stale_time: "1h"
                        jwks_refetch_interval: "1s"
                        jwks_timeout: "2s"
                        audience: pgporter
                        audiences: [other]
                        authorized_parties: [psql]
                        required_scopes: [db]
                        algorithms: [ES256, eddsa]
                        leeway: "5s"
                        max_token_age: "1h"
                        max_token_size: 60K
                        username_claim: email
                        user_suffix: "@corp"
                        user_map: [{match: "root@.*"}, {match: "(.*)@corp", name: "\\\\1"}]
                        databases: [app]
                        auto_provision: true
                        max_users: 7
                        read_only: true
                        server_user: gateway
                        server_password: open
                        role_claim: groups
                        role_map: [{match: dba, name: admin}]
                        expiry_grace: "3s"
                        """) + Yaml.POOLS)
                        .issuers()
                        .get("corp"));

        // Then
        IssuerConfig expected = new IssuerConfig(
                Optional.of("http://issuer.example/realm"),
                new IssuerKeys(
                        Optional.of(Path.of("/keys/one.pem")),
                        List.of(Path.of("/keys/two.pem")),
                        Optional.empty(),
                        true,
                        true,
                        Optional.of(Path.of("/tls/issuer.pem")),
                        Duration.ofMinutes(1),
                        Duration.ofHours(1),
                        Duration.ofSeconds(1),
                        Duration.ofSeconds(2)),
                new TokenChecks(
                        Optional.of("pgporter"),
                        List.of("other"),
                        List.of("psql"),
                        List.of("db"),
                        List.of(TokenAlgorithm.ES256, TokenAlgorithm.EDDSA),
                        Duration.ofSeconds(5),
                        Optional.of(Duration.ofHours(1)),
                        new ByteSize(60 * 1024)),
                new TokenUsers(
                        "email",
                        Optional.of("@corp"),
                        List.of(
                                new NameRuleConfig("root@.*", Optional.empty()),
                                new NameRuleConfig("(.*)@corp", Optional.of("\\1"))),
                        List.of("app"),
                        true,
                        7,
                        true,
                        Optional.of("gateway"),
                        Optional.of(Secret.of("open")),
                        Optional.empty(),
                        Optional.of("groups"),
                        List.of(new NameRuleConfig("dba", Optional.of("admin"))),
                        Duration.ofSeconds(3)));
        assertThat(issuer).isEqualTo(expected);
        assertDiffersEverywhere(
                issuer.keys().withDiscovery(false).withJwksUrl("https://issuer.example"),
                IssuerKeys.defaults().withDiscovery(true));
        assertDiffersEverywhere(issuer.checks(), TokenChecks.defaults());
        TokenUsers others = issuer.users();
        assertDiffersEverywhere(others, TokenUsers.defaults().withRole("analyst"));
    }

    static Stream<Record> recordsWithWithers() {
        return Stream.of(
                GeneralConfig.defaults(),
                ListenerConfig.defaults(),
                EventLoopConfig.defaults(),
                ClientLimits.defaults(),
                LoginLimits.defaults(),
                AuthQueryOptions.defaults(),
                SocketOptions.defaults(),
                TlsOptions.defaults(),
                ServerTlsOverrides.none(),
                MethodOptions.defaults(),
                PamOptions.defaults(),
                LdapOptions.defaults(),
                DatabaseLimits.defaults(),
                PoolOptions.defaults(),
                LogConfig.defaults(),
                ClusterConfig.defaults(),
                DatabaseLimitOverrides.none(),
                PoolOverrides.none(),
                TimeoutOptions.defaults(),
                TimeoutOverrides.none());
    }

    @ParameterizedTest
    @MethodSource("recordsWithWithers")
    void shouldChangeOneComponentWithEachWither(Record record) throws ReflectiveOperationException {
        for (RecordComponent component : record.getClass().getRecordComponents()) {
            String name = component.getName();
            Method wither = Stream.of(record.getClass().getMethods())
                    .filter(method -> method.getName()
                            .equals("with" + name.substring(0, 1).toUpperCase() + name.substring(1)))
                    .findFirst()
                    .orElseThrow(() -> new AssertionError("no wither for " + name));
            Record changed = (Record)
                    wither.invoke(record, sample(wither.getParameterTypes()[0], Records.get(record, component)));
            for (RecordComponent other : record.getClass().getRecordComponents()) {
                assertThat(Records.get(changed, other).equals(Records.get(record, other)))
                        .as("%s after %s", other.getName(), wither.getName())
                        .isEqualTo(!other.getName().equals(name));
            }
        }
    }

    private static Object sample(Class<?> type, Object before) {
        if (type == boolean.class) {
            return !before.equals(true) && !before.equals(Optional.of(true));
        }
        return switch (type.getSimpleName()) {
            case "int" -> 31;
            case "String" -> "sample";
            case "Duration" -> Duration.ofSeconds(77);
            case "Map" -> Map.of("work_mem", "1MB");
            case "List" -> List.of("host:1");
            case "Path" -> Path.of("/sample");
            case "FileMode" -> new FileMode(0111);
            case "ByteSize" -> new ByteSize(77);
            case "LoginLimits" -> LoginLimits.defaults().withLoginRatePerUser(77);
            case "IoTransport" -> IoTransport.KQUEUE;
            case "PoolMode" -> PoolMode.STATEMENT;
            case "StateCheck" -> StateCheck.NEVER;
            case "LogLevel" -> LogLevel.TRACE;
            case "LogFormat" -> LogFormat.JSON;
            case "TlsEngine" -> TlsEngine.JDK;
            case "TlsVersion" -> TlsVersion.TLS_1_3;
            case "ServerTlsMode" -> ServerTlsMode.PREFER;
            case "ServerTlsNegotiation" -> ServerTlsNegotiation.DIRECT;
            case "TlsOptions" -> TlsOptions.defaults().withTlsEngine(TlsEngine.JDK);
            case "ClientTlsOptions" -> ClientTlsOptions.defaults().withTlsMode(ClientTlsMode.DISABLE);
            case "MethodOptions" ->
                MethodOptions.defaults().withPam(PamOptions.defaults().withPamThreads(1));
            case "PamOptions" -> PamOptions.defaults().withPamThreads(1);
            case "LdapOptions" -> LdapOptions.defaults().withLdapQueue(1);
            case "SecretsOptions" -> new SecretsOptions(Optional.of(Path.of("/sample")), Optional.empty());
            case "ServerTlsOptions" -> ServerTlsOptions.defaults().withServerTlsMode(ServerTlsMode.PREFER);
            case "ListenerConfig" -> ListenerConfig.defaults().withPort(1);
            case "EventLoopConfig" -> EventLoopConfig.defaults().withWorkerThreads(1);
            case "ClientLimits" -> ClientLimits.defaults().withMaxConnections(1);
            case "SocketOptions" -> SocketOptions.defaults().withTcpNoDelay(false);
            case "AccessOptions" -> AccessOptions.defaults().withHba(List.of("::1"));
            case "DatabaseLimits" -> DatabaseLimits.defaults().withMaxDbConnections(1);
            case "PoolOptions" -> PoolOptions.defaults().withPoolSize(1);
            case "ConsoleOptions" -> ConsoleOptions.defaults().withAdminUsers(List.of("root"));
            case "TimeoutOptions" -> TimeoutOptions.defaults().withQueryTimeout(Duration.ofSeconds(1));
            case "TimeoutOverrides" -> TimeoutOverrides.none().withQueryTimeout(Duration.ZERO);
            case "JwtOptions" -> JwtOptions.defaults().withJwtAllowPlaintext(true);
            case "TalosConfig" -> new TalosConfig(List.of(), List.of());
            case "LogConfig" -> LogConfig.defaults().withLogLevel(LogLevel.WARN);
            default -> throw new AssertionError("no sample for " + type);
        };
    }

    /// So that a mapping that forgot a key cannot pass by giving its default.
    private static void assertDiffersEverywhere(Record mapped, Record defaults) {
        for (RecordComponent component : mapped.getClass().getRecordComponents()) {
            Object value = Records.get(mapped, component);
            if (component.getName().equals("hba")) {
                continue; // cannot be there together with pg_hba: see AccessOptionsTest
            }
            if (component.isAnnotationPresent(Flat.class)) {
                assertDiffersEverywhere((Record) value, (Record) Records.get(defaults, component));
            } else {
                assertThat(value).as(component.getName()).isNotEqualTo(Records.get(defaults, component));
            }
        }
    }

    private static String indented(int blanks, String text) {
        return text.indent(blanks);
    }
}
