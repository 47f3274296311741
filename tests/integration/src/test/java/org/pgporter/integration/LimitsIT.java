package org.pgporter.integration;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.pgporter.auth.credential.StoredCredential;
import org.pgporter.config.UserConfig;
import org.pgporter.protocol.message.ErrorResponse;
import org.pgporter.support.RawClient;

/// How many clients may be there, and that each counts exactly as long as it is there.
class LimitsIT {
    @Test
    void shouldRefuseMoreClientsThanMaxConnections() {
        try (Scene scene = Scene.with(node ->
                node.general(general -> general.withLimits(general.limits().withMaxConnections(2))))) {
            scene.backend();
            RawClient first = scene.client();
            RawClient second = scene.connection();
            second.sendsStartup(Scene.USER, Scene.DATABASE);
            second.expects(org.pgporter.protocol.message.AuthenticationSasl.class);

            RawClient third = scene.connection();
            third.sendsStartup(Scene.USER, Scene.DATABASE);
            assertThat(third.expectsError("53300").message()).isEqualTo("sorry, too many clients already");
            third.expectsClosed();

            // Who is in the middle of his login counts, and who has left does not.
            second.closes();
            freed(scene, 3);
            RawClient fourth = scene.client();
            first.terminates();
            freed(scene, 3);
            scene.client();
            fourth.resets();
        }
    }

    @Test
    void shouldRefuseMoreClientsOfADatabaseThanItTakes() {
        try (Scene scene = Scene.with(node ->
                node.user("shop", "other", Scene.PASSWORD).eachPool(pool -> pool.withMaxClientConnections(1)))) {
            // Each user has a pool with one backend connection.
            scene.backend();
            scene.backend();
            RawClient first = scene.client();

            ErrorResponse error = scene.connection().logsInExpectingError("other", Scene.PASSWORD, "shop");

            assertThat(error.sqlState().code()).isEqualTo("53300");
            assertThat(error.message()).isEqualTo("too many connections for database \"shop\"");
            first.closes();
            scene.node().awaitNothingHeld();
            scene.client();
        }
    }

    @Test
    void shouldRefuseMoreClientsOfAUserThanItMayHave() {
        try (Scene scene = Scene.with(node -> node.user(
                "shop", UserConfig.of("few", StoredCredential.parse("few")).withMaxClientConnections(1)))) {
            scene.backend();
            scene.backend();
            RawClient first = scene.connection().logsIn("few", "few", "shop");

            ErrorResponse error = scene.connection().logsInExpectingError("few", "few", "shop");

            assertThat(error.sqlState().code()).isEqualTo("53300");
            assertThat(error.message()).isEqualTo("too many connections for role \"few\"");
            scene.client();
            scene.client();
            first.closes();
            freed(scene, 6);
            scene.connection().logsIn("few", "few", "shop");
        }
    }

    @Test
    void shouldNotCountFailedLogins() {
        try (Scene scene = Scene.with(node ->
                node.general(general -> general.withLimits(general.limits().withMaxConnections(3))))) {
            scene.backend();
            for (int i = 0; i < 4; i++) {
                scene.connection().logsInExpectingError(Scene.USER, "wrong", Scene.DATABASE);
                scene.connection().logsInExpectingError(Scene.USER, Scene.PASSWORD, "no_such_database");
                scene.connection().logsInExpectingError("nobody", "wrong", Scene.DATABASE);
                RawClient leaving = scene.connection().sendsStartup(Scene.USER, Scene.DATABASE);
                leaving.closes();
                scene.node().awaitNothingHeld();
            }
            assertThat(List.of(scene.client(), scene.client(), scene.client())).hasSize(3);
        }
    }

    /// Each client counts for the node, for its database and for its user.
    private static void freed(Scene scene, int places) {
        org.awaitility.Awaitility.await()
                .until(() -> scene.node().node().holdings().connectionPlaces() <= places);
    }
}
