package org.pgporter.integration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.pgporter.support.BackendMessages.authenticationOk;
import static org.pgporter.support.BackendMessages.authenticationSasl;
import static org.pgporter.support.BackendMessages.fatalResponse;
import static org.pgporter.support.BackendMessages.noticeResponse;

import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.pgporter.auth.Secret;
import org.pgporter.auth.credential.StoredCredential;
import org.pgporter.config.UserConfig;
import org.pgporter.protocol.message.AuthenticationSaslContinue;
import org.pgporter.protocol.message.ErrorResponse;
import org.pgporter.protocol.message.SaslInitialResponse;
import org.pgporter.support.PostgresMajor;
import org.pgporter.support.RawClient;
import org.pgporter.support.ScriptedServer;
import org.pgporter.support.ServerConversation;
import org.pgporter.support.TestPostgres;

/// Who may come in, and how the node itself comes in at the backend.
class AuthenticationIT {
    private static final String PASSWORD = "correct horse";

    private static TestNode md5;
    private static TestNode scram;

    @BeforeAll
    static void start() {
        TestPostgres postgres = TestPostgres.shared();
        postgres.createUser("auth_md5", PASSWORD, "md5");
        postgres.createUser("auth_scram", PASSWORD, "scram-sha-256");
        md5 = nodeOf(postgres, "auth_md5");
        scram = nodeOf(postgres, "auth_scram");
    }

    private static TestNode nodeOf(TestPostgres postgres, String user) {
        return TestNode.inFrontOf(postgres.host(), postgres.port())
                .user("postgres", user, postgres.secretOf(user))
                .start();
    }

    @AfterAll
    static void stop() {
        md5.close();
        scram.close();
    }

    // ---- clients --------------------------------------------------------------------------------------------

    @ParameterizedTest
    @ValueSource(strings = {"auth_md5", "auth_scram"})
    void shouldLetInWithTheRightPassword(String user) {
        try (RawClient client = connection(user)) {
            client.logsIn(user, PASSWORD, "postgres");
            assertThat(client.query("select current_user")).containsExactly(List.of(user));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"auth_md5", "auth_scram"})
    void shouldSendUnknownUsersDownTheSameRoad(String user) {
        try (RawClient known = connection(user);
                RawClient unknown = connection(user);
                RawClient elsewhere = connection(user)) {
            ErrorResponse wrong = known.logsInExpectingError(user, "wrong", "postgres");
            ErrorResponse nobody = unknown.logsInExpectingError("nobody", "wrong", "postgres");
            ErrorResponse nowhere = elsewhere.logsInExpectingError("nobody", "wrong", "no_such_database");

            assertThat(wrong.sqlState().code()).isEqualTo("28P01");
            assertThat(nobody.fields())
                    .isEqualTo(wrong.with('M', wrong.message().replace(user, "nobody"))
                            .fields());
            assertThat(nowhere).isEqualTo(nobody);
            assertThat(kinds(unknown)).isEqualTo(kinds(known));
            assertThat(kinds(elsewhere)).isEqualTo(kinds(known));
            known.expectsClosed();
            unknown.expectsClosed();
        }
    }

    @Test
    void shouldShowAnUnknownUserTheSameSaltEveryTime() {
        assertThat(saltShownTo("nobody")).isEqualTo(saltShownTo("nobody")).isNotEqualTo(saltShownTo("somebody"));
    }

