package org.pgporter.integration;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.argumentSet;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.time.Duration;
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
import org.pgporter.protocol.message.AuthenticationMd5Password;
import org.pgporter.protocol.message.Bytes;
import org.pgporter.protocol.message.ErrorResponse;
import org.pgporter.protocol.message.NegotiateProtocolVersion;
import org.pgporter.protocol.message.PasswordMessage;
import org.pgporter.protocol.message.ProtocolVersion;
import org.pgporter.protocol.message.Query;
import org.pgporter.protocol.message.SslRequest;
import org.pgporter.protocol.message.StartupMessage;
import org.pgporter.protocol.message.WireMessage;
import org.pgporter.support.RawClient;
import org.pgporter.support.ScriptedServer;
import org.pgporter.support.TestPostgres;

/// From the first byte of a client to the end of its login, in order and out of order.
class StartupIT {
    private static final String USER = "startup_user";
    private static final int VERSION_3_0 = 0x00030000;

    private static TestNode node;

    @BeforeAll
    static void start() {
        TestPostgres postgres = TestPostgres.shared();
        postgres.createUser(USER, "secret", "md5");
        node = TestNode.inFrontOf(postgres.host(), postgres.port())
                .user("postgres", USER, postgres.secretOf(USER))
                .start();
    }

    @AfterAll
    static void stop() {
        node.close();
    }

    // ---- noise ---------------------------------------------------------------------------------------------

    static Stream<Arguments> noise() {
        return Stream.of(
                argumentSet("length zero", (Object) packet(0, VERSION_3_0)),
                argumentSet("length of itself only", (Object) packet(4, VERSION_3_0)),
                argumentSet("length seven", (Object) packet(7, VERSION_3_0)),
                argumentSet("negative length", (Object) packet(-1, VERSION_3_0)),
                argumentSet("greatest length", (Object) packet(Integer.MAX_VALUE, VERSION_3_0)),
                argumentSet("one more than PostgreSQL takes", (Object) packet(10_005, VERSION_3_0)),
                argumentSet("HTTP", (Object) "GET / HTTP/1.1\r\nHost: db\r\n\r\n".getBytes(US_ASCII)),
                argumentSet("SSH", (Object) "SSH-2.0-OpenSSH_9.9\r\n".getBytes(US_ASCII)),
                argumentSet("TLS", (Object) new byte[] {0x16, 3, 1, 2, 0, 1, 0, 1, (byte) 0xfc}));
    }

    @ParameterizedTest
    @MethodSource("noise")
    void shouldCloseWithoutAWordOnNoise(byte[] noise) { // checklist 1, 10, 13
        assertThat(answerTo(noise)).isEmpty();
        assertThatClientsAreServed();
    }

    @Test
    void shouldRefuseProtocol2() { // checklist 13
        assertThat(errorOf(answerTo(packet(8, 0x00020000))).sqlState().code()).isEqualTo("0A000");
    }

    static Stream<Arguments> malformed() {
        return Stream.of(
                argumentSet("no final zero", (Object) startup("user\0ann\0")),
                argumentSet("no zero at all", (Object) startup("user")),
                argumentSet("a name without a value", (Object) startup("user\0ann\0database\0\0")),
                argumentSet("nothing at all", (Object) startup("")),
                argumentSet("more after the end", (Object) startup("user\0ann\0\0more\0")));
    }

    @ParameterizedTest
    @MethodSource("malformed")
    void shouldRefuseAMalformedStartupMessage(byte[] packet) { // checklist 2
        ErrorResponse error = errorOf(answerTo(packet));

        assertThat(error.sqlState().code()).isEqualTo("08P01");
        assertThat(error.fields()).containsEntry('S', "FATAL").containsEntry('V', "FATAL");
        assertThat(error.message()).isNotBlank();
        assertThatClientsAreServed();
    }

    @Test
    void shouldNotMindWhoLeavesInTheMiddle() { // checklist 14
        byte[] startup = encoded(new StartupMessage(ProtocolVersion.V3_0, Map.of("user", USER)));
        for (int length = 0; length <= startup.length; length += 3) {
            try (RawClient closing = connection();
                    RawClient resetting = connection()) {
                closing.sendsRaw(java.util.Arrays.copyOf(startup, length));
                resetting.sendsRaw(java.util.Arrays.copyOf(startup, length));
                resetting.resets();
            }
        }
        node.awaitNothingHeld();
        assertThatClientsAreServed();
    }

