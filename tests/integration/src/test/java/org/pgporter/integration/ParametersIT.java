package org.pgporter.integration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.pgporter.protocol.message.TransactionStatus.IDLE;
import static org.pgporter.support.BackendMessages.bindComplete;
import static org.pgporter.support.BackendMessages.commandComplete;
import static org.pgporter.support.BackendMessages.dataRow;
import static org.pgporter.support.BackendMessages.errorResponse;
import static org.pgporter.support.BackendMessages.parameterStatus;
import static org.pgporter.support.BackendMessages.parseComplete;
import static org.pgporter.support.BackendMessages.readyForQuery;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.pgporter.protocol.message.Bind;
import org.pgporter.protocol.message.Bytes;
import org.pgporter.protocol.message.ErrorResponse;
import org.pgporter.protocol.message.Execute;
import org.pgporter.protocol.message.Parse;
import org.pgporter.protocol.message.Sync;
import org.pgporter.support.RawClient;
import org.pgporter.support.ServerConversation;
import org.pgporter.support.TestPostgres;

/// Every session has its own run-time parameters, although all share one backend.
class ParametersIT {
    private static final String USER = "parameter_user";

    private static TestNode node;

    @BeforeAll
    static void start() {
        TestPostgres postgres = TestPostgres.shared();
        postgres.createUser(USER, "secret", "scram-sha-256");
        node = TestNode.inFrontOf(postgres.host(), postgres.port())
                .user("postgres", USER, postgres.secretOf(USER))
                .pools(pool -> pool.withPoolSize(1))
                .start();
    }

    @AfterAll
    static void stop() {
        node.close();
    }

    // ---- with a real server --------------------------------------------------------------------------------------

    @Test
    void shouldKeepReportedParametersApart() { // checklist 99
        try (RawClient one = client();
                RawClient two = client("TimeZone", "Asia/Tokyo", "application_name", "two")) {
            one.query("set datestyle to German; set timezone to 'Europe/Paris'; set client_encoding to latin1;"
                    + " set application_name to 'one'");
            for (int round = 0; round < 3; round++) {
                assertThat(settings(one)).containsExactly("German, DMY", "Europe/Paris", "LATIN1", "one");
                assertThat(settings(two)).containsExactly("ISO, MDY", "Asia/Tokyo", "UTF8", "two");
            }
            assertThat(one.parameterStatus())
                    .containsEntry("DateStyle", "German, DMY")
                    .containsEntry("TimeZone", "Europe/Paris")
                    .containsEntry("client_encoding", "LATIN1")
                    .containsEntry("application_name", "one");
            assertThat(two.parameterStatus())
                    .containsEntry("DateStyle", "ISO, MDY")
                    .containsEntry("TimeZone", "Asia/Tokyo")
                    .containsEntry("client_encoding", "UTF8")
                    .containsEntry("application_name", "two");
        }
    }

    private static List<String> settings(RawClient client) {
        return client.query("show datestyle; show timezone; show client_encoding; show application_name").stream()
                .map(List::getFirst)
                .toList();
    }