    private static String saltShownTo(String user) {
        try (RawClient client = connection("auth_scram")) {
            client.sendsStartup(user, "postgres");
            client.expects(org.pgporter.protocol.message.AuthenticationSasl.class);
            client.sends(new SaslInitialResponse(
                    "SCRAM-SHA-256",
                    java.util.Optional.of(
                            org.pgporter.protocol.message.Bytes.ofText("n,,n=,r=abcdefghijklmnopqrstuvwx"))));
            String first =
                    client.expects(AuthenticationSaslContinue.class).data().toText();
            return first.substring(first.indexOf(",s="));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"auth_md5", "auth_scram"})
    void shouldTellAnUnknownDatabaseOnlyToWhoHasProvedHimself(String user) {
        try (RawClient honest = connection(user);
                RawClient liar = connection(user)) {
            ErrorResponse told = honest.logsInExpectingError(user, PASSWORD, "no_such_database");
            assertThat(told.sqlState().code()).isEqualTo("3D000");
            assertThat(told.message()).isEqualTo("database \"no_such_database\" does not exist");
            assertThat(kinds(honest)).contains("AuthenticationOk");

            assertThat(liar.logsInExpectingError(user, "wrong", "no_such_database")
                            .sqlState()
                            .code())
                    .isEqualTo("28P01");
        }
    }

    @Test
    void shouldRefuseAnEmptyPassword() {
        try (RawClient client = connection("auth_md5");
                RawClient other = connection("auth_scram")) {
            assertThat(client.logsInExpectingError("auth_md5", "", "postgres")
                            .sqlState()
                            .code())
                    .isEqualTo("28P01");
            other.sendsStartup("auth_scram", "postgres");
            other.expects(org.pgporter.protocol.message.AuthenticationSasl.class);
            other.sends(new org.pgporter.protocol.message.PasswordMessage(org.pgporter.protocol.message.Bytes.EMPTY));
            assertThat(other.expects(ErrorResponse.class).sqlState().code()).isIn("08P01", "28P01");
            other.expectsClosed();
        }
    }

    // ---- the backend: passthrough ----------------------------------------------------------------------------

    @ParameterizedTest
    @EnumSource(PostgresMajor.class)
    void shouldComeInWithWhatTheClientProvedItselfWith(PostgresMajor major) {
        TestPostgres postgres = TestPostgres.shared(major);
        for (String encryption : List.of("md5", "scram-sha-256")) {
            String user = "through_" + encryption;
            postgres.createUser(user, PASSWORD, encryption);
            try (TestNode node = nodeOf(postgres, user);
                    RawClient client = RawClient.connects(node.host(), node.port())) {
                client.logsIn(user, PASSWORD, "postgres");
                // The next connection is opened without a client's help.
                client.queryExpectingError("select pg_terminate_backend(pg_backend_pid())");
                try (RawClient again = RawClient.connects(node.host(), node.port())) {
                    again.logsIn(user, PASSWORD, "postgres");
                    assertThat(again.query("select current_user")).containsExactly(List.of(user));
                }
            }
        }
    }

    @Test
    void shouldSayWhenThePasswordWasChangedAtTheBackend() {
        TestPostgres postgres = TestPostgres.shared();
        postgres.createUser("auth_changed", PASSWORD, "scram-sha-256");
        try (TestNode node = nodeOf(postgres, "auth_changed");
                RawClient client = RawClient.connects(node.host(), node.port())) {
            postgres.sql("alter role auth_changed password 'other'");

            ErrorResponse error = client.logsInExpectingError("auth_changed", PASSWORD, "postgres");

            assertThat(error.sqlState().code()).isEqualTo("28P01");
        }
    }

    // ---- the backend: every method ---------------------------------------------------------------------------

    @Test
    void shouldComeInWithoutAPasswordWhereNoneIsAsked() {
        assertThatClientGetsIn(PASSWORD, conversation -> {});
    }

    @Test
    void shouldAnswerForAPasswordInClear() {
        assertThatClientGetsIn(
                PASSWORD, backend -> assertThat(backend.asksForCleartext()).isEqualTo(PASSWORD));
    }

    @Test
    void shouldAnswerForMd5() {
        assertThatClientGetsIn(PASSWORD, backend -> backend.asksForMd5("app", PASSWORD));
    }

    @Test
    void shouldAnswerForScram() {
        assertThatClientGetsIn(PASSWORD, backend -> backend.asksForScram(PASSWORD));
        assertThatClientGetsIn(PASSWORD, backend -> backend.asksForScram(PASSWORD, 10_000, true));
    }

