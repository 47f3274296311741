package org.pgporter.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.pgporter.auth.Secret;

class InheritanceTest {
    private static final ProxyConfig CONFIG = Yaml.valid("""
            general:
              pool_size: 10
              idle_timeout: "1m"
              application_name: general
              max_db_client_connections: 100
              max_user_client_connections: 50
              startup_parameters: {work_mem: 1MB, geqo: "off"}
              prepared_statements_cache_size: 30
              query_timeout: "30s"
              transaction_timeout: "60s"
              idle_transaction_timeout: "10s"
              client_idle_timeout: "1h"
              max_db_connections: 60
              reserve_pool_size: 3
              min_guaranteed_pool_size: 1
            pools:
              app:
                server_host: /var/run/postgresql
                server_port: 5433
                pool_size: 20
                max_db_connections: 70
                pool_mode: session
                query_timeout: "20s"
                idle_transaction_timeout: "5s"
                client_idle_timeout: 0
                startup_parameters: {work_mem: 2MB}
                users:
                  - {username: plain, password: pw}
                  - username: special
                    password: md500000000000000000000000000000000
                    pool_size: 30
                    min_guaranteed_pool_size: 4
                    pool_mode: statement
                    max_client_connections: 0
                    server_prepared_statements_cache_size: 4
                    query_timeout: 0
                    idle_transaction_timeout: "7s"
                    query_wait_notify: "1s"
                    startup_parameters: {work_mem: 3MB}
                  - {username: mapped, password: pw, server_username: role, server_password: key}
                  - {username: off, password: pw, prepared_statements: false}
              other:
                server_database: real
                max_client_connections: 7
                users:
                  - {username: plain, password: pw}
            """);

    @Test
    void shouldTakeThePoolBeforeGeneral() {
        PoolSettings settings = CONFIG.settings("app", "plain").orElseThrow();
        assertThat(settings.options().poolSize()).isEqualTo(20);
        assertThat(settings.options().poolMode()).isEqualTo(PoolMode.SESSION);
        assertThat(settings.options().idleTimeout()).isEqualTo(Duration.ofMinutes(1));
        assertThat(settings.options().connectTimeout())
                .isEqualTo(PoolOptions.defaults().connectTimeout());
        assertThat(settings.options().applicationName()).contains("general");
        assertThat(settings.options().startupParameters())
                .containsEntry("work_mem", "2MB")
                .containsEntry("geqo", "off");
        assertThat(settings.options().statementCacheSize()).isEqualTo(30);
        assertThat(settings.server())
                .isEqualTo(new ServerAddress.UnixSocket(Path.of("/var/run/postgresql/.s.PGSQL.5433")));
        assertThat(settings.serverDatabase()).isEqualTo("app");
        assertThat(settings.maxDatabaseClients()).isEqualTo(100);
        assertThat(settings.maxUserClients()).isEqualTo(50);
        assertThat(settings.sockets()).isEqualTo(SocketOptions.defaults());
    }

    @Test
    void shouldTakeTheUserBeforeThePool() {
        PoolSettings settings = CONFIG.settings("app", "special").orElseThrow();
        assertThat(settings.options().poolSize()).isEqualTo(30);
        assertThat(settings.options().poolMode()).isEqualTo(PoolMode.STATEMENT);
        assertThat(settings.options().startupParameters())
                .containsEntry("work_mem", "3MB")
                .containsEntry("geqo", "off");
        assertThat(settings.options().statementCacheSize()).isEqualTo(4);
        assertThat(settings.maxUserClients()).isZero();
    }

    /// The user's value, else that of its database, else the global one. A 0 counts, too.
    @Test
    void shouldTakeTimeoutsFromTheUserThenThePoolThenGeneral() { // checklist 117
        assertThat(CONFIG.settings("other", "plain").orElseThrow().options().timeouts())
                .isEqualTo(new TimeoutOptions(
                        Duration.ofSeconds(30),
                        Duration.ofSeconds(60),
                        Duration.ofSeconds(10),
                        Duration.ofHours(1),
                        Duration.ofSeconds(5)));
        assertThat(CONFIG.settings("app", "plain").orElseThrow().options().timeouts())
                .isEqualTo(new TimeoutOptions(
                        Duration.ofSeconds(20),
                        Duration.ofSeconds(60),
                        Duration.ofSeconds(5),
                        Duration.ZERO,
                        Duration.ofSeconds(5)));
        assertThat(CONFIG.settings("app", "special").orElseThrow().options().timeouts())
                .isEqualTo(new TimeoutOptions(
                        Duration.ZERO,
                        Duration.ofSeconds(60),
                        Duration.ofSeconds(7),
                        Duration.ZERO,
                        Duration.ofSeconds(1)));
    }

    @Test
    void shouldRememberNoStatementsWhenTheyAreOff() {
        assertThat(CONFIG.settings("app", "off").orElseThrow().options().statementCacheSize())
                .isZero();
    }