    @Test
    void shouldApplyWhatTheServerDoesNotReportFromTheStartup() { // checklist 99
        try (RawClient one = client("statement_timeout", "12345", "options", "-c work_mem=7MB");
                RawClient two = client()) {
            for (int round = 0; round < 3; round++) {
                assertThat(one.query("show statement_timeout; show work_mem"))
                        .containsExactly(List.of("12345ms"), List.of("7MB"));
                assertThat(two.query("show statement_timeout; show work_mem"))
                        .containsExactly(List.of("0"), List.of("4MB"));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"it's", "back\\slash", "\"double\"", "'; drop table students; --", "$1 $$ %s", "", "grüße, 世界"})
    void shouldCarryAnyValue(String value) { // checklist 102, 103
        String longer = value + "-".repeat(250);
        try (RawClient one = client("pgporter.test", value, "pgporter.longer", longer);
                RawClient two = client()) {
            for (int round = 0; round < 2; round++) {
                assertThat(one.query("select current_setting('pgporter.test'), current_setting('pgporter.longer')"))
                        .containsExactly(List.of(value, longer));
                assertThat(two.query("select coalesce(current_setting('pgporter.test', true), '')"))
                        .containsExactly(List.of(""));
            }
        }
    }

    @Test
    void shouldKeepTheMeaningOfASearchPath() { // checklist 101, 103
        String path = "\"$user\", \"odd name\", public";
        try (RawClient one = client("search_path", path);
                RawClient two = client()) {
            assertThat(two.query("show search_path")).containsExactly(List.of("\"$user\", public"));
            assertThat(one.query("show search_path")).containsExactly(List.of(path));
            assertThat(one.query("select current_schemas(false)")).containsExactly(List.of("{public}"));
            assertThat(two.query("show search_path")).containsExactly(List.of("\"$user\", public"));
        }
    }

    @Test
    void shouldFollowResetAndRollback() { // checklist 104, 107
        try (RawClient one = client("TimeZone", "Asia/Tokyo");
                RawClient two = client()) {
            one.query("begin; set timezone to 'Europe/Paris'");
            one.query("rollback");
            assertThat(two.query("show timezone")).containsExactly(List.of("UTC"));
            assertThat(one.query("show timezone")).containsExactly(List.of("Asia/Tokyo"));
            one.query("set timezone to 'Europe/Paris'");
            assertThat(two.query("show timezone")).containsExactly(List.of("UTC"));
            assertThat(one.query("show timezone")).containsExactly(List.of("Europe/Paris"));
            one.query("set timezone to 'UTC'");
            assertThat(one.query("show timezone")).containsExactly(List.of("UTC"));
            one.query("discard all");
            assertThat(two.query("show timezone")).containsExactly(List.of("UTC"));
            assertThat(one.query("show timezone")).containsExactly(List.of("Asia/Tokyo"));
        }
    }

    // ---- with a script that counts ---------------------------------------------------------------------------------

    @Test
    void shouldSayNothingToTheServerWhenNothingDiffers() { // checklist 100
        try (Scene scene = Scene.withOneBackend()) {
            ServerConversation backend = scene.backend();
            RawClient one = scene.client("TimeZone", "UTC", "DateStyle", "ISO, MDY", "client_encoding", "UTF8");
            RawClient two = scene.client();
            for (int round = 0; round < 3; round++) {
                // Each query is the very next message.
                Scene.converse(one, backend, "one");
                Scene.converse(two, backend, "two");
            }
        }
    }

    @Test
    void shouldSetOnlyTheDifferenceAndOnlyWhenTheSessionChanges() { // checklist 100
        try (Scene scene = Scene.withOneBackend()) {
            ServerConversation backend = scene.backend();
            CompletableFuture<RawClient> login =
                    inBackground(scene, "client_encoding", "utf8", "TimeZone", "Asia/Tokyo");
            expectsSet(backend, Map.of("client_encoding", "utf8", "TimeZone", "Asia/Tokyo"));
            answersSet(backend, 2, "TimeZone", "Asia/Tokyo");
            RawClient one = login.join();
            // The client is told the server's own spelling.
            assertThat(one.parameterStatus())
                    .containsEntry("client_encoding", "UTF8")
                    .containsEntry("TimeZone", "Asia/Tokyo");
            RawClient two = scene.client();

            Scene.converse(one, backend, "one");
            Scene.converse(one, backend, "one again");
            two.sendsQuery("select 'two'");
            expectsReset(backend, "RESET \"timezone\"");
            answersSet(backend, 1, "TimeZone", "UTC");
            backend.expectsQuery("select 'two'");
            backend.sends(Scene.answer("two"));
            Scene.expectsAnswer(two, "two");
            one.sendsQuery("select 'one'");
            expectsSet(backend, Map.of("TimeZone", "Asia/Tokyo"));
            answersSet(backend, 1, "TimeZone", "Asia/Tokyo");
            backend.expectsQuery("select 'one'");
            backend.sends(Scene.answer("one"));
            Scene.expectsAnswer(one, "one");
            assertThat(one.transcript().lines().filter(line -> line.contains("ParameterStatus \"TimeZone\"")))
                    .hasSize(1);
        }
    }

    @Test
    void shouldRefuseALoginWithTheServersWordsAndGoOn() { // checklist 105
        try (Scene scene = Scene.withOneBackend()) {
            ServerConversation backend = scene.backend();
            RawClient refused = scene.connection();
            CompletableFuture<ErrorResponse> error = CompletableFuture.supplyAsync(
                    () -> refused.logsInExpectingError(
                            Scene.USER, Scene.PASSWORD, Scene.DATABASE, "TimeZone", "Nowhere"),
                    Executors.newVirtualThreadPerTaskExecutor());
            expectsSet(backend, Map.of("TimeZone", "Nowhere"));
            RawClient other = scene.client();
            other.sendsQuery("select 'other'");
            // The end of the cycle comes later than the error: until then the backend is nobody's.
            backend.sends(parseComplete(), errorResponse("22023", "invalid value for parameter \"TimeZone\""));
            CompletableFuture<Void> next = CompletableFuture.runAsync(
                    () -> backend.expectsQuery("select 'other'"), Executors.newVirtualThreadPerTaskExecutor());
            org.awaitility.Awaitility.await()
                    .during(200, java.util.concurrent.TimeUnit.MILLISECONDS)
                    .until(() -> !next.isDone());
            backend.sends(readyForQuery(IDLE));

            assertThat(error.join().sqlState().code()).isEqualTo("22023");
            assertThat(error.join().message()).isEqualTo("invalid value for parameter \"TimeZone\"");
            refused.expectsClosed();
            next.join();
            backend.sends(Scene.answer("other"));
            Scene.expectsAnswer(other, "other");

            // What was refused once is not taken for accepted.
            CompletableFuture<RawClient> again = inBackground(scene, "TimeZone", "Nowhere");
            expectsSet(backend, Map.of("TimeZone", "Nowhere"));
            answersSet(backend, 1, "TimeZone", "Nowhere");
            again.join();
        }
    }

    @Test
    void shouldTellOfAParameterThatTheServerChanges() { // checklist 19, 99, 104
        try (Scene scene = Scene.withOneBackend()) {
            ServerConversation backend = scene.backend();
            RawClient client = scene.client();
            Scene.converse(client, backend, "first");
            // A failover, seen by nobody's session.
            backend.sends(parameterStatus("in_hot_standby", "on"));
            Scene.converse(client, backend, "second");
            Scene.converse(client, backend, "third");
            assertThat(client.parameterStatus()).containsEntry("in_hot_standby", "on");
        }
    }

    // ---- words -------------------------------------------------------------------------------------------------

    private static RawClient client(String... parameters) {
        return RawClient.connects(node.host(), node.port()).logsIn(USER, "secret", "postgres", parameters);
    }

    /// A login that needs the backend's consent.
    private static CompletableFuture<RawClient> inBackground(Scene scene, String... parameters) {
        return CompletableFuture.supplyAsync(
                () -> scene.client(parameters), Executors.newVirtualThreadPerTaskExecutor());
    }

    private static void expectsSet(ServerConversation backend, Map<String, String> values) {
        assertThat(backend.expects(Parse.class).sql()).contains("set_config($1,$2,false)");
        Map<String, String> set = new java.util.HashMap<>();
        for (int i = 0; i < values.size(); i++) {
            Bind bind = backend.expects(Bind.class);
            List<String> texts = bind.parameters().stream()
                    .map(value -> value.map(Bytes::toText).orElse("null"))
                    .toList();
            set.put(texts.get(0), texts.get(1));
            backend.expects(Execute.class);
        }
        assertThat(set).isEqualTo(values);
        backend.expects(new Sync());
    }

    private static void expectsReset(ServerConversation backend, String sql) {
        backend.expectsParse("", sql);
        backend.expects(Bind.class);
        backend.expects(Execute.class);
        backend.expects(new Sync());
    }

    private static void answersSet(ServerConversation backend, int times, String changed, String value) {
        List<org.pgporter.protocol.message.BackendMessage> answer = new ArrayList<>();
        answer.add(parseComplete());
        for (int i = 0; i < times; i++) {
            answer.add(bindComplete());
            answer.add(dataRow("set"));
            answer.add(commandComplete("SELECT 1"));
        }
        answer.add(parameterStatus(changed, value));
        answer.add(readyForQuery(IDLE));
        backend.sends(answer.toArray(org.pgporter.protocol.message.BackendMessage[]::new));
    }
}
