package org.pgporter.integration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.pgporter.integration.TokenScene.DATABASE;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.pgporter.config.IssuerConfig;
import org.pgporter.config.NameRuleConfig;
import org.pgporter.config.PoolMode;
import org.pgporter.protocol.message.ErrorResponse;
import org.pgporter.support.RawClient;

/// As whom people with tokens come to PostgreSQL.
class TokenRolesIT {
    @TempDir
    @SuppressWarnings("NullAway.Init")
    private static Path folder;

    @SuppressWarnings("NullAway.Init")
    private static TokenScene scene;

    @BeforeAll
    static void start() {
        scene = new TokenScene(folder, "role");
        scene.postgres.sql(
                "drop role if exists role_analyst, role_writer, role_stranger",
                "create role role_analyst nologin",
                "create role role_writer nologin",
                "create role role_stranger nologin",
                "grant role_analyst, role_writer to " + scene.gateway(),
                "create or replace function role_hides() returns void language plpgsql as"
                        + " 'begin execute ''set role role_writer''; end'",
                "create table if not exists role_items (id int)",
                "grant all on role_items to role_writer, role_analyst");
    }

    @AfterAll
    static void stop() {
        scene.close();
    }

    private static TestNode node(UnaryOperator<IssuerConfig> change, PoolMode mode) {
        return scene.node(change)
                .pools(pools -> pools.withPoolMode(mode).withPoolSize(1))
                .start();
    }

    private static UnaryOperator<IssuerConfig> role(String role) {
        return it -> it.withUsers(it.users().withRole(role));
    }

    private static RawClient alice(TestNode node) {
        return scene.comes(node, "alice", scene.provider.token("alice").signed());
    }

    private static String role(RawClient client) {
        return client.query("select current_user").getFirst().getFirst();
    }

    @ParameterizedTest
    @EnumSource(
            value = PoolMode.class,
            names = {"SESSION", "TRANSACTION"})
    void shouldReturnToTheRoleByEveryReset(PoolMode mode) {
        try (TestNode node = node(role("role_analyst"), mode);
                RawClient client = alice(node)) {
            assertThat(role(client)).isEqualTo("role_analyst");
            for (String reset : List.of("reset role", "reset all", "discard all", "reset session authorization")) {
                client.query(reset);
                assertThat(role(client)).as(reset).isEqualTo("role_analyst");
            }
            client.query("set role role_writer");
            for (String reset : List.of("reset role", "discard all")) {
                client.query("set role role_writer");
                client.query(reset);
                assertThat(role(client)).as(reset).isEqualTo("role_analyst");
            }
        }
    }

    /// SET ROLE is not forbidden, and so no boundary; but what one session has taken on must not reach the
    /// next one.
    @ParameterizedTest
    @ValueSource(
            strings = {
                "set role role_writer",
                "set role none",
                "select set_config('role', 'none', false)",
                "do $$ begin execute 'set role role_writer'; end $$",
                "select role_hides()",
                "begin; set role role_writer; commit"
            })
    void shouldNotLeaveAnotherRoleToTheNextSession(String escape) {
        for (PoolMode mode : List.of(PoolMode.SESSION, PoolMode.TRANSACTION)) {
            try (TestNode node = node(role("role_analyst"), mode)) {
                List<List<String>> backend;
                try (RawClient first = alice(node)) {
                    backend = first.query("select pg_backend_pid()");
                    first.query(escape);
                    first.terminates();
                }
                try (RawClient next = alice(node)) {
                    assertThat(next.query("select pg_backend_pid(), current_user, session_user"))
                            .as("%s in %s", escape, mode)
                            .containsExactly(List.of(backend.getFirst().getFirst(), "role_analyst", scene.gateway()));
                }
            }
        }
    }

    @Test
    void shouldKeepWhatASessionHasTakenOnWhileItLasts() {
        try (TestNode node = node(role("role_analyst"), PoolMode.TRANSACTION);
                RawClient one = alice(node);
                RawClient other = alice(node)) {
            one.query("set role role_writer");
            assertThat(role(other)).isEqualTo("role_analyst");
            assertThat(role(one)).isEqualTo("role_writer");
            assertThat(role(other)).isEqualTo("role_analyst");
        }
    }

