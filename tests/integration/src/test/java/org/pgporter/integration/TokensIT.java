package org.pgporter.integration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.pgporter.integration.TokenScene.DATABASE;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.pgporter.config.NameRuleConfig;
import org.pgporter.config.UserConfig;
import org.pgporter.protocol.message.AuthenticationCleartextPassword;
import org.pgporter.protocol.message.ErrorResponse;
import org.pgporter.protocol.message.TransactionStatus;
import org.pgporter.support.OpenIdProvider;
import org.pgporter.support.RawClient;
import org.pgporter.support.TestToken;

/// Tokens in place of passwords, with an issuer that publishes its keys.
class TokensIT {
    @TempDir
    @SuppressWarnings("NullAway.Init")
    private static Path folder;

    @SuppressWarnings("NullAway.Init")
    private static TokenScene scene;

    @SuppressWarnings("NullAway.Init")
    private static TestNode node;

    @BeforeAll
    static void start() {
        scene = new TokenScene(folder, "tok");
        node = scene.node(it -> it)
                .user(
                        DATABASE,
                        UserConfig.ofIssuer("tok_robot", "corp")
                                .withServerLogin(scene.gateway(), org.pgporter.auth.Secret.of(TokenScene.PASSWORD)))
                .start();
    }

    @AfterAll
    static void stop() {
        node.close();
        scene.close();
    }

    private static TestToken token(String subject) {
        return scene.provider.token(subject);
    }

    private static void assertRefused(String user, String token) {
        ErrorResponse error = scene.isRefused(node, user, token);
        // Always the same words, whatever was wrong.
        assertThat(error.sqlState().code()).as(error.message()).isEqualTo("28P01");
        assertThat(error.message()).isEqualTo("password authentication failed for user \"" + user + "\"");
        assertThat(error.fields()).doesNotContainKeys('D', 'H');
    }

    // ---- the twelve tests of seed 003

    @Test
    void shouldLetInWithAToken() { // 1: valid token; 2: query
        try (RawClient client = scene.comes(node, "alice", token("alice").signed())) {
            assertThat(client.query("select current_user")).containsExactly(List.of(scene.gateway()));
        }
    }

    @Test
    void shouldMakeAPoolForEachSubject() { // 3: auto-provision; 4: two users at once
        try (RawClient ada = scene.comes(node, "ada", token("ada").signed());
                RawClient bob = scene.comes(node, "bob", token("bob").signed())) {
            assertThat(ada.query("select pg_backend_pid()")).isNotEqualTo(bob.query("select pg_backend_pid()"));
        }
    }

    @Test
    void shouldLetInAgain() { // 5: reconnect, on the same backend
        String token = token("again").signed();
        List<List<String>> first;
        try (RawClient client = scene.comes(node, "again", token)) {
            first = client.query("select pg_backend_pid()");
            client.terminates();
        }
        try (RawClient client = scene.comes(node, "again", token)) {
            assertThat(client.query("select pg_backend_pid()")).isEqualTo(first);
        }
    }

    @Test
    void shouldRefuseAnExpiredToken() { // 6
        assertRefused("alice", token("alice").expiresIn(-40).signed());
    }

    @Test
    void shouldRefuseATamperedToken() { // 7
        String token = token("alice").signed();
        String claims = token.split("\\.", -1)[1];
        String others = token("root").signed().split("\\.", -1)[1];
        assertRefused("root", token.replace(claims, others));
        assertRefused("alice", token.substring(0, token.length() - 10) + "AAAAAAAAAA");
    }

    @ParameterizedTest
    @ValueSource(strings = {"not a token", "a.b.c", "..."}) // 8
    void shouldRefuseWhatIsNoToken(String text) {
        assertRefused("alice", text);
    }

    @Test
    void shouldRefuseAnEmptyPassword() { // 9
        assertRefused("alice", "");
    }

    @Test
    void shouldCommitAndRollBack() { // 10, 11
        scene.postgres.sql(
                "create table if not exists tok_items (id int)",
                "truncate tok_items",
                "grant all on tok_items to " + scene.gateway());
        try (RawClient client = scene.comes(node, "alice", token("alice").signed())) {
            client.query("begin; insert into tok_items values (1); commit");
            client.query("begin");
            client.query("insert into tok_items values (2)");
            client.query("rollback");
            assertThat(client.query("select id from tok_items")).containsExactly(List.of("1"));
        }
    }

