package org.pgporter.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ProxyConfigLoaderTest {
    @Test
    void shouldNameFileLineKeyAndNearestKey() {
        assertThat(Yaml.problems("general:\n  port: 1\n  pool_sise: 4\n" + Yaml.POOLS))
                .containsExactly("pgporter.yaml:3: general.pool_sise: unknown key; did you mean general.pool_size?");
    }

    @Test
    void shouldNotGuessWhenNothingIsNear() {
        assertThat(Yaml.problems("general: {colour: red}\n" + Yaml.POOLS))
                .containsExactly("pgporter.yaml:1: general.colour: unknown key");
    }

    @Test
    void shouldSayWhereAMisplacedKeyBelongs() {
        assertThat(Yaml.problems("cluster: {max_connections: 5}\n" + Yaml.POOLS))
                .containsExactly(
                        "pgporter.yaml:1: cluster.max_connections: unknown key; it belongs in section general");
    }

    @Test
    void shouldListEveryMistakeInTheOrderOfTheFile() {
        // When
        List<String> problems = Yaml.problems("""
                generel: {}
                general:
                  port: 70000
                  pool_size: 0
                  pool_mode: transactional
                  io: [epoll]
                  so_reuseport: yes
                  idle_timeout: soon
                  tcp_socket_buffer_size: 1T
                  unix_socket_mode: "4755"
                pools:
                  app:
                    users:
                      - password: x
                      - username: bob
                  empty:
                """);

        // Then
        assertThat(problems)
                .containsExactly(
                        "pgporter.yaml:1: generel: unknown key; did you mean general?",
                        "pgporter.yaml:3: general.port: must be from 0 to 65535, was 70000",
                        "pgporter.yaml:4: general.pool_size: must be at least 1, was 0",
                        "pgporter.yaml:5: general.pool_mode: must be one of session, transaction, statement,"
                                + " was `transactional`",
                        "pgporter.yaml:6: general.io: must be a single value",
                        "pgporter.yaml:7: general.so_reuseport: must be true or false, was `yes`",
                        "pgporter.yaml:8: general.idle_timeout: must be a duration such as \"250ms\", \"5s\", \"10m\","
                                + " \"1h\" or \"2d\", or milliseconds, up to 240d, was `soon`",
                        "pgporter.yaml:9: general.tcp_socket_buffer_size: must be a size such as 65536, \"64K\" or"
                                + " \"1MB\", was `1T`",
                        "pgporter.yaml:10: general.unix_socket_mode: must be three octal digits such as \"0600\","
                                + " was `4755`",
                        "pgporter.yaml:14: pools.app.users[0].username: is missing",
                        "pgporter.yaml:14: pools.app.users[0].password: is missing; or set auth_pam_service, issuer, or rules in"
                                + " general.pg_hba that do not ask for one",
                        "pgporter.yaml:16: pools.empty.users: must have at least one user, or nobody can log in;"
                                + " add `users: [{username: ..., password: ...}]` or auth_query");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "general: {max_connections: 0} | general.max_connections: must be at least 1, was 0",
                "general: {max_connections: 99999999999} | general.max_connections: must be from -2147483648 to",
                "general: {max_connections: 1.5} | general.max_connections: must be a whole number, was `1.5`",
                "general: {backlog: -1} | general.backlog: must be at least 0, was -1",
                "general: {loop_held_threshold: 9} | general.loop_held_threshold: must be 0 or at least 10ms, was 9ms",
                "general: {worker_threads: 2000} | general.worker_threads: must be from 0 to 1024, was 2000",
                "general: {connect_timeout: 0} | general.connect_timeout: must be longer than 0",
                "general: {client_login_timeout: 0} | general.client_login_timeout: must be longer than 0",
                "general: {idle_timeout: -5s} | general.idle_timeout: must be a duration",
                "general: {idle_timeout: 99999999999d} | general.idle_timeout: must be a duration",
                "general: {tcp_keepalives_idle: 1500ms} | general.tcp_keepalives_idle: must be whole seconds",
                "general: {tcp_keepalives_count: 200} | general.tcp_keepalives_count: must be from 0 to 127",
                "general: {tcp_so_linger: 70000} | general.tcp_so_linger: must be from 0 to 65535",
                "general: {tcp_user_timeout: 30d} | general.tcp_user_timeout: must be at most 24d",
                "general: {tcp_socket_buffer_size: 4G} | general.tcp_socket_buffer_size: must be below 2G",
                "general: {unix_socket_dir: run} | general.unix_socket_dir: must be an absolute path, was run",
                "general: {host: '0.0.0.0,'} | general.host: must be an address",
                "general: {pool_size: } | general.pool_size: has no value",
                "general: {pool_size: !big 5} | general.pool_size: has a YAML tag",
                "general: {prepared_statements_cache_size: 0} | general.prepared_statements_cache_size: must be at",
                "general: {startup_parameters: {Role: x}} | general.startup_parameters.Role: is set by PgPorter itself",
                "general: {startup_parameters: {_pq_.x: y}} | general.startup_parameters._pq_.x: is set by PgPorter",
                "general: {startup_parameters: [a]} | general.startup_parameters: must be a section with keys",
                "general: 5 | general: must be a section with keys",
                "general: {? [a] : b} | general: has a key that is not a word",
                "cluster: {node_index: 1024} | cluster.node_index: must be from 0 to 1023, was 1024",
                "cluster: {name: 'a b'} | cluster.name: must be 1 to 63 letters",
                "cluster: {seed_nodes: ['host']} | cluster.seed_nodes[0]: must be `host:port`",
                "cluster: {seed_nodes: ['host:70000']} | cluster.seed_nodes[0]: must be `host:port`",
                "cluster: {seed_nodes: host} | cluster.seed_nodes: must be a list",
            })
    void shouldRefuse(String section, String expected) {
        assertThat(Yaml.problems(section + "\n" + Yaml.POOLS))
                .singleElement()
                .satisfies(problem -> assertThat(problem).startsWith("pgporter.yaml:1: " + expected));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "server_port: 0 | server_port: must be from 1 to 65535, was 0",
                "server_host: '' | server_host: must not be empty",
                "server_database: ' ' | server_database: must not be empty",
                "max_client_connections: -1 | max_client_connections: must be at least 0, was -1",
                "min_pool_size: 41 | min_pool_size: is 41, more than pool_size, which is 40",
            })
    void shouldRefuseInAPool(String key, String expected) {
        assertThat(Yaml.problems(Yaml.POOLS + "    " + key))
                .singleElement()
                .satisfies(problem -> assertThat(problem).startsWith("pgporter.yaml:6: pools.app." + expected));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "password: '' | password: is empty",
                "password: md5abc | password: begins as a hash of PostgreSQL does and is none",
                "password: SCRAM-SHA-256$4096:x | password: begins as a hash of PostgreSQL does and is none",
                "password: 'jwt-pkey-fpath:' | password: begins as a hash of PostgreSQL does and is none: a path must follow",
                "password: 'jwt-priv-key-fpath:/key.pem' | password: names a key file for tokens",
                "issuer: nobody | issuer: names no section of issuers",
                "{password: x, server_password: 'SCRAM-SHA-256$1:a$b:c'} | server_password: is a SCRAM secret",
                "{password: x, server_password: 'jwt-priv-key-fpath:/k'} | server_password: names a key file",
                "{password: x, server_password: ''} | server_password: is empty",
                "{password: x, server_username: ''} | server_username: must not be empty",
            })
    void shouldRefuseInAUser(String keys, String expected) {
        String user = keys.startsWith("{") ? keys.substring(1, keys.length() - 1) : keys;
        assertThat(Yaml.problems("pools: {app: {users: [{username: bob, " + user + "}]}}"))
                .singleElement()
                .satisfies(
                        problem -> assertThat(problem).startsWith("pgporter.yaml:1: pools.app.users[0]." + expected));
    }

    @Test
    void shouldRefuseAUserThatIsThereTwice() {
        assertThat(Yaml.problems(Yaml.POOLS + "      - {username: alice, password: x}"))
                .containsExactly("pgporter.yaml:6: pools.app.users[1].username: user alice is there twice;"
                        + " remove one of the two");
    }

    @Test
    void shouldRefuseAKeyThatIsThereTwice() {
        assertThat(Yaml.problems("general:\n  port: 1\n  port: 2\n" + Yaml.POOLS))
                .containsExactly("pgporter.yaml:3: general.port: is there twice; remove one of the two");
    }

    @Test
    void shouldRefuseAnIncomingSocketWhosePathIsTooLong() {
        assertThat(Yaml.problems("general: {unix_socket_dir: /" + "x".repeat(100) + "}\n" + Yaml.POOLS))
                .singleElement()
                .asString()
                .contains("general.unix_socket_dir: is too long", "107");
    }

    @ParameterizedTest
    @ValueSource(strings = {"general: {port: 5}", "pools: {}", "pools:"})
    void shouldRefuseAConfigurationWithoutPools(String yaml) {
        assertThat(Yaml.problems(yaml))
                .singleElement()
                .asString()
                .startsWith("pgporter.yaml:")
                .contains(" pools: ");
    }

    @ParameterizedTest
    @CsvSource({
        "general, web",
        "general, patroni_api_urls",
        "general, max_memory_usage",
        "general, scaling_fast_retries",
    })
    void shouldSayThatAKeyOfPgDoormanIsNotSupported(String section, String key) {
        assertThat(Yaml.problems(section + ": {" + key + ": x}\n" + Yaml.POOLS))
                .singleElement()
                .asString()
                .startsWith("pgporter.yaml:1: " + section + "." + key + ": is not supported by this version");
    }

    @Test
    void shouldSayThatSectionsAndKeysOfPoolsAndUsersAreNotSupported() {
        assertThat(Yaml.problems("web: {enabled: true}\npools: {app: {patroni_api_urls: [x], users: [{username: a,"
                        + " password: b}]}}"))
                .containsExactly(
                        "pgporter.yaml:1: web: is not supported by this version; remove it",
                        "pgporter.yaml:2: pools.app.patroni_api_urls: is not supported by this version; remove it");
    }

    @ParameterizedTest
    @ValueSource(strings = {"pgporter", "pgbouncer", "pgdoorman"})
    void shouldKeepTheNamesOfTheConsoleForTheConsole(String name) {
        assertThat(Yaml.problems("pools: {" + name + ": {users: [{username: a, password: b}]}}"))
                .singleElement()
                .asString()
                .startsWith("pgporter.yaml:1: pools." + name + ": is a name of the console");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "admin_username: a                  | general.admin_password: is missing",
                "admin_password: a                  | general.admin_username: is missing",
                "admin_users: 'a,,b'                | general.admin_users: must be user names",
                "stats_users: [a, b, a]             | general.stats_users: has a user twice",
                "admin_reserved_connections: -1     | general.admin_reserved_connections: must be at least 0",
                "admin_users: {a: b}                | general.admin_users: must be a list",
            })
    void shouldRefuseAConsoleThatIsNotMeantSo(String key, String problem) {
        assertThat(Yaml.problems("general: {" + key + "}\n" + Yaml.POOLS))
                .singleElement()
                .asString()
                .contains(problem);
    }

    @Test
    void shouldWantToKnowWhatAUserMustProve() {
        assertThat(Yaml.problems("pools: {app: {users: [{username: a}]}}"))
                .containsExactly(
                        "pgporter.yaml:1: pools.app.users[0].password: is missing; or set auth_pam_service, issuer, or rules in"
                                + " general.pg_hba that do not ask for one");
        assertThat(Yaml.valid("pools: {app: {users: [{username: a, auth_pam_service: login}]}}")
                        .pool("app")
                        .flatMap(pool -> pool.user("a"))
                        .flatMap(UserConfig::authPamService))
                .contains("login");
    }

    @Test
    void shouldIgnoreWhatOnlyTunesPgDoormanButSaySo() {
        assertThat(Yaml.warnings("general:\n  tokio_event_interval: 5\n" + Yaml.POOLS))
                .containsExactly(
                        "pgporter.yaml:2: general.tokio_event_interval: has no meaning here and is ignored; remove it");
    }

    @Test
    void shouldWarnOfMillisecondsThatMayBeMeantAsSeconds() {
        assertThat(Yaml.warnings("general: {idle_timeout: 5, tcp_keepalives_idle: 5}\n" + Yaml.POOLS))
                .containsExactly("pgporter.yaml:1: general.idle_timeout: 5 means milliseconds;"
                        + " write \"5ms\" or \"5s\" to say which you mean");
    }

    @Test
    void shouldWarnOfAServerRoleWithoutPassword() {
        assertThat(Yaml.warnings(Yaml.POOLS + "        server_username: reader"))
                .containsExactly("pgporter.yaml:6: pools.app.users[0].server_username: has no server_password,"
                        + " so the backend must trust this role; add server_password");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "general:\n\tport: 5",
                "general: {port: 5",
                "general: 'x",
                "a: b: c",
                "general: @x",
                "general: *x",
                "---\na: b\n---\nc: d",
                "a: b\n- c"
            })
    void shouldPointAtBrokenYaml(String yaml) {
        assertThat(Yaml.problems(yaml)).singleElement().asString().matches("pgporter.yaml:[1-4]: broken YAML: .+");
    }

    @Test
    void shouldRefuseAbsurdNesting() {
        assertThat(Yaml.problems("[".repeat(200_000)))
                .singleElement()
                .asString()
                .startsWith("pgporter.yaml");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "# nothing\n", "---\n"})
    void shouldRefuseAnEmptyFile(String yaml) {
        assertThat(Yaml.problems(yaml)).hasSize(1);
    }

    @Test
    void shouldResolveReferences(@TempDir Path folder) throws IOException {
        // Given
        Files.writeString(folder.resolve("host.txt"), "db.example\n");
        String yaml = "general: {host: '${env:ADDRESS}', port: '${env:PORT}', application_name: 'a$${b}$c'}\n"
                + Yaml.POOLS + "    server_host: '${file:host.txt}'";
        Path file = folder.resolve("pgporter.yaml");

        // When
        Loaded loaded = ProxyConfigLoader.parse(
                yaml,
                file.toString(),
                name -> Optional.ofNullable(
                        Map.of("ADDRESS", "${env:PORT}", "PORT", "77").get(name)));

        // Then
        assertThat(loaded).isInstanceOfSatisfying(Loaded.Valid.class, valid -> {
            assertThat(valid.config().general().listener().port()).isEqualTo(77);
            assertThat(valid.config().general().listener().host()).isEqualTo("${env:PORT}");
            assertThat(valid.config().general().pools().applicationName()).contains("a${b}$c");
            assertThat(valid.config().pool("app").orElseThrow().serverHost()).isEqualTo("db.example");
        });
    }

    @Test
    void shouldNameReferencesThatCannotBeResolved(@TempDir Path folder) throws IOException {
        Files.write(folder.resolve("latin1"), "ä".getBytes(StandardCharsets.ISO_8859_1));
        assertThat(Yaml.problems("general: {host: '${env:NOWHERE}', application_name: '${vault:x}'}\ncluster: {host:"
                        + " '${file:/no/such/file}', name: '${file:" + folder.resolve("latin1") + "}'}\n" + Yaml.POOLS))
                .containsExactlyInAnyOrder(
                        "pgporter.yaml:1: general.host: needs the environment variable NOWHERE, which is not set",
                        "pgporter.yaml:1: general.application_name: has `${` without `env:NAME}`, `file:PATH}` or `secret:NAME}` after"
                                + " it; write `$${` for the characters `${`",
                        "pgporter.yaml:2: cluster.host: needs the file /no/such/file, which does not exist",
                        "pgporter.yaml:2: cluster.name: needs the file " + folder.resolve("latin1")
                                + ", which is not UTF-8 text");
    }

    @Test
    void shouldSayWhyAFileCannotBeRead(@TempDir Path folder) throws IOException {
        Path missing = folder.resolve("missing.yaml");
        Path binary = folder.resolve("binary.yaml");
        Files.write(binary, new byte[] {(byte) 0xff, (byte) 0xfe, 0});
        assertThat(problemsOf(missing)).containsExactly(missing + ": the file does not exist");
        assertThat(problemsOf(folder)).containsExactly(folder + ": is a directory; name the file");
        assertThat(problemsOf(binary)).containsExactly(binary + ": is not UTF-8 text");
    }

    @Test
    void shouldKeepEachProblemOnOneLine() {
        assertThat(Yaml.problems("general: {\"po\\nrt\\e[2J\": 5}\npools: {\"a\\nb\": {users: 7}}"))
                .allSatisfy(problem -> assertThat(problem).doesNotContain("\n", "\u001b"));
    }

    @Test
    void shouldRefuseTheSameInRecordsBuiltByHand() {
        assertThatThrownBy(() -> PoolOverrides.none().withPoolSize(0))
                .isInstanceOf(ConfigException.class)
                .hasMessage("pool_size: must be at least 1, was 0");
        assertThatThrownBy(() -> ProxyConfig.of("app", PoolConfig.defaults()))
                .isInstanceOf(ConfigException.class)
                .hasMessageStartingWith("pools.app.users: must have at least one user");
    }

    private static List<String> problemsOf(Path file) {
        return ((Loaded.Invalid) ProxyConfigLoader.load(file))
                .problems().stream().map(ConfigProblem::toString).toList();
    }
}