    // ---- time ----------------------------------------------------------------------------------------------

    @Test
    void shouldEndLoginsThatTakeTooLong() { // checklist 25
        try (ScriptedServer silent = ScriptedServer.start();
                TestNode impatient = TestNode.inFrontOf(silent.host(), silent.port())
                        .user("shop", "app", "secret")
                        .general(general ->
                                general.withLimits(general.limits().withClientLoginTimeout(Duration.ofMillis(700))))
                        .start();
                RawClient mute = RawClient.connects(impatient.host(), impatient.port());
                RawClient half = RawClient.connects(impatient.host(), impatient.port());
                RawClient hesitant = RawClient.connects(impatient.host(), impatient.port());
                RawClient waiting = RawClient.connects(impatient.host(), impatient.port())) {
            half.sendsRaw((byte) 0, (byte) 0, (byte) 0, (byte) 50, (byte) 0);
            hesitant.sendsStartup("app", "shop");

            // The login includes the wait for the first backend, and this one never answers.
            ErrorResponse error = waiting.logsInExpectingError("app", "secret", "shop");

            assertThat(error.sqlState().code()).isEqualTo("57014");
            assertThat(error.message()).contains("client_login_timeout");
            hesitant.expects(org.pgporter.protocol.message.AuthenticationSasl.class);
            hesitant.expectsError("57014");
            hesitant.expectsClosed();
            half.expectsClosed();
            mute.expectsClosed();
            waiting.expectsClosed();
        }
    }

    // ---- pieces --------------------------------------------------------------------------------------------

    @Test
    void shouldTakeALoginByteByByte() { // checklist 3
        byte[] startup =
                encoded(new StartupMessage(ProtocolVersion.V3_0, Map.of("user", USER, "database", "postgres")));
        try (RawClient client = connection()) {
            client.sendsSlowly(startup, 1);
            client.logsInAfterStartup(USER, "secret");
            client.sendsSlowly(encoded(new Query("select 'piecemeal'")), 1);
            client.expects(org.pgporter.protocol.message.RowDescription.class);
            client.expectsRow("piecemeal");
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 1000, 64_000})
    void shouldTakeAPasswordUpTo64KilobytesInFragments(int length) { // checklist 22
        try (RawClient client = connection()) {
            client.sendsStartup(USER, "postgres").expects(AuthenticationMd5Password.class);

            client.sendsSlowly(encoded(new PasswordMessage(Bytes.ofText("x".repeat(length)))), 777);

            client.expectsError("28P01");
            client.expectsClosed();
        }
    }

    @Test
    void shouldRefuseAPasswordAboveTheLimit() { // checklist 22
        try (RawClient client = connection()) {
            client.sendsStartup(USER, "postgres").expects(AuthenticationMd5Password.class);

            client.sendsRaw((byte) 'p', (byte) 0, (byte) 1, (byte) 0, (byte) 0);

            client.expectsError("08P01");
            client.expectsClosed();
        }
    }

    // ---- encryption ----------------------------------------------------------------------------------------

    @ParameterizedTest
    @ValueSource(strings = {"S", "G", "SG", "GS"})
    void shouldRefuseEncryptionAndGoOn(String requests) { // checklist 8
        try (RawClient client = connection()) {
            for (char request : requests.toCharArray()) {
                assertThat(request == 'S' ? client.sendsSslRequest() : client.sendsGssEncRequest())
                        .isEqualTo('N');
            }
            client.logsIn(USER, "secret", "postgres");
        }
    }

    @Test
    void shouldRefuseASecondSslRequest() { // checklist 9
        try (RawClient client = connection()) {
            client.sendsSslRequest();

            client.sends(new SslRequest());

            client.expectsError("0A000");
            client.expectsClosed();
        }
    }