    @Test
    void shouldTakeTheNameFromAnyClaim() { // 12
        try (TestNode other = scene.node(it -> it.withUsers(it.users()
                        .withUsernameClaim("email")
                        .withUserSuffix("@corp.example")
                        .withUserMap(List.of(
                                new NameRuleConfig("root@.*", Optional.empty()),
                                new NameRuleConfig("(.*)@corp\\.example", Optional.of("\\1@corp.example"))))))
                .start()) {
            TestToken token = token("4711").with("email", "ada@corp.example");
            scene.comes(other, "ada@corp.example", token.signed()).terminates();
            for (Object claim : List.of("root@corp.example", "ada@evil.example", 7, List.of("ada@corp.example"))) {
                String user = claim instanceof String text ? text : "ada@corp.example";
                assertThat(scene.isRefused(
                                        other, user, token.with("email", claim).signed())
                                .sqlState()
                                .code())
                        .as("%s", claim)
                        .isEqualTo("28P01");
            }
        }
    }

    // ---- the weaknesses of what there was before (identity.md 1.2), and attacks

    /// A name and a token that must not open.
    private record Attack(String name, Function<TestToken, String> token) {
        @Override
        public String toString() {
            return name;
        }
    }

    static Stream<Attack> attacks() {
        return Stream.of(
                new Attack(
                        "wrong issuer",
                        it -> it.with("iss", "https://evil.example").signed()),
                new Attack("no issuer", it -> it.without("iss").signed()),
                new Attack("wrong audience", it -> it.with("aud", "shop").signed()),
                new Attack("no audience", it -> it.without("aud").signed()),
                new Attack("no end", it -> it.without("exp").signed()),
                new Attack(
                        "not yet",
                        it -> it.with("nbf", Instant.now().getEpochSecond() + 3600)
                                .signed()),
                new Attack(
                        "issued tomorrow",
                        it -> it.with("iat", Instant.now().getEpochSecond() + 86_400)
                                .signed()),
                new Attack("alg none", it -> it.withHeader("alg", "none").unsigned() + "."),
                new Attack(
                        "alg none, signed", it -> it.withHeader("alg", "none").signed()),
                new Attack("HS256 with the public key", TokensIT::macked),
                new Attack(
                        "unknown key", it -> it.withHeader("kid", "who-knows").signed()),
                new Attack(
                        "key of somebody else",
                        it -> it.signedBy(OpenIdProvider.newRsa()).signed()),
                new Attack(
                        "jku",
                        it -> it.withHeader("jku", "https://evil.example/keys").signed()),
                new Attack(
                        "x5u",
                        it -> it.withHeader("x5u", "https://evil.example/cert").signed()),
                new Attack("x5c", it -> it.withHeader("x5c", List.of("MIIB")).signed()),
                new Attack("crit", it -> it.withHeader("crit", List.of("exp")).signed()),
                new Attack(
                        "embedded key",
                        it -> it.withHeader("jwk", Map.of("kty", "RSA", "n", "AQAB", "e", "AQAB"))
                                .signed()),
                new Attack(
                        "oversized", it -> it.with("filler", "x".repeat(20_000)).signed()),
                new Attack("for somebody else", it -> it.with("sub", "mallory").signed()),
                new Attack(
                        "subject is no text",
                        it -> it.with("sub", List.of("alice")).signed()),
                new Attack("no subject", it -> it.without("sub").signed()));
    }

