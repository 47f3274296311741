package org.pgporter.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.pgporter.auth.Secret;

class AuthQueryConfigTest {
    /// PgDoorman's documentation, as it stands there.
    private static final String PASSTHROUGH = """
            pools:
              mydb:
                server_host: "127.0.0.1"
                server_port: 5432
                pool_mode: "transaction"
                auth_query:
                  query: "SELECT passwd FROM pg_shadow WHERE usename = $1"
                  user: "postgres"
                  password: "md5..."
                  database: "postgres"
                  cache_ttl: "1h"
                  cache_failure_ttl: "30s"
            """;

    private static final String DEDICATED = """
            pools:
              mydb:
                server_host: "127.0.0.1"
                server_port: 5432
                pool_mode: "transaction"
                auth_query:
                  query: "SELECT passwd FROM pg_shadow WHERE usename = $1"
                  user: "auth_lookup"
                  password: "md5..."
                  database: "postgres"
                  server_user: "app"
                  server_password: "md5..."
                  pool_size: 40
                  min_pool_size: 5
                  cache_ttl: "1h"
            """;

    @Test
    void shouldGiveEachUserAPoolOfItsOwn() {
        // When
        ProxyConfig config = valid(PASSTHROUGH);
        PoolSettings settings =
                config.foundByLookup("mydb", "alice", Map.of("work_mem", "8MB")).orElseThrow();

        // Then
        assertThat(config.settings("mydb", "alice")).isEmpty();
        assertThat(settings.kind()).isEqualTo(PoolKind.DYNAMIC);
        assertThat(settings.user()).isEqualTo("alice");
        assertThat(settings.serverUser()).isEqualTo("alice");
        assertThat(settings.serverPassword()).isEmpty();
        assertThat(settings.serverDatabase()).isEqualTo("mydb");
        assertThat(settings.options().poolSize()).isEqualTo(40);
        assertThat(settings.options().startupParameters()).containsExactly(Map.entry("work_mem", "8MB"));
    }

    @Test
    void shouldLetAllUsersShareThePoolOfTheServerUser() {
        // When
        ProxyConfig config = valid(DEDICATED);
        PoolSettings alice =
                config.foundByLookup("mydb", "alice", Map.of("work_mem", "8MB")).orElseThrow();
        PoolSettings bob = config.foundByLookup("mydb", "bob", Map.of()).orElseThrow();

        // Then
        assertThat(alice).isEqualTo(bob);
        assertThat(alice.kind()).isEqualTo(PoolKind.SHARED);
        assertThat(alice.user()).isEqualTo("app");
        assertThat(alice.serverUser()).isEqualTo("app");
        assertThat(alice.serverPassword()).contains(Secret.of("md5..."));
        assertThat(alice.options().minPoolSize()).isEqualTo(5);
    }

    /// CVE-2025-12819 of PgBouncer: a search_path from elsewhere decided which table the lookup read.
    @Test
    void shouldLookUpWithNothingThatAPoolOrAUserWishes() { // checklist 18
        // Given
        ProxyConfig config =
                valid(DEDICATED.replace("    pool_mode", "    startup_parameters: {search_path: evil}\n    pool_mode")
                        + "    max_db_connections: 1\n");

        // When
        PoolSettings lookups = config.lookupSettings("mydb").orElseThrow();

        // Then
        assertThat(lookups.kind()).isEqualTo(PoolKind.LOOKUP);
        assertThat(lookups.serverUser()).isEqualTo("auth_lookup");
        assertThat(lookups.serverDatabase()).isEqualTo("postgres");
        assertThat(lookups.options().poolSize()).isEqualTo(2);
        assertThat(lookups.options().startupParameters())
                .containsOnlyKeys("client_encoding", "DateStyle", "TimeZone", "application_name");
        assertThat(lookups.databaseLimits().capped()).isFalse();
    }

