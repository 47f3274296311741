package org.pgporter.integration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.pgporter.integration.TokenScene.DATABASE;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pgporter.auth.Secret;
import org.pgporter.auth.credential.StoredCredential;
import org.pgporter.config.PoolConfig;
import org.pgporter.config.TalosConfig;
import org.pgporter.config.UserConfig;
import org.pgporter.protocol.message.ErrorResponse;
import org.pgporter.support.OpenIdProvider;
import org.pgporter.support.RawClient;
import org.pgporter.support.TestToken;

/// Tokens for key files: Talos, and single users.
class TalosIT {
    private static final KeyPair KEY = OpenIdProvider.newRsa();

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private static Path folder;

    @SuppressWarnings("NullAway.Init")
    private static TokenScene scene;

    @SuppressWarnings("NullAway.Init")
    private static Path keyFile;

    @SuppressWarnings("NullAway.Init")
    private static TestNode node;

    @BeforeAll
    static void start() throws IOException {
        scene = new TokenScene(folder, "tal");
        keyFile = Files.writeString(folder.resolve("talos-1.pem"), OpenIdProvider.pem(KEY));
        node = builder(keyFile).start();
    }

    private static TestNode.Builder builder(Path file) {
        TestNode.Builder builder = scene.plain().talos(new TalosConfig(List.of(file), List.of(DATABASE, "other")));
        for (String database : List.of(DATABASE, "other")) {
            for (String role : List.of("owner", "read_write", "read_only")) {
                builder.user(
                        database,
                        UserConfig.of(role, StoredCredential.parse("nobody knows"))
                                .withServerLogin(scene.gateway(), Secret.of(TokenScene.PASSWORD)));
            }
        }
        builder.user(
                DATABASE,
                UserConfig.of("tal_robot", StoredCredential.parse("jwt-pkey-fpath:" + file))
                        .withServerLogin(scene.gateway(), Secret.of(TokenScene.PASSWORD)));
        return builder.pool("other", (PoolConfig pool) -> pool.withServerDatabase(DATABASE));
    }

    @AfterAll
    static void stop() {
        node.close();
        scene.close();
    }

    private static TestToken token(String... roles) {
        return TestToken.by(KEY, "talos-1")
                .expiresIn(300)
                .with("clientId", "billing-service")
                .with("resource_access", Map.of("pg:" + DATABASE, Map.of("roles", List.of(roles))));
    }

    private static void assertRefused(String token) {
        ErrorResponse error = scene.isRefused(node, "talos", token);
        assertThat(error.sqlState().code()).isEqualTo("28P01");
        assertThat(error.message()).isEqualTo("password authentication failed for user \"talos\"");
    }

    @Test
    void shouldGoOnAsTheHighestRole() {
        try (RawClient client =
                scene.comes(node, "talos", token("read_only", "read_write").signed())) {
            assertThat(client.query("select current_user, current_setting('application_name')"))
                    .containsExactly(List.of(scene.gateway(), "billing-service"));
            assertThat(node.node().permitsHeld(DATABASE, "read_write")).isEqualTo(1);
            assertThat(node.node().permitsHeld(DATABASE, "owner")).isZero();
        }
    }

    /// In PgDoorman the roles of all databases counted for each.
    @Test
    void shouldTakeTheRoleOfTheRequestedDatabaseOnly() {
        String token = token("read_only")
                .with(
                        "resource_access",
                        Map.of(
                                "pg:" + DATABASE,
                                Map.of("roles", List.of("owner")),
                                "pg:other",
                                Map.of("roles", List.of("read_only"))))
                .signed();
        try (RawClient client = scene.connects(node).logsIn("talos", token, "other")) {
            assertThat(client.query("select 1")).hasSize(1);
            assertThat(node.node().permitsHeld("other", "read_only")).isEqualTo(1);
            assertThat(node.node().permitsHeld("other", "owner")).isZero();
        }
        try (RawClient client = scene.connects(node)) {
            assertThat(client.logsInExpectingError("talos", token("owner").signed(), "other")
                            .sqlState()
                            .code())
                    .isEqualTo("28P01");
        }
    }

    @Test
    void shouldRefuseEverythingElse() {
        assertRefused(token("owner").expiresIn(-1).signed());
        assertRefused(token("owner").without("exp").signed());
        assertRefused(token("owner").without("clientId").signed());
        assertRefused(token("owner").without("resource_access").signed());
        assertRefused(token("owner", "god").signed());
        assertRefused(token("owner").withHeader("kid", "talos-2").signed());
        assertRefused(token("owner").withoutHeader("kid").signed());
        assertRefused(token("owner").withHeader("alg", "PS256").signed());
        assertRefused(token("owner").signedBy(OpenIdProvider.newRsa()).signed());
        assertRefused("secret");
    }

    @Test
    void shouldTakeNoTokenWithoutTls() {
        try (RawClient client = RawClient.connects(node.host(), node.port())) {
            client.sendsStartup("talos", DATABASE);
            client.expectsError("28000");
            client.expectsClosed();
        }
    }

    @Test
    void shouldForgetAKeyWhoseFileIsGone() throws IOException {
        Path file = Files.copy(
                keyFile, Files.createDirectories(folder.resolve("own")).resolve("talos-1.pem"));
        try (TestNode own = builder(file).start()) {
            String token = token("owner").signed();
            scene.comes(own, "talos", token).terminates();
            Files.writeString(file, "broken");
            assertThat(own.node().tokens().reload()).isNotEmpty();
            scene.comes(own, "talos", token).terminates();
            Files.delete(file);
            assertThat(own.node().tokens().reload()).isNotEmpty();
            assertThat(scene.isRefused(own, "talos", token).sqlState().code()).isEqualTo("28P01");
        }
    }

    // ---- seed 000: a key file for one user

    @Test
    void shouldLetAUserInByItsKeyFile() {
        TestToken token = TestToken.by(KEY, "any").expiresIn(300).with("preferred_username", "tal_robot");
        try (RawClient client = scene.comes(node, "tal_robot", token.signed())) {
            assertThat(client.query("select current_user")).containsExactly(List.of(scene.gateway()));
        }
        for (String bad : List.of(
                token.with("preferred_username", "somebody").signed(),
                token.without("preferred_username").signed(),
                TestToken.by(KEY, "any").with("preferred_username", "tal_robot").signed(),
                TestToken.by(OpenIdProvider.newRsa(), "any")
                        .expiresIn(300)
                        .with("preferred_username", "tal_robot")
                        .signed(),
                "jwt-pkey-fpath:" + keyFile)) {
            assertThat(scene.isRefused(node, "tal_robot", bad).sqlState().code())
                    .isEqualTo("28P01");
        }
    }
}
