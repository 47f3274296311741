package org.pgporter.integration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.pgporter.integration.TokenScene.DATABASE;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pgporter.protocol.message.AuthenticationOk;
import org.pgporter.protocol.message.AuthenticationSasl;
import org.pgporter.protocol.message.AuthenticationSaslContinue;
import org.pgporter.protocol.message.BackendKeyData;
import org.pgporter.protocol.message.Bytes;
import org.pgporter.protocol.message.ErrorResponse;
import org.pgporter.protocol.message.ReadyForQuery;
import org.pgporter.protocol.message.SaslInitialResponse;
import org.pgporter.protocol.message.SaslResponse;
import org.pgporter.support.RawClient;
import org.pgporter.support.TestToken;

/// OAUTHBEARER, as libpq 18 speaks it, byte by byte: neither apt here nor the PostgreSQL of the tests has
/// a libpq with libpq-oauth.
class OauthIT {
    private static final String SCOPE = "openid db";

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private static Path folder;

    @SuppressWarnings("NullAway.Init")
    private static TokenScene scene;

    @SuppressWarnings("NullAway.Init")
    private static TestNode node;

    @BeforeAll
    static void start() {
        scene = new TokenScene(folder, "oau");
        node = scene.node(it -> it)
                .general(TokenScene.rules("host all oau_app all scram-sha-256\n" + "host all all all oauth issuer=\""
                        + scene.provider.issuer() + "\" scope=\"" + SCOPE + "\"\n"))
                .start();
    }

    @AfterAll
    static void stop() {
        node.close();
        scene.close();
    }

    private static TestToken token(String subject) {
        return scene.provider.token(subject).with("scope", "db openid profile");
    }

    private static RawClient asked(String user) {
        RawClient client = scene.connects(node).sendsStartup(user, DATABASE);
        assertThat(client.expects(AuthenticationSasl.class).mechanisms()).containsExactly("OAUTHBEARER");
        return client;
    }

    private static Bytes bearer(String token) {
        return Bytes.ofText("n,,\u0001auth=" + (token.isEmpty() ? "" : "Bearer " + token) + "\u0001\u0001");
    }

    private static RawClient sends(RawClient client, String token) {
        return client.sends(new SaslInitialResponse("OAUTHBEARER", Optional.of(bearer(token))));
    }

    private static String told(RawClient client) {
        return client.expects(AuthenticationSaslContinue.class).data().toText();
    }

    private static void assertFails(RawClient client, String user) {
        client.sends(new SaslResponse(Bytes.of((byte) 1)));
        ErrorResponse error = client.expectsError("28000");
        assertThat(error.message()).isEqualTo("OAuth bearer authentication failed for user \"" + user + "\"");
        client.expectsClosed();
    }

    @Test
    void shouldLetInWithAToken() {
        try (RawClient client = sends(asked("alice"), token("alice").signed())) {
            client.expects(AuthenticationOk.class); // and no final message before it
            client.expects(BackendKeyData.class);
            client.expects(ReadyForQuery.class);
            assertThat(client.query("select current_user")).containsExactly(List.of(scene.gateway()));
            client.terminates();
        }
    }

    @Test
    void shouldWaitForATokenThatComesLater() {
        try (RawClient client = asked("alice")) {
            client.sends(new SaslInitialResponse("OAUTHBEARER", Optional.empty()));
            assertThat(told(client)).isEmpty();
            client.sends(new SaslResponse(bearer(token("alice").signed())));
            client.expects(AuthenticationOk.class);
        }
    }

    /// What psql does: it asks where to get a token, gets one by the device flow, and comes again with it.
    @Test
    void shouldLetInWhoFollowsTheDeviceFlow() throws Exception {
        String discovery;
        try (RawClient client = sends(asked("ada"), "")) {
            Matcher answer = Pattern.compile("\\{\"status\":\"invalid_token\",\"openid-configuration\":\"([^\"]+)\","
                            + "\"scope\":\"([^\"]+)\"}")
                    .matcher(told(client));
            assertThat(answer.matches()).isTrue();
            discovery = answer.group(1);
            assertThat(discovery).isEqualTo(scene.provider.issuer() + "/.well-known/openid-configuration");
            assertThat(answer.group(2)).isEqualTo(SCOPE);
            assertFails(client, "ada");
        }
        try (HttpClient http =
                HttpClient.newBuilder().sslContext(scene.pki.trusting()).build()) {
            String document = get(http, discovery);
            String device =
                    post(http, member(document, "device_authorization_endpoint"), "client_id=psql&scope=" + SCOPE);
            String poll = "grant_type=urn:ietf:params:oauth:grant-type:device_code&client_id=psql&device_code="
                    + member(device, "device_code");
            assertThat(post(http, member(document, "token_endpoint"), poll)).contains("authorization_pending");
            scene.provider.approves(member(device, "user_code"), "ada");
            String token = member(post(http, member(document, "token_endpoint"), poll), "access_token");
            try (RawClient client = sends(asked("ada"), token)) {
                client.expects(AuthenticationOk.class);
            }
        }
    }