    @Test
    void shouldHaveNothingForDatabasesWithoutLookups() {
        ProxyConfig config = Yaml.valid(Yaml.POOLS);
        assertThat(config.foundByLookup("app", "bob", Map.of())).isEmpty();
        assertThat(config.lookupSettings("app")).isEmpty();
    }

    @Test
    void shouldReadTheCatalogWithoutAQuery() {
        AuthQueryConfig config = Yaml.valid("pools: {app: {auth_query: {user: finder}}}")
                .pool("app")
                .flatMap(PoolConfig::authQuery)
                .orElseThrow();
        assertThat(config).isEqualTo(AuthQueryConfig.of("finder"));
        assertThat(config.effectiveQuery()).contains("pg_catalog.pg_authid", "rolvaliduntil", "$1");
        assertThat(config.options().cacheTtl()).isEqualTo(Duration.ofHours(1));
    }

    @ParameterizedTest
    @CsvSource({
        "'{query: select $1}', 'user: is missing'",
        "'{user: \"\"}', 'user: must not be empty'",
        "'{user: a, query: select 1}', 'query: has no $1'",
        "'{user: a, server_password: b}', 'server_password: is there without server_user'",
        "'{user: a, workers: 0}', 'workers: must be at least 1'",
        "'{user: a, cache_size: 0}', 'cache_size: must be at least 1'",
        "'{user: a, pool_size: 2, min_pool_size: 3}', 'min_pool_size: is 3, more than pool_size'",
        "'{user: a, lookup_timeout: 0}', 'lookup_timeout: must be longer than 0'",
    })
    void shouldSayWhatIsWrong(String section, String problem) {
        assertThat(Yaml.problems("pools: {app: {users: [{username: u, password: p}], auth_query: " + section + "}}"))
                .singleElement()
                .asString()
                .startsWith("pgporter.yaml:1: pools.app.auth_query." + problem);
    }

    @Test
    void shouldWarnOfSecondsThatAreMilliseconds() {
        assertThat(warnings("pools: {app: {auth_query: {user: a, cache_ttl: 3600}}}"))
                .singleElement()
                .asString()
                .contains("pools.app.auth_query.cache_ttl", "3600 means milliseconds");
        assertThat(warnings("pools: {app: {auth_query: {user: a, cache_ttl: 3600000, cache_failure_ttl: 5000}}}"))
                .isEmpty();
    }

    /// CVE-2025-2291 of PgBouncer.
    @Test
    void shouldWarnOfAQueryThatForgetsValidity() {
        assertThat(warnings(PASSTHROUGH)).singleElement().asString().contains("VALID UNTIL");
        assertThat(warnings(PASSTHROUGH.replace("passwd", "passwd, valuntil"))).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "work_mem, 1MB, true",
        "app.tenant, x, true",
        "role, postgres, false",
        "Session_Authorization, postgres, false",
        "user, postgres, false",
        "replication, database, false",
        "options, -c role=postgres, false",
        "_pq_.x, y, false",
        "'a b', y, false",
        "'', y, false",
    })
    void shouldTakeOnlySettingsThatChangeNobodysRole(String name, String value, boolean allowed) {
        assertThat(AuthQueryConfig.allowsStartupParameter(name, value)).isEqualTo(allowed);
    }

    @Test
    void shouldTakeNoZeroByteIntoTheStartupPacket() {
        assertThat(AuthQueryConfig.allowsStartupParameter("a", "b\0user\0postgres"))
                .isFalse();
    }

    private static ProxyConfig valid(String yaml) {
        return ProxyConfigLoader.parse(yaml, "pgporter.yaml", _ -> Optional.empty()) instanceof Loaded.Valid valid
                ? valid.config()
                : Yaml.valid(yaml);
    }

    private static List<ConfigProblem> warnings(String yaml) {
        return ProxyConfigLoader.parse(yaml, "pgporter.yaml", _ -> Optional.empty()) instanceof Loaded.Valid valid
                ? valid.warnings()
                : List.of(new ConfigProblem("", 0, "", "is not valid", ""));
    }
}