    @ParameterizedTest
    @CsvSource({"SSL,SSL request", "GSS,GSSAPI encryption request"})
    void shouldRefuseWhatWasSentBehindARequestForEncryption(String kind, String words) { // checklist 7
        WireMessage request = kind.equals("SSL") ? new SslRequest() : new org.pgporter.protocol.message.GssEncRequest();
        byte[] stuffed = encoded(
                request, new StartupMessage(ProtocolVersion.V3_0, Map.of("user", USER, "database", "postgres")));

        byte[] answer = answerTo(stuffed);

        assertThat(answer[0]).isEqualTo((byte) 'N');
        ErrorResponse error = errorOf(java.util.Arrays.copyOfRange(answer, 1, answer.length));
        assertThat(error.sqlState().code()).isEqualTo("08P01");
        assertThat(error.message()).isEqualTo("received unencrypted data after " + words);
    }

    // ---- versions and options --------------------------------------------------------------------------------

    @ParameterizedTest
    @CsvSource({"3,0,4", "3,1,4", "3,2,32"})
    void shouldSpeakVersionsItKnows(int major, int minor, int keyLength) { // checklist 11
        try (RawClient client = connection().speaks(new ProtocolVersion(major, minor))) {
            client.logsIn(USER, "secret", "postgres");

            assertThat(client.transcript()).doesNotContain("NegotiateProtocolVersion");
            assertThat(client.backendKey().secret().size()).isEqualTo(keyLength);
        }
    }

    @ParameterizedTest
    @CsvSource({"0,3.0,_pq_.one", "2,3.2,_pq_.one", "3,3.2,", "9999,3.2,_pq_.test_protocol_negotiation"})
    void shouldNegotiateOnce(int minor, String agreed, String option) { // checklist 11
        String[] options = option == null ? new String[0] : new String[] {option, "on"};
        List<String> unknown = option == null ? List.of() : List.of(option);
        try (RawClient client = connection().speaks(new ProtocolVersion(3, minor))) {
            client.sendsStartup(USER, "postgres", options);

            NegotiateProtocolVersion answer = client.expects(NegotiateProtocolVersion.class);

            assertThat(answer.newest()).hasToString(agreed);
            assertThat(answer.unrecognized()).isEqualTo(unknown);
            client.logsInAfterStartup(USER, "secret");
            assertThat(client.transcript().lines().filter(line -> line.contains("NegotiateProtocolVersion")))
                    .hasSize(1);
            assertThat(client.query("select 1")).hasSize(1);
        }
    }

    @Test
    void shouldApplyOptions() { // checklist 15
        String options = "-c geqo=off --work-mem=5MB -cDateStyle=German -c application_name=a\\ b\\\\c";
        try (RawClient client = connection()) {
            client.logsIn(USER, "secret", "postgres", "options", options);

            assertThat(client.query("show geqo; show work_mem; show datestyle; show application_name"))
                    .containsExactly(List.of("off"), List.of("5MB"), List.of("German, DMY"), List.of("a b\\c"));
        }
    }

    @ParameterizedTest
    @CsvSource({
        "options,-x,42601",
        "options,-c nonsense,42601",
        "options,-c no_such_thing=1,42704",
        "options,-c work_mem=many,22023",
        "no_such_thing,1,42704",
        "TimeZone,Nowhere/Land,22023",
        "client_encoding,KLINGON,22023"
    })
    void shouldRefuseParametersAsPostgresDoes(String name, String value, String sqlState) { // checklist 16
        try (RawClient client = connection()) {
            ErrorResponse error = client.logsInExpectingError(USER, "secret", "postgres", name, value);

            assertThat(error.sqlState().code()).isEqualTo(sqlState);
            assertThat(error.fields()).containsEntry('S', "FATAL").containsEntry('V', "FATAL");
            client.expectsClosed();
        }
        assertThatClientsAreServed();
    }

    // ---- who ------------------------------------------------------------------------------------------------

    @Test
    void shouldRefuseAStartupWithoutAUser() { // checklist 5
        try (RawClient client = connection()) {
            client.sends(new StartupMessage(ProtocolVersion.V3_0, Map.of("database", "postgres")));
            client.expectsError("28000");
            client.expectsClosed();
        }
    }