    private static String macked(TestToken token) {
        try {
            String unsigned = token.withHeader("alg", "HS256").unsigned();
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(scene.provider.publicKey().getEncoded(), "HmacSHA256"));
            return unsigned + "."
                    + Base64.getUrlEncoder()
                            .withoutPadding()
                            .encodeToString(mac.doFinal(unsigned.getBytes(StandardCharsets.US_ASCII)));
        } catch (java.security.GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    @ParameterizedTest
    @MethodSource("attacks")
    void shouldOpenForNoAttack(Attack attack) {
        assertRefused("alice", attack.token().apply(token("alice")));
    }

    /// The claim of a token is not enough to be somebody whom the configuration knows, and what he has goes on.
    @Test
    void shouldNotMakeATokenAnApplication() {
        String application = scene.application();
        String token = token(application).signed();
        assertRefused(application, token);
        assertRefused("alice", token);
        try (RawClient client = scene.comes(node, application, "secret")) {
            assertThat(client.query("select current_user")).containsExactly(List.of(application));
        }
    }

    @Test
    void shouldMakeATokenAUserThatIsConfiguredForIt() {
        scene.comes(node, "tok_robot", token("tok_robot").signed()).terminates();
        assertRefused("tok_robot", token("alice").signed());
        assertRefused("tok_robot", "secret");
    }

    /// 63 bytes are what PostgreSQL keeps of a name: what is longer must not become another one.
    @Test
    void shouldNotCutNamesOff() {
        String name = "n".repeat(63);
        scene.comes(node, name, token(name).signed()).terminates();
        assertRefused(name, token(name + "x").signed());
        assertThat(scene.isRefused(node, name + "x", token(name + "x").signed())
                        .sqlState()
                        .code())
                .isEqualTo("28P01");
    }

    /// No name is ever put into SQL.
    @ParameterizedTest
    @ValueSource(strings = {"a\"; reset role; --", "a'; drop table tok_items; --", "a\\", "\"", "$$", "a,b"})
    void shouldTakeNamesForNames(String name) {
        try (RawClient client = scene.comes(node, name, token(name).signed())) {
            assertThat(client.query("select current_user")).containsExactly(List.of(scene.gateway()));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"none", "public", " alice", "alice\n", "talos", ""})
    void shouldNotTakeEverythingForANames(String name) {
        try (RawClient client = scene.connects(node)) {
            ErrorResponse error = client.logsInExpectingError(name, token(name).signed(), DATABASE);
            assertThat(error.sqlState().code()).isIn("28P01", "28000");
        }
    }

    @Test
    void shouldTakeNoTokenWithoutTls() {
        try (RawClient client = RawClient.connects(node.host(), node.port())) {
            client.sendsStartup("alice", DATABASE);
            ErrorResponse error = client.expectsError("28000"); // before anything is asked
            assertThat(error.message()).isEqualTo("token authentication is not allowed without SSL");
            client.expectsClosed();
        }
        try (TestNode open = scene.node(it -> it)
                        .general(general -> general.withJwt(general.jwt().withJwtAllowPlaintext(true)))
                        .start();
                RawClient client = RawClient.connects(open.host(), open.port())) {
            client.logsIn("alice", token("alice").signed(), DATABASE).terminates();
        }
    }

    @Test
    void shouldTakeATokenOnAUnixSocket(@TempDir Path sockets) {
        try (TestNode _ = scene.node(it -> it).unixSocketIn(sockets).start();
                RawClient client = RawClient.connects(sockets, 0)) {
            client.logsIn("alice", token("alice").signed(), DATABASE).terminates();
        }
    }

    @Test
    void shouldTakeLongTokensWhereItIsTold() {
        try (TestNode patient = scene.node(
                        it -> it.withChecks(it.checks().withMaxTokenSize(new org.pgporter.config.ByteSize(65_535))))
                .start()) {
            String token = token("alice").with("groups", "g".repeat(45_000)).signed();
            assertThat(token.length()).isGreaterThan(60_000);
            scene.comes(patient, "alice", token).terminates();
        }
    }

    @Test
    void shouldSpeakOfUnknownUsersAsOfKnownOnes() {
        try (TestNode closed = scene.node(it -> it.withUsers(it.users().withAutoProvision(false)))
                .start()) {
            try (RawClient client = scene.connects(closed)) {
                client.sendsStartup("alice", DATABASE);
                // Nobody's token would let him in: he is led the road of unknown users.
                client.expects(org.pgporter.protocol.message.AuthenticationSasl.class);
            }
        }
    }

    // ---- rules, several issuers, databases

    @Test
    void shouldLetApplicationsAndPeopleInByRule() {
        try (OpenIdProvider second = OpenIdProvider.start(scene.identity);
                TestNode ruled = scene.node(it -> it)
                        .issuer(
                                "lab",
                                org.pgporter.config.IssuerConfig.of(second.issuer(), OpenIdProvider.AUDIENCE)
                                        .withKeys(org.pgporter.config.IssuerKeys.defaults()
                                                .withDiscovery(true)
                                                .withTlsCaCert(scene.pki.authority()))
                                        .withUsers(scene.issuer().users()))
                        .general(TokenScene.rules("""
                                hostssl all tok_app   all scram-sha-256
                                hostssl all lab_ada   all jwt issuer=lab
                                hostssl all robot     all jwt issuer=corp map=robots
                                hostssl all all       all jwt
                                """))
                        .general(general -> general.withAccess(general.access()
                                .withPgIdent(org.pgporter.config.RuleSource.of(
                                        "robots /^machine-[0-9]+$ robot\n", "pg_ident.conf"))))
                        .start()) {
            scene.comes(ruled, scene.application(), "secret").terminates();
            scene.comes(ruled, "alice", token("alice").signed()).terminates();
            scene.comes(ruled, "bob", second.token("bob").signed()).terminates();
            scene.comes(ruled, "lab_ada", second.token("lab_ada").signed()).terminates();
            scene.comes(ruled, "robot", token("machine-7").signed()).terminates();
            assertThat(List.of(
                            scene.isRefused(ruled, "lab_ada", token("lab_ada").signed()),
                            scene.isRefused(ruled, "robot", token("robot").signed()),
                            scene.isRefused(ruled, "alice", second.token("bob").signed()),
                            scene.isRefused(
                                    ruled,
                                    scene.application(),
                                    token(scene.application()).signed())))
                    .extracting(error -> error.sqlState().code())
                    .containsOnly("28P01");
        }
    }

    /// The same name from two issuers is two people, who share no backend connection.
    @Test
    void shouldKeepPeopleOfTwoIssuersApart() {
        scene.postgres.createUser("tok_second", TokenScene.PASSWORD, "scram-sha-256");
        try (OpenIdProvider second = OpenIdProvider.start(scene.identity);
                TestNode both = scene.node(it -> it)
                        .issuer(
                                "lab",
                                org.pgporter.config.IssuerConfig.of(second.issuer(), OpenIdProvider.AUDIENCE)
                                        .withKeys(org.pgporter.config.IssuerKeys.defaults()
                                                .withDiscovery(true)
                                                .withTlsCaCert(scene.pki.authority()))
                                        .withUsers(scene.issuer().users().withServerUser("tok_second")))
                        .start();
                RawClient one = scene.comes(both, "ada", token("ada").signed());
                RawClient other = scene.comes(both, "ada", second.token("ada").signed())) {
            assertThat(one.query("select current_user")).containsExactly(List.of(scene.gateway()));
            assertThat(other.query("select current_user")).containsExactly(List.of("tok_second"));
        }
    }

    @Test
    void shouldKeepPeopleToTheirDatabases() {
        try (TestNode narrow = scene.node(it -> it.withUsers(it.users().withDatabases(List.of("elsewhere"))))
                .start()) {
            try (RawClient client = scene.connects(narrow)) {
                client.sendsStartup("alice", DATABASE);
                client.expects(org.pgporter.protocol.message.AuthenticationSasl.class);
            }
        }
        try (RawClient client = scene.connects(node)) {
            assertThat(client.logsInExpectingError("alice", token("alice").signed(), "no_such_database")
                            .sqlState()
                            .code())
                    .isEqualTo("3D000");
        }
    }

    // ---- so many users, and the end of a token

    @Test
    void shouldProvideForSoManyUsersAtOneTime() {
        try (TestNode small =
                scene.node(it -> it.withUsers(it.users().withMaxUsers(2))).start()) {
            List<RawClient> here = new ArrayList<>();
            try {
                here.add(scene.comes(small, "u1", token("u1").signed()));
                here.add(scene.comes(small, "u2", token("u2").signed()));
                here.add(scene.comes(small, "u2", token("u2").signed()));
                ErrorResponse error = scene.isRefused(small, "u3", token("u3").signed());
                assertThat(error.sqlState().code()).isEqualTo("53300");
                here.getFirst().terminates();
                // His place is somebody else's as soon as the registry has heard that he is gone.
                org.awaitility.Awaitility.await().untilAsserted(() -> {
                    try (RawClient client = scene.connects(small)) {
                        assertThat(client.triesToLogIn("u3", token("u3").signed(), DATABASE))
                                .isEmpty();
                    }
                });
            } finally {
                here.forEach(RawClient::close);
            }
        }
    }

    @Test
    void shouldEndASessionWithItsToken() {
        try (TestNode strict = scene.node(it -> it.withChecks(it.checks().withLeeway(java.time.Duration.ZERO)))
                        .start();
                RawClient idle =
                        scene.comes(strict, "idle", token("idle").expiresIn(2).signed());
                RawClient busy =
                        scene.comes(strict, "busy", token("busy").expiresIn(2).signed())) {
            busy.query("begin");
            ErrorResponse error = idle.expectsError("57P01");
            assertThat(error.fields().get('D')).contains("token");
            idle.expectsClosed();
            // A transaction is not torn apart.
            assertThat(busy.query("select 1")).containsExactly(List.of("1"));
            busy.sendsQuery("commit");
            busy.expectsCommandComplete("COMMIT");
            busy.expectsReadyForQuery(TransactionStatus.IDLE);
            busy.expectsError("57P01");
            busy.expectsClosed();
        }
    }

    // ---- keys that come and go

    @Test
    void shouldFollowARotationWithoutAskingOften() {
        try (OpenIdProvider rotating = OpenIdProvider.start(scene.identity);
                TestNode own = scene.plain().issuer("corp", of(rotating)).start()) {
            scene.comes(own, "alice", rotating.token("alice").signed()).terminates();
            int before = rotating.keyFetches();
            rotating.rotates();
            rotating.withdrawsOldKeys();
            // The interval since the first fetch may not have passed yet: then the new key is refused for now.
            org.awaitility.Awaitility.await()
                    .atMost(java.time.Duration.ofSeconds(9))
                    .untilAsserted(() -> {
                        try (RawClient client = scene.connects(own)) {
                            assertThat(client.triesToLogIn(
                                            "alice", rotating.token("alice").signed(), DATABASE))
                                    .isEmpty();
                        }
                    });
            int after = rotating.keyFetches();
            assertThat(after).isEqualTo(before + 1);
            for (int i = 0; i < 20; i++) {
                scene.isRefused(
                        own,
                        "alice",
                        rotating.token("alice").withHeader("kid", "x" + i).signed());
            }
            assertThat(rotating.keyFetches()).isLessThanOrEqualTo(after + 1);
        }
    }

    private static org.pgporter.config.IssuerConfig of(OpenIdProvider provider) {
        org.pgporter.config.IssuerConfig issuer =
                org.pgporter.config.IssuerConfig.of(provider.issuer(), OpenIdProvider.AUDIENCE);
        return issuer.withKeys(issuer.keys()
                        .withTlsCaCert(scene.pki.authority())
                        .withJwksRefetchInterval(java.time.Duration.ofSeconds(2)))
                .withUsers(scene.issuer().users());
    }

    @Test
    void shouldNotWaitForAnIssuerWhoseKeysAreKnown() {
        try (OpenIdProvider slow = OpenIdProvider.start(scene.identity);
                TestNode own = scene.plain().issuer("corp", of(slow)).start()) {
            scene.comes(own, "alice", slow.token("alice").signed()).terminates();
            slow.fallsSilent();
            try (RawClient waiting = scene.connects(own)) {
                // This one leads to the issuer, if the interval has passed, and hears nothing.
                waiting.sendsStartup("alice", DATABASE);
                waiting.expects(AuthenticationCleartextPassword.class);
                waiting.sends(
                        new org.pgporter.protocol.message.PasswordMessage(org.pgporter.protocol.message.Bytes.ofText(
                                slow.token("alice").withHeader("kid", "new").signed())));
                for (int i = 0; i < 3; i++) {
                    scene.comes(own, "alice", slow.token("alice").signed()).terminates();
                }
            }
            slow.speaks();
        }
    }

    @Test
    void shouldHoldNothingAgainstWhoComesWhileTheIssuerIsDown() {
        try (OpenIdProvider down = OpenIdProvider.start(scene.identity)) {
            down.answers(503);
            try (TestNode own = scene.plain().issuer("corp", of(down)).start()) {
                assertThat(scene.isRefused(own, "alice", down.token("alice").signed())
                                .sqlState()
                                .code())
                        .isEqualTo("58000");
                down.answers(200);
                org.awaitility.Awaitility.await().untilAsserted(() -> {
                    try (RawClient client = scene.connects(own)) {
                        assertThat(client.triesToLogIn(
                                        "alice", down.token("alice").signed(), DATABASE))
                                .isEmpty();
                    }
                });
            }
        }
    }
}