    @Test
    void shouldKnowWhatToLogInWith() {
        assertThat(CONFIG.settings("app", "plain").orElseThrow().serverUser()).isEqualTo("plain");
        assertThat(CONFIG.settings("app", "plain").orElseThrow().serverPassword())
                .contains(Secret.of("pw"));
        assertThat(CONFIG.settings("app", "special").orElseThrow().serverPassword())
                .isEmpty();
        assertThat(CONFIG.settings("app", "mapped").orElseThrow().serverUser()).isEqualTo("role");
        assertThat(CONFIG.settings("app", "mapped").orElseThrow().serverPassword())
                .contains(Secret.of("key"));
    }

    @Test
    void shouldKeepPoolsApart() {
        PoolSettings settings = CONFIG.settings("other", "plain").orElseThrow();
        assertThat(settings.options().poolSize()).isEqualTo(10);
        assertThat(settings.server()).isEqualTo(new ServerAddress.Tcp("127.0.0.1", 5432));
        assertThat(settings.serverDatabase()).isEqualTo("real");
        assertThat(settings.maxDatabaseClients()).isEqualTo(7);
    }

    @Test
    void shouldBeEmptyForWhatIsNotConfigured() {
        assertThat(CONFIG.settings("nowhere", "plain")).isEmpty();
        assertThat(CONFIG.settings("app", "nobody")).isEmpty();
        assertThat(CONFIG.settings("other", "special")).isEmpty();
    }

    @Test
    void shouldFindContradictionsBetweenLevels() {
        assertThat(Yaml.problems("general: {min_pool_size: 5}\n" + Yaml.POOLS + "        pool_size: 3"))
                .containsExactly("pgporter.yaml:7: pools.app.users[0].pool_size: is less than min_pool_size, which is"
                        + " inherited from pools.app: min_pool_size is 5, more than pool_size, which is 3;"
                        + " lower min_pool_size or raise pool_size");
    }

    @Test
    void shouldTakeTheDatabaseBeforeGeneralForWhatItsUsersShare() { // checklist 115
        DatabaseLimits app = CONFIG.settings("app", "plain").orElseThrow().databaseLimits();
        assertThat(app)
                .isEqualTo(CONFIG.settings("app", "special").orElseThrow().databaseLimits());
        assertThat(app.maxDbConnections()).isEqualTo(70);
        assertThat(app.reservePoolSize()).isEqualTo(3);
        assertThat(app.minConnectionLifetime()).isEqualTo(Duration.ofSeconds(30));
        assertThat(app.capped()).isTrue();
        assertThat(CONFIG.settings("other", "plain")
                        .orElseThrow()
                        .databaseLimits()
                        .maxDbConnections())
                .isEqualTo(60);
        assertThat(DatabaseLimits.defaults().capped()).isFalse();
    }

    @Test
    void shouldGuaranteeEachUserItsOwnShare() {
        assertThat(CONFIG.settings("app", "plain").orElseThrow().options().guaranteedSize())
                .isEqualTo(1);
        assertThat(CONFIG.settings("app", "special").orElseThrow().options().guaranteedSize())
                .isEqualTo(4);
        assertThat(PoolOptions.defaults()
                        .withPoolSize(3)
                        .withMinGuaranteedPoolSize(9)
                        .guaranteedSize())
                .isEqualTo(3);
    }

    @Test
    void shouldRefuseToGuaranteeMoreThanThereIs() {
        String users = "users: [{username: a, password: b}, {username: c, password: d, min_guaranteed_pool_size: 4}]";
        assertThat(Yaml.problems(
                        "pools:\n  app:\n    max_db_connections: 5\n    min_guaranteed_pool_size: 2\n    " + users))
                .containsExactly("pgporter.yaml:3: pools.app.max_db_connections: is 5, less than the 6 connections that"
                        + " min_guaranteed_pool_size promises to the users of pools.app;"
                        + " lower min_guaranteed_pool_size or raise max_db_connections");
        assertThat(Yaml.problems("general: {max_db_connections: 3}\npools:\n  app:\n    " + users))
                .singleElement()
                .asString()
                .contains("general.max_db_connections: is 3, less than the 4 connections");
        assertThat(Yaml.valid("pools:\n  app:\n    min_guaranteed_pool_size: 2\n    " + users)
                        .pools())
                .isNotEmpty();
    }

    @Test
    void shouldNotReportWhatFollowsFromABrokenValue() {
        assertThat(Yaml.problems("general: {pool_size: many}\n" + Yaml.POOLS + "    min_pool_size: 50"))
                .singleElement()
                .asString()
                .contains("general.pool_size: must be a whole number");
        assertThat(Yaml.problems(
                        "pools: {app: {pool_size: many, min_pool_size: 50, users: [{username: a, password: b}]}}"))
                .singleElement()
                .asString()
                .contains("pools.app.pool_size: must be a whole number");
    }
}
