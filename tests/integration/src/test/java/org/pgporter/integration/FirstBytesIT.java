package org.pgporter.integration;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.argumentSet;
import static org.pgporter.support.BackendMessages.authenticationOk;
import static org.pgporter.support.BackendMessages.noticeResponse;
import static org.pgporter.support.BackendMessages.parameterStatus;
import static org.pgporter.support.BackendMessages.readyForQuery;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.pgporter.protocol.message.ProtocolVersion;
import org.pgporter.protocol.message.StartupMessage;
import org.pgporter.protocol.message.TransactionStatus;
import org.pgporter.support.RawClient;
import org.pgporter.support.ServerConversation;
import org.pgporter.support.TestPostgres;
import org.slf4j.LoggerFactory;

/// Startup packets and parameters of all sizes and kinds, the silence after a refusal, and what a server may send while
/// the node logs in there.
class FirstBytesIT {
    private static final String USER = "first_bytes";

    private static TestNode node;

    @BeforeAll
    static void start() {
        TestPostgres postgres = TestPostgres.shared();
        postgres.createUser(USER, "secret", "scram-sha-256");
        node = TestNode.inFrontOf(postgres.host(), postgres.port())
                .user("postgres", USER, postgres.secretOf(USER))
                .start();
    }

    @AfterAll
    static void stop() {
        node.close();
    }

    private static RawClient connection() {
        return RawClient.connects(node.host(), node.port());
    }

    // ---- clients -------------------------------------------------------------------------------------------------

    @ParameterizedTest
    @ValueSource(ints = {1, 999, 10_004})
    void shouldTakeTheLongestPacketInPieces_checklist3(int piece) {
        int longest = 10_004; // with its length word
        StartupMessage shorter = startup("");
        StartupMessage packet = startup("x".repeat(longest - encoded(shorter).length));
        byte[] bytes = encoded(packet);
        assertThat(bytes).hasSize(longest);
        try (RawClient client = connection()) {
            client.sendsSlowly(bytes, piece);
            client.logsInAfterStartup(USER, "secret");
            // PostgreSQL cuts an application name to 63 bytes.
            assertThat(client.query("show application_name")).containsExactly(List.of("x".repeat(63)));
        }
    }

    private static StartupMessage startup(String applicationName) {
        Map<String, String> parameters = new LinkedHashMap<>();
        parameters.put("user", USER);
        parameters.put("database", "postgres");
        parameters.put("application_name", applicationName);
        return new StartupMessage(ProtocolVersion.V3_0, parameters);
    }

    private static byte[] encoded(StartupMessage packet) {
        ByteBuf out = Unpooled.buffer();
        packet.encodeTo(out);
        return ByteBufUtil.getBytes(out);
    }

    /// Health checks of load balancers do that all day.
    @Test
    void shouldSayNothingOfWhoLeavesWithoutAByte_checklist14() {
        var root = (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
        ListAppender<ILoggingEvent> log = new ListAppender<>();
        log.start();
        root.addAppender(log);
        try {
            for (int i = 0; i < 50; i++) {
                connection().closes();
                connection().resets();
            }
            // When this one has been served, the others have been dealt with on all loops.
            for (int i = 0; i < 4; i++) {
                try (RawClient client = connection().logsIn(USER, "secret", "postgres")) {
                    client.query("select 1");
                }
            }
            node.awaitNothingHeld();
        } finally {
            root.detachAppender(log);
        }
        assertThat(List.copyOf(log.list))
                .filteredOn(event -> event.getLevel().isGreaterOrEqual(Level.WARN)
                        && event.getLoggerName().startsWith("org.pgporter"))
                .isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "extra_float_digits, 2, 2",
        "client_encoding, 'utf-8', UTF8",
        "client_encoding, latin1, LATIN1",
        "client_encoding, \"'utf-8'\", UTF8",
        "application_name, '', ''"
    })
    void shouldTakeWhatDriversSend_checklist16_17(String name, String value, String shown) {
        try (RawClient client = connection()) {
            client.logsIn(USER, "secret", "postgres", name, value);
            assertThat(client.query("show " + name)).containsExactly(List.of(shown));
        }
    }

    // ---- the end of a refused login --------------------------------------------------------------------------------

    static Stream<Arguments> refused() {
        return Stream.of(
                argumentSet("no user", (Object) packet("database\0postgres\0\0")),
                argumentSet("no terminator", (Object) packet("user\0ann\0")),
                argumentSet("an empty key", (Object) packet("user\0ann\0\0value\0\0")),
                argumentSet("a parameter that is none", (Object) packet("user\0ann\0no thing\0x\0\0")),
                argumentSet("options that are none", (Object) packet("user\0ann\0options\0-x\0\0")),
                argumentSet("replication that is none", (Object) packet("user\0ann\0replication\0maybe\0\0")),
                argumentSet("protocol 2", (Object)
                        ByteBuffer.allocate(8).putInt(8).putInt(0x00020000).array()));
    }