    private static String get(HttpClient http, String url) throws Exception {
        return http.send(HttpRequest.newBuilder(URI.create(url)).GET().build(), HttpResponse.BodyHandlers.ofString())
                .body();
    }

    private static String post(HttpClient http, String url, String form) throws Exception {
        return http.send(
                        HttpRequest.newBuilder(URI.create(url))
                                .header("Content-Type", "application/x-www-form-urlencoded")
                                .POST(HttpRequest.BodyPublishers.ofString(form))
                                .build(),
                        HttpResponse.BodyHandlers.ofString())
                .body();
    }

    private static String member(String json, String name) {
        Matcher matcher = Pattern.compile("\"" + name + "\":\"([^\"]+)\"").matcher(json);
        assertThat(matcher.find()).as(name + " in " + json).isTrue();
        return matcher.group(1);
    }

    @Test
    void shouldTellWhoHasABadTokenWhereToGetAGoodOne() {
        for (String bad : List.of(
                token("alice").expiresIn(-40).signed(),
                token("mallory").signed(),
                token("alice").with("aud", "shop").signed(),
                token("alice").with("scope", "openid").signed(),
                token("alice").without("scope").signed(),
                "abc")) {
            try (RawClient client = sends(asked("alice"), bad)) {
                assertThat(told(client)).startsWith("{\"status\":\"invalid_token\"");
                assertFails(client, "alice");
            }
        }
    }

    @Test
    void shouldBearThatAClientLeavesInBetween() {
        try (RawClient client = sends(asked("alice"), "")) {
            told(client);
            client.closesOutput();
            client.expectsClosed();
        }
        node.awaitNothingHeld();
    }

    @Test
    void shouldRefuseWhatIsMalformed() {
        try (RawClient client = asked("alice")) {
            client.sends(new SaslInitialResponse("OAUTHBEARER", Optional.of(Bytes.ofText("n,,"))));
            assertThat(client.expectsError("08P01").message()).isEqualTo("malformed OAUTHBEARER message");
            client.expectsClosed();
        }
        try (RawClient client = asked("alice")) {
            client.sends(new SaslInitialResponse(
                    "OAUTHBEARER", Optional.of(Bytes.ofText("n,a=bob,\u0001auth=Bearer x\u0001\u0001"))));
            client.expectsError("0A000");
            client.expectsClosed();
        }
        try (RawClient client = sends(asked("alice"), "")) {
            told(client);
            client.sends(new SaslResponse(bearer(token("alice").signed())));
            client.expectsError("08P01");
        }
    }

    @Test
    void shouldTakeMessagesUpTo64Kilobytes() {
        try (RawClient client = sends(asked("alice"), "x".repeat(65_000))) {
            assertThat(told(client)).startsWith("{\"status\":\"invalid_token\"");
        }
        try (RawClient client = asked("alice")) {
            client.sends(new SaslInitialResponse("OAUTHBEARER", Optional.of(bearer("x".repeat(66_000)))));
            assertThat(client.expectsAnyOrEnd().map(Object::toString).orElse("end"))
                    .contains("08P01");
        }
    }

    @Test
    void shouldRefuseWithoutTls() {
        try (RawClient client = RawClient.connects(node.host(), node.port())) {
            client.sendsStartup("alice", DATABASE);
            client.expectsError("28000");
            client.expectsClosed();
        }
    }

    @Test
    void shouldLetNobodyBeAnApplication() {
        try (TestNode open = scene.node(it -> it)
                        .general(TokenScene.rules("hostssl all all all oauth issuer=\"" + scene.provider.issuer()
                                + "\" scope=\"" + SCOPE + "\"\n"))
                        .start();
                RawClient client = scene.connects(open).sendsStartup(scene.application(), DATABASE)) {
            client.expects(AuthenticationSasl.class);
            sends(client, token(scene.application()).signed());
            told(client);
            assertFails(client, scene.application());
        }
    }
}