    @Test
    void shouldNotMindNoticesDuringTheLogin() { // checklist 24
        assertThatClientGetsIn(PASSWORD, backend -> {
            backend.sends(noticeResponse("x".repeat(20_000)));
            backend.asksForCleartext();
            backend.sends(noticeResponse("later"));
        });
    }

    private static void assertThatClientGetsIn(String password, Consumer<ServerConversation> login) {
        try (ScriptedServer server = ScriptedServer.start().serve(backend -> {
                    assertThat(backend.expectsStartup().user()).hasValue("app");
                    login.accept(backend);
                    backend.acceptsLogin();
                    backend.expectsAny();
                });
                TestNode node = TestNode.inFrontOf(server.host(), server.port())
                        .user("shop", "app", password)
                        .start();
                RawClient client = RawClient.connects(node.host(), node.port())) {
            client.logsIn("app", password, "shop");
        }
    }

    @Test
    void shouldComeInAsAnotherUser() {
        try (ScriptedServer server = ScriptedServer.start().serve(backend -> {
                    assertThat(backend.expectsStartup().user()).hasValue("pool_role");
                    backend.asksForScram("pool password");
                    backend.acceptsLogin();
                    backend.expectsAny();
                });
                TestNode node = TestNode.inFrontOf(server.host(), server.port())
                        .user(
                                "shop",
                                UserConfig.of("app", StoredCredential.parse(PASSWORD))
                                        .withServerLogin("pool_role", Secret.of("pool password")))
                        .start();
                RawClient client = RawClient.connects(node.host(), node.port())) {
            client.logsIn("app", PASSWORD, "shop");
        }
    }

    @Test
    void shouldNotTrustABackendThatDoesNotProveItself() {
        assertThatLoginFails("08006", backend -> backend.asksForScram(PASSWORD, 4096, false));
        assertThatLoginFails("08006", backend -> {
            backend.sends(authenticationSasl("SCRAM-SHA-256"));
            backend.expects(SaslInitialResponse.class);
            backend.sends(authenticationOk());
        });
        assertThatLoginFails("08006", backend -> {
            backend.sends(authenticationSasl("SCRAM-SHA-256"));
            backend.expects(SaslInitialResponse.class);
            backend.acceptsLogin();
        });
        assertThatLoginFails("08006", ServerConversation::closes);
        assertThatLoginFails("08006", backend -> backend.sendsRaw((byte) '!', (byte) 0, (byte) 0, (byte) 0, (byte) 9));
    }

    @Test
    void shouldPassOnWhatTheBackendSays() {
        assertThatLoginFails("3D000", backend -> backend.sends(fatalResponse("3D000", "database is not there")));
        assertThatLoginFails("28P01", backend -> backend.sends(authenticationSasl("SOMETHING-NEW")));
    }

    private static void assertThatLoginFails(String sqlState, Consumer<ServerConversation> login) {
        try (ScriptedServer server = ScriptedServer.start().serve(backend -> {
                    backend.expectsStartup();
                    login.accept(backend);
                });
                TestNode node = TestNode.inFrontOf(server.host(), server.port())
                        .user("shop", "app", PASSWORD)
                        .start();
                RawClient client = RawClient.connects(node.host(), node.port())) {
            ErrorResponse error = client.logsInExpectingError("app", PASSWORD, "shop");

            assertThat(error.sqlState().code()).as(error.message()).isEqualTo(sqlState);
            assertThat(error.fields()).containsEntry('S', "FATAL");
            client.expectsClosed();
        }
    }

    // ---- words -------------------------------------------------------------------------------------------------

    private static RawClient connection(String user) {
        TestNode node = user.equals("auth_md5") ? md5 : scram;
        return RawClient.connects(node.host(), node.port());
    }

    /// The kinds of messages of a conversation, in order.
    private static List<String> kinds(RawClient client) {
        return client.transcript()
                .lines()
                .skip(1)
                .map(line -> line.strip().split(" ")[1])
                .toList();
    }
}