    /// A role that cannot be taken on closes the door: nobody goes on as who logs in.
    @ParameterizedTest
    @ValueSource(strings = {"role_stranger", "role_that_is_not_there"})
    void shouldCloseTheDoorWithoutTheRole(String role) {
        try (TestNode node = node(role(role), PoolMode.TRANSACTION)) {
            ErrorResponse error =
                    scene.isRefused(node, "alice", scene.provider.token("alice").signed());
            assertThat(error.sqlState().code()).as(error.message()).isIn("42501", "22023", "42704");
            assertThat(error.fields()).containsEntry('S', "FATAL");
        }
    }

    @Test
    void shouldTakeTheRoleFromAClaim() {
        UnaryOperator<IssuerConfig> byGroup = it -> it.withUsers(it.users()
                .withRoleClaim("realm.groups")
                .withRoleMap(List.of(
                        new NameRuleConfig("db-writer", Optional.of("role_writer")),
                        new NameRuleConfig("db-(analyst)", Optional.of("role_\\1")))));
        try (TestNode node = node(byGroup, PoolMode.TRANSACTION);
                RawClient ada = comes(node, "ada", List.of("staff", "db-analyst"));
                RawClient bob = comes(node, "bob", List.of("db-analyst", "db-writer"))) {
            assertThat(role(ada)).isEqualTo("role_analyst");
            assertThat(role(bob)).isEqualTo("role_writer");
            // Another role, another connection, also for the same person.
            try (RawClient again = comes(node, "ada", List.of("db-writer"))) {
                assertThat(role(again)).isEqualTo("role_writer");
                assertThat(role(ada)).isEqualTo("role_analyst");
            }
            for (Object groups : List.of(List.of("staff"), List.of(), "pg_read_all_data", 7)) {
                assertThat(scene.isRefused(
                                        node,
                                        "carol",
                                        scene.provider
                                                .token("carol")
                                                .with("realm", Map.of("groups", groups))
                                                .signed())
                                .sqlState()
                                .code())
                        .as("%s", groups)
                        .isEqualTo("28P01");
            }
        }
    }

    private static RawClient comes(TestNode node, String user, Object groups) {
        return scene.comes(
                node,
                user,
                scene.provider
                        .token(user)
                        .with("realm", Map.of("groups", groups))
                        .signed());
    }

    /// A claim that is a role by itself must not be one that the configuration alone may give.
    @ParameterizedTest
    @ValueSource(strings = {"none", "pg_read_all_data", "role_analyst\u200b", "", "role_analyst "})
    void shouldNotTakeAnyClaimForARole(String claim) {
        try (TestNode node = node(it -> it.withUsers(it.users().withRoleClaim("role")), PoolMode.TRANSACTION)) {
            assertThat(scene.isRefused(
                                    node,
                                    "alice",
                                    scene.provider
                                            .token("alice")
                                            .with("role", claim)
                                            .signed())
                            .sqlState()
                            .code())
                    .isEqualTo("28P01");
        }
    }

    @Test
    void shouldBeginTransactionsAsReadOnly() {
        try (TestNode node = node(
                        it -> it.withUsers(it.users().withRole("role_writer").withReadOnly(true)),
                        PoolMode.TRANSACTION);
                RawClient client = alice(node)) {
            assertThat(client.queryExpectingError("insert into role_items values (1)")
                            .sqlState()
                            .code())
                    .isEqualTo("25006");
            client.query("discard all");
            assertThat(client.query("show default_transaction_read_only")).containsExactly(List.of("on"));
            assertThat(client.query("select count(*) from role_items")).hasSize(1);
        }
    }

    @Test
    void shouldNotOpenAWalsenderForWhoIsBoundToARole() {
        try (TestNode node = node(role("role_analyst"), PoolMode.TRANSACTION);
                RawClient client = scene.connects(node)) {
            assertThat(client.logsInExpectingError(
                                    "alice",
                                    scene.provider.token("alice").signed(),
                                    DATABASE,
                                    "replication",
                                    "database")
                            .sqlState()
                            .code())
                    .isEqualTo("42501");
        }
    }
}