    @Test
    void shouldTakeTheUserForTheDatabaseWhenThereIsNone() { // checklist 5
        try (RawClient without = connection();
                RawClient empty = connection()) {
            without.sends(new StartupMessage(ProtocolVersion.V3_0, Map.of("user", USER)));
            without.expects(AuthenticationMd5Password.class);
            ErrorResponse error = empty.logsInExpectingError(USER, "secret", "");

            assertThat(error.sqlState().code()).isEqualTo("3D000");
            assertThat(error.message()).isEqualTo("database \"" + USER + "\" does not exist");
        }
    }

    @Test
    void shouldNotCutLongNames() { // checklist 6
        String tail = "x".repeat(200);
        try (RawClient longUser = connection();
                RawClient longDatabase = connection()) {
            ErrorResponse noUser = longUser.logsInExpectingError(USER + tail, "secret", "postgres");
            assertThat(noUser.sqlState().code()).isEqualTo("28P01");
            ErrorResponse noDatabase = longDatabase.logsInExpectingError(USER, "secret", "postgres" + tail);
            assertThat(noDatabase.sqlState().code()).isEqualTo("3D000");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"false", "off", "no", "0"})
    void shouldTakeNoReplicationForAnOrdinarySession_checklist17(String value) {
        try (RawClient client = connection()) {
            client.logsIn(USER, "secret", "postgres", "replication", value);
            assertThat(client.query("select 1")).hasSize(1);
        }
    }

    /// The role may not replicate: what the client hears is what PostgreSQL says to that.
    @ParameterizedTest
    @ValueSource(strings = {"true", "database"})
    void shouldPassOnWhyAUserMayNotReplicate_checklist17(String value) {
        try (RawClient client = connection()) {
            ErrorResponse error = client.logsInExpectingError(USER, "secret", "postgres", "replication", value);
            assertThat(error.sqlState().code()).isEqualTo(value.equals("true") ? "28000" : "42501");
            client.expectsClosed();
        }
        assertThatClientsAreServed();
    }

    // ---- out of turn -------------------------------------------------------------------------------------------

    @Test
    void shouldRefuseAQueryInsteadOfAPassword() {
        try (RawClient client = connection()) {
            client.sendsStartup(USER, "postgres").expects(AuthenticationMd5Password.class);
            client.sendsQuery("select 1");
            client.expectsError("08P01");
            client.expectsClosed();
        }
    }

    @Test
    void shouldRefuseASecondStartup() { // checklist 4
        try (RawClient client = connection()) {
            client.logsIn(USER, "secret", "postgres").sendsStartup(USER, "postgres");
            client.expectsError("08P01");
            client.expectsClosed();
        }
    }

    // ---- words -------------------------------------------------------------------------------------------------

    private static RawClient connection() {
        return RawClient.connects(node.host(), node.port());
    }

    private static void assertThatClientsAreServed() {
        try (RawClient client = connection()) {
            client.logsIn(USER, "secret", "postgres");
            assertThat(client.query("select 1")).containsExactly(List.of("1"));
        }
    }

    private static byte[] packet(int length, int code) {
        return ByteBuffer.allocate(8).putInt(length).putInt(code).array();
    }

    private static byte[] startup(String parameters) {
        byte[] body = parameters.getBytes(US_ASCII);
        return ByteBuffer.allocate(8 + body.length)
                .putInt(8 + body.length)
                .putInt(VERSION_3_0)
                .put(body)
                .array();
    }

    private static byte[] encoded(WireMessage... messages) {
        ByteBuf out = Unpooled.buffer();
        for (WireMessage message : messages) {
            message.encodeTo(out);
        }
        return io.netty.buffer.ByteBufUtil.getBytes(out);
    }

    /// Everything that the node says until it closes.
    private static byte[] answerTo(byte[] bytes) {
        try (Socket socket = new Socket(node.host(), node.port())) {
            socket.setSoTimeout(5_000);
            socket.getOutputStream().write(bytes);
            try {
                return socket.getInputStream().readAllBytes();
            } catch (SocketException _) {
                return new byte[0]; // reset, because not everything was read
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static ErrorResponse errorOf(byte[] answer) {
        ByteBuf in = Unpooled.wrappedBuffer(answer);
        assertThat(in.readByte()).isEqualTo((byte) 'E');
        assertThat(in.readInt()).isEqualTo(answer.length - 1);
        return ErrorResponse.decode(in);
    }
}