    @ParameterizedTest
    @MethodSource("refused")
    void shouldSendOneErrorAndNothingElseBeforeItCloses_checklist20(byte[] packet) throws IOException {
        try (Socket socket = new Socket(node.host(), node.port())) {
            socket.setSoTimeout(10_000);
            socket.getOutputStream().write(packet);
            byte[] answer = socket.getInputStream().readAllBytes();
            assertThat(answer[0]).isEqualTo((byte) 'E');
            assertThat(ByteBuffer.wrap(answer).getInt(1)).isEqualTo(answer.length - 1);
        }
    }

    private static byte[] packet(String parameters) {
        byte[] body = parameters.getBytes(US_ASCII);
        return ByteBuffer.allocate(8 + body.length)
                .putInt(8 + body.length)
                .putInt(0x00030000)
                .put(body)
                .array();
    }

    // ---- the login at the server -----------------------------------------------------------------------------------

    @ParameterizedTest
    @ValueSource(ints = {1_000, 70_000, 5_000_000})
    void shouldReadLargeMessagesInPiecesDuringTheLogin_checklist23_24(int piece) {
        String large = "x".repeat(900_000);
        try (Scene scene = Scene.withOneBackend()) {
            ServerConversation backend = scene.server().accept();
            backend.expectsStartup();
            backend.sendsSlowly(
                    ServerConversation.encoded(
                            noticeResponse("y".repeat(2_000_000)),
                            parameterStatus("before_authentication", "told"),
                            authenticationOk(),
                            noticeResponse("z".repeat(2_000_000)),
                            parameterStatus("large", large),
                            backend.key(),
                            readyForQuery(TransactionStatus.IDLE)),
                    piece);

            RawClient client = scene.client();

            assertThat(client.parameterStatus())
                    .containsEntry("large", large)
                    .containsEntry("before_authentication", "told");
            Scene.converse(client, backend, "next");
        }
    }

    // ---- errors of the server that lack what they must have
    // ----------------------------------------------------------

    /// Only a message, and nothing at all.
    private static final List<byte[]> ODD_ERRORS =
            List.of(error("Mwithout a code\0\0".getBytes(US_ASCII)), error("\0".getBytes(US_ASCII)));

    private static byte[] error(byte[] fields) {
        return ByteBuffer.allocate(5 + fields.length)
                .put((byte) 'E')
                .putInt(4 + fields.length)
                .put(fields)
                .array();
    }

    @Test
    void shouldPassOnAnErrorWithoutACode_checklist21() {
        try (Scene scene = Scene.withOneBackend()) {
            ServerConversation backend = scene.backend();
            RawClient client = scene.client();
            for (byte[] odd : ODD_ERRORS) {
                client.sendsQuery("select 1");
                backend.expectsQuery("select 1");
                backend.sendsRaw(odd);
                backend.sends(readyForQuery(TransactionStatus.IDLE));
                client.skips(odd.length);
                client.expectsReadyForQuery(TransactionStatus.IDLE);
                Scene.converse(scene.client(), backend, "next");
            }
        }
    }

    @Test
    void shouldSurviveAnErrorWithoutACodeDuringTheLogin_checklist21() {
        try (Scene scene = Scene.withOneBackend()) {
            for (byte[] odd : ODD_ERRORS) {
                ServerConversation backend = scene.server().accept();
                backend.expectsStartup();
                backend.sendsRaw(odd);
                backend.closes();
            }
            ServerConversation backend = scene.backend();
            Scene.converse(scene.client(), backend, "next");
        }
    }

    // ---- clients in the queue
    // ----------------------------------------------------------------------------------------

    @Test
    void shouldTakeNoBackendForWhoSaysGoodbyeInTheQueue_checklist72() {
        try (Scene scene = Scene.withOneBackend()) {
            ServerConversation backend = scene.backend();
            RawClient first = scene.client();
            RawClient leaving = scene.client();
            RawClient last = scene.client();
            first.sendsQuery("select 'first'");
            backend.expectsQuery("select 'first'");
            leaving.sendsQuery("select 'leaving'");
            leaving.terminates();
            org.awaitility.Awaitility.await()
                    .until(() -> scene.node().node().holdings().cancelKeys() == 2);
            last.sendsQuery("select 'last'");

            backend.sends(Scene.answer("first"));

            Scene.expectsAnswer(first, "first");
            backend.expectsQuery("select 'last'");
            backend.sends(Scene.answer("last"));
            Scene.expectsAnswer(last, "last");
        }
    }

    /// It cannot be told from one that is gone; documented as a deviation.
    @Test
    void shouldTakeAHalfClosedClientForGone_checklist86() {
        try (Scene scene = Scene.withOneBackend()) {
            ServerConversation backend = scene.backend();
            RawClient client = scene.client();
            client.sendsQuery("select 'half'");
            backend.expectsQuery("select 'half'");

            client.closesOutput();

            ServerConversation fresh =
                    Scene.cancelAndLogin(scene.server().accept(), scene.server().accept());
            backend.expectsTerminate();
            client.expectsClosed();
            Scene.converse(scene.client(), fresh, "next");
            assertThat(scene.server().connections()).isEqualTo(3);
        }
    }
}
