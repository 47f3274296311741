package org.pgporter.node.backend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.pgporter.node.backend.Wires.bytes;
import static org.pgporter.node.backend.Wires.joined;

import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.pkitesting.CertificateBuilder;
import io.netty.pkitesting.CertificateBuilder.Algorithm;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.pgporter.auth.AuthenticationStep;
import org.pgporter.auth.BackendProof;
import org.pgporter.auth.ClientResponse;
import org.pgporter.auth.Md5Hash;
import org.pgporter.auth.Secret;
import org.pgporter.auth.ServerChallenge;
import org.pgporter.auth.credential.SaltedPasswords;
import org.pgporter.auth.credential.ScramSecret;
import org.pgporter.auth.md5.Md5Response;
import org.pgporter.auth.scram.ScramServerExchange;
import org.pgporter.node.backend.BackendLogin.Step;
import org.pgporter.node.tls.TlsSession;
import org.pgporter.node.transport.RemoteAddress;
import org.pgporter.node.transport.SocketOptions;
import org.pgporter.protocol.codec.Batch;
import org.pgporter.protocol.codec.DecodePolicy;
import org.pgporter.protocol.message.AuthenticationCleartextPassword;
import org.pgporter.protocol.message.AuthenticationMd5Password;
import org.pgporter.protocol.message.AuthenticationOk;
import org.pgporter.protocol.message.AuthenticationSasl;
import org.pgporter.protocol.message.AuthenticationSaslContinue;
import org.pgporter.protocol.message.AuthenticationSaslFinal;
import org.pgporter.protocol.message.AuthenticationUnsupported;
import org.pgporter.protocol.message.BackendKeyData;
import org.pgporter.protocol.message.BindComplete;
import org.pgporter.protocol.message.Bytes;
import org.pgporter.protocol.message.CommandComplete;
import org.pgporter.protocol.message.ErrorResponse;
import org.pgporter.protocol.message.NoticeResponse;
import org.pgporter.protocol.message.ParameterStatus;
import org.pgporter.protocol.message.ParseComplete;
import org.pgporter.protocol.message.PasswordMessage;
import org.pgporter.protocol.message.ProtocolVersion;
import org.pgporter.protocol.message.ReadyForQuery;
import org.pgporter.protocol.message.SaslInitialResponse;
import org.pgporter.protocol.message.SaslResponse;
import org.pgporter.protocol.message.Severity;
import org.pgporter.protocol.message.SqlState;
import org.pgporter.protocol.message.StartupMessage;
import org.pgporter.protocol.message.TransactionStatus;
import org.pgporter.protocol.message.WireMessage;

class BackendLoginTest {
    private static final ByteBufAllocator ALLOCATOR = UnpooledByteBufAllocator.DEFAULT;
    private static final ReadyForQuery READY = new ReadyForQuery(TransactionStatus.IDLE);
    private static final BackendKeyData KEY =
            new BackendKeyData(4711, Bytes.of((byte) 1, (byte) 2, (byte) 3, (byte) 4));
    private static final Bytes SALT = Bytes.of((byte) 9, (byte) 8, (byte) 7, (byte) 6);
    private static final Secret PASSWORD = Secret.of("päss");
    private static final byte[] SCRAM_SALT = "sixteen bytes of".getBytes(StandardCharsets.US_ASCII);
    private static final AuthenticationSasl SASL = new AuthenticationSasl(List.of("SCRAM-SHA-256"));

    private static BackendLogin login(Optional<Secret> password, Optional<BackendProof> proof) {
        return login(password, proof, Optional.empty());
    }

    private static BackendLogin login(
            Optional<Secret> password, Optional<BackendProof> proof, Optional<TlsSession> tls) {
        BackendSettings settings = new BackendSettings(
                new RemoteAddress.Tcp("localhost", 5432),
                new SocketOptions(true, 0, 0, 0, Duration.ZERO, Optional.empty(), 8192),
                "rôle",
                "db",
                Map.of("search_path", "a, b"),
                Duration.ofSeconds(5),
                10,
                Optional.empty(),
                Duration.ofSeconds(30));
        return new BackendLogin(settings, password, proof, tls, new SecureRandom());
    }

    private final BackendLogin login = login(Optional.of(PASSWORD), Optional.empty());

    private static Step receive(BackendLogin login, WireMessage... messages) {
        return login.onBatch(Batch.of(DecodePolicy.BACKEND, messages), ALLOCATOR);
    }

    private static String sent(Step step) {
        assertThat(step).isInstanceOf(Step.Sends.class);
        return bytes(((Step.Sends) step).bytes());
    }

    private static ErrorResponse failure(Step step) {
        assertThat(step).isInstanceOf(Step.Failed.class);
        return ((Step.Failed) step).error();
    }

    private static Step.Done done(Step step) {
        assertThat(step).isInstanceOf(Step.Done.class);
        return (Step.Done) step;
    }

    private static PasswordMessage password(String text) {
        return new PasswordMessage(Bytes.ofText(text));
    }

    // ---- what every method has in common ---------------------------------------------------------------------

    @Test
    void shouldAskForProtocol30() {
        StartupMessage startup = new StartupMessage(
                ProtocolVersion.V3_0, Map.of("user", "rôle", "database", "db", "search_path", "a, b"));
        String sent = bytes(login.start(ALLOCATOR));
        assertThat(sent).hasSameSizeAs(joined(startup));
        assertThat(sent).contains("\0\3\0\0user\0").contains("database\0db\0search_path\0a, b\0");
    }

    @Test
    void shouldLogInWhereTheServerTrusts() {
        BackendLogin trusted = login(Optional.empty(), Optional.empty());
        Step.Done done = done(receive(
                trusted,
                new AuthenticationOk(),
                new ParameterStatus("TimeZone", "UTC"),
                new ParameterStatus("server_version", "18.0"),
                KEY,
                READY));
        assertThat(done.parameters().asMap())
                .containsExactlyInAnyOrderEntriesOf(Map.of("TimeZone", "UTC", "server_version", "18.0"));
        assertThat(done.key()).contains(KEY);
    }

    @Test
    void shouldTakeTheMessagesHoweverTheyAreBatched() { // checklist 23
        assertThat(receive(login, new AuthenticationOk())).isInstanceOf(Step.Waits.class);
        assertThat(receive(login, new ParameterStatus("a", "1"), KEY)).isInstanceOf(Step.Waits.class);
        assertThat(done(receive(login, READY)).parameters().get("A")).contains("1");
    }

    @Test
    void shouldLiveWithoutACancelKey() {
        assertThat(done(receive(login, new AuthenticationOk(), READY)).key()).isEmpty();
    }

    @Test
    void shouldTakeParametersAndNoticesBeforeTheServerLetsUsIn() { // checklist 24
        assertThat(receive(
                        login,
                        NoticeResponse.of(Severity.WARNING, SqlState.SUCCESSFUL_COMPLETION, "careful"),
                        new ParameterStatus("a", "1")))
                .isInstanceOf(Step.Waits.class);
        assertThat(done(receive(login, new AuthenticationOk(), READY))
                        .parameters()
                        .get("a"))
                .contains("1");
    }

    @Test
    void shouldPassTheServersErrorOn() {
        ErrorResponse error = ErrorResponse.of(Severity.FATAL, SqlState.INVALID_CATALOG_NAME, "no such database")
                .with('R', "InitPostgres");
        assertThat(failure(receive(login, error))).isEqualTo(error);
    }

    @Test
    void shouldUnderstandAnErrorWithoutACode() {
        String bare = "E\0\0\0\25SFATAL\0Mtoo old\0\0";
        Step step = login.onBatch(Wires.batch(DecodePolicy.BACKEND, Wires.buffer(bare)), ALLOCATOR);
        assertThat(failure(step).sqlState()).isEqualTo(SqlState.INTERNAL_ERROR);
        assertThat(failure(step).message()).isEqualTo("too old");
    }

    @Test
    void shouldRefuseAMethodThatItDoesNotKnow() {
        // 7 is GSSAPI.
        assertThat(failure(receive(login, new AuthenticationUnsupported(7, Bytes.EMPTY)))
                        .message())
                .contains("authentication method 7");
    }

    @Test
    void shouldRefuseWhatDoesNotBelongIntoALogin() {
        assertThat(failure(receive(login, new org.pgporter.protocol.message.CommandComplete("SELECT 1")))
                        .sqlState())
                .isEqualTo(SqlState.CONNECTION_FAILURE);
    }

    @Test
    void shouldRefuseAMessageThatCannotBeRead() {
        String broken = "R\0\0\0\5\0";
        assertThat(failure(login.onBatch(Wires.batch(DecodePolicy.BACKEND, Wires.buffer(broken)), ALLOCATOR))
                        .sqlState())
                .isEqualTo(SqlState.CONNECTION_FAILURE);
    }

    // ---- passwords -------------------------------------------------------------------------------------------

    @Test
    void shouldSendThePasswordInClearText() {
        assertThat(sent(receive(login, new AuthenticationCleartextPassword()))).isEqualTo(joined(password("päss")));
    }

    @Test
    void shouldAnswerMd5FromThePassword() {
        assertThat(sent(receive(login, new AuthenticationMd5Password(SALT))))
                .isEqualTo(joined(password(Md5Response.forPassword("rôle", PASSWORD, SALT.toArray()))));
    }

    @Test
    void shouldAnswerMd5FromTheHashOfAClient() {
        Md5Hash hash = Md5Response.hashOf("rôle", PASSWORD);
        BackendLogin fromHash = login(Optional.empty(), Optional.of(hash));
        assertThat(sent(receive(fromHash, new AuthenticationMd5Password(SALT))))
                .isEqualTo(joined(password(Md5Response.forHash(hash, SALT.toArray()))));
    }

    @Test
    void shouldAnswerMd5FromAConfiguredHash() {
        Md5Hash hash = Md5Response.hashOf("rôle", PASSWORD);
        BackendLogin fromText = login(Optional.of(Secret.of("md5" + hash.hex())), Optional.empty());
        assertThat(sent(receive(fromText, new AuthenticationMd5Password(SALT))))
                .isEqualTo(joined(password(Md5Response.forPassword("rôle", PASSWORD, SALT.toArray()))));
    }

    @Test
    void shouldNotTakeAConfiguredHashForAPassword() {
        Optional<Secret> hash = Optional.of(
                Secret.of("md5" + Md5Response.hashOf("rôle", PASSWORD).hex()));
        assertThat(failure(receive(login(hash, Optional.empty()), new AuthenticationCleartextPassword()))
                        .sqlState())
                .isEqualTo(SqlState.INVALID_PASSWORD);
        assertThat(failure(receive(login(hash, Optional.empty()), SASL)).sqlState())
                .isEqualTo(SqlState.INVALID_PASSWORD);
    }

    @ParameterizedTest
    @ValueSource(strings = {"md5", "md5ABCDEFABCDEFABCDEFABCDEFABCDEFABCDEF", "md5 of something else, 35 characters"})
    void shouldTakeWhatOnlyLooksLikeAHashForAPassword(String text) {
        BackendLogin plain = login(Optional.of(Secret.of(text)), Optional.empty());
        assertThat(sent(receive(plain, new AuthenticationCleartextPassword()))).isEqualTo(joined(password(text)));
    }

    @Test
    void shouldSayWhatIsMissing() {
        BackendProof hash = Md5Response.hashOf("rôle", PASSWORD);
        assertThat(failure(receive(login(Optional.empty(), Optional.empty()), new AuthenticationMd5Password(SALT)))
                        .message())
                .contains("MD5")
                .contains("rôle");
        assertThat(failure(receive(login(Optional.empty(), Optional.of(hash)), new AuthenticationCleartextPassword()))
                        .message())
                .contains("clear text");
        assertThat(failure(receive(login(Optional.empty(), Optional.of(hash)), SASL))
                        .message())
                .contains("SCRAM-SHA-256");
    }

    // ---- SCRAM -----------------------------------------------------------------------------------------------

    private final ScramServerExchange server = new ScramServerExchange(
            "rôle", ScramSecret.fromPassword(PASSWORD, SCRAM_SALT, 4096), Optional.empty(), new SecureRandom());

    /// From AuthenticationSASL to the server's first message.
    private AuthenticationSaslContinue serverFirst(BackendLogin login, AuthenticationSasl offer) {
        assertThat(server.start()).isInstanceOf(AuthenticationStep.Challenge.class);
        SaslInitialResponse initial = SaslInitialResponse.decode(body(sent(receive(login, offer))));
        assertThat(initial.mechanism()).isEqualTo("SCRAM-SHA-256");
        AuthenticationStep step = server.onResponse(new ClientResponse.SaslInitial(
                initial.mechanism(), initial.response().map(Bytes::toArray)));
        return new AuthenticationSaslContinue(Bytes.of(data(((AuthenticationStep.Challenge) step).challenge())));
    }

    private AuthenticationSaslFinal serverFinal(Step step) {
        SaslResponse last = SaslResponse.decode(body(sent(step)));
        AuthenticationStep end =
                server.onResponse(new ClientResponse.Sasl(last.response().toArray()));
        assertThat(end).isInstanceOf(AuthenticationStep.Authenticated.class);
        return new AuthenticationSaslFinal(
                Bytes.of(((AuthenticationStep.Authenticated) end).finalData().orElseThrow()));
    }

    private static byte[] data(ServerChallenge challenge) {
        return ((ServerChallenge.SaslContinue) challenge).data();
    }

    private static io.netty.buffer.ByteBuf body(String message) {
        return Wires.buffer(message.substring(5));
    }

    private static Step salted(BackendLogin login, Step step) {
        assertThat(step).isInstanceOf(Step.NeedsSaltedPassword.class);
        var asked = ((Step.NeedsSaltedPassword) step).derivation();
        return login.onSaltedPassword(
                SaltedPasswords.derive(asked.password(), asked.salt(), asked.iterations()), ALLOCATOR);
    }

    @Test
    void shouldLogInWithScramFromThePassword() {
        AuthenticationSaslContinue first = serverFirst(login, SASL);
        AuthenticationSaslFinal last = serverFinal(salted(login, receive(login, first)));
        assertThat(receive(login, last, new AuthenticationOk())).isInstanceOf(Step.Waits.class);
        assertThat(done(receive(login, KEY, READY)).key()).contains(KEY);
    }

    @Test
    void shouldLogInWithTheKeysOfAClient() {
        BackendProof keys = SaltedPasswords.keys(SaltedPasswords.derive(PASSWORD, SCRAM_SALT, 4096));
        BackendLogin fromKeys = login(Optional.empty(), Optional.of(keys));
        AuthenticationSaslContinue first = serverFirst(fromKeys, SASL);
        AuthenticationSaslFinal last = serverFinal(receive(fromKeys, first));
        done(receive(fromKeys, last, new AuthenticationOk(), READY));
    }

    @Test
    void shouldChooseThePlainMechanismBesidesPlus() {
        serverFirst(login, new AuthenticationSasl(List.of("SCRAM-SHA-256-PLUS", "SCRAM-SHA-256")));
    }

    @Test
    void shouldBindItselfToTheServersCertificate() throws Exception { // checklist 35, 36
        BackendLogin encrypted = login(Optional.of(PASSWORD), Optional.empty(), Optional.of(tls(Algorithm.ecp256)));
        for (List<String> offer : List.of(
                List.of("SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"),
                List.of("OAUTHBEARER", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"),
                List.of("SCRAM-SHA-256-PLUS"))) {
            assertThat(initial(encrypted, offer)).startsWith("SCRAM-SHA-256-PLUS:p=tls-server-end-point,,n=,r=");
        }
    }

    @Test
    void shouldTellTheServerThatItCouldHaveBoundItself() throws Exception {
        BackendLogin encrypted = login(Optional.of(PASSWORD), Optional.empty(), Optional.of(tls(Algorithm.ecp256)));
        assertThat(initial(encrypted, List.of("SCRAM-SHA-256"))).startsWith("SCRAM-SHA-256:y,,n=,r=");
    }

    @Test
    void shouldSayThatItCannotBindItself() throws Exception {
        BackendLogin withoutHash = login(Optional.of(PASSWORD), Optional.empty(), Optional.of(tls(Algorithm.ed25519)));
        assertThat(initial(withoutHash, List.of("SCRAM-SHA-256-PLUS", "SCRAM-SHA-256")))
                .startsWith("SCRAM-SHA-256:n,,n=,r=");
        assertThat(initial(login, List.of("SCRAM-SHA-256"))).startsWith("SCRAM-SHA-256:n,,n=,r=");
    }

    private static String initial(BackendLogin login, List<String> offer) {
        SaslInitialResponse initial =
                SaslInitialResponse.decode(body(sent(receive(login, new AuthenticationSasl(offer)))));
        return initial.mechanism() + ":" + initial.response().orElseThrow().toText();
    }

    private static TlsSession tls(Algorithm algorithm) throws Exception {
        return new TlsSession(
                "TLSv1.3",
                "TLS_AES_128_GCM_SHA256",
                Optional.empty(),
                Optional.empty(),
                List.of(),
                Optional.of(new CertificateBuilder()
                        .algorithm(algorithm)
                        .setIsCertificateAuthority(true)
                        .subject("CN=localhost")
                        .buildSelfSigned()
                        .getCertificate()));
    }

    @Test
    void shouldRefuseWhenOnlyPlusIsOffered() {
        ErrorResponse error = failure(receive(login, new AuthenticationSasl(List.of("SCRAM-SHA-256-PLUS"))));
        assertThat(error.message()).contains("SCRAM-SHA-256-PLUS");
    }

    @Test
    void shouldNotBelieveAWrongSignature() {
        AuthenticationSaslContinue first = serverFirst(login, SASL);
        serverFinal(salted(login, receive(login, first)));
        Bytes wrong = Bytes.ofText("v=" + "A".repeat(43) + "=");
        assertThat(failure(receive(login, new AuthenticationSaslFinal(wrong), new AuthenticationOk(), READY))
                        .message())
                .contains("signature");
    }

    @Test
    void shouldNotBelieveAServerThatLetsUsInWithoutProof() {
        receive(login, SASL);
        assertThat(failure(receive(login, new AuthenticationOk(), READY)).message())
                .contains("did not prove");
    }

    @Test
    void shouldNotBelieveAServerThatIsReadyWithoutProof() {
        AuthenticationSaslContinue first = serverFirst(login, SASL);
        sent(salted(login, receive(login, first)));
        assertThat(failure(receive(login, READY)).message()).contains("did not prove");
    }

    @Test
    void shouldTellARefusalOfTheServer() {
        AuthenticationSaslContinue first = serverFirst(login, SASL);
        sent(salted(login, receive(login, first)));
        AuthenticationSaslFinal refusal = new AuthenticationSaslFinal(Bytes.ofText("e=invalid-proof"));
        assertThat(failure(receive(login, refusal)).message()).contains("invalid-proof");
    }

    @Test
    void shouldRefuseSaslMessagesOutOfTurn() {
        AuthenticationSaslFinal last = new AuthenticationSaslFinal(Bytes.ofText("v=AAAA"));
        assertThat(failure(receive(login, last)).message()).contains("out of turn");
        AuthenticationSaslContinue first = serverFirst(login, SASL);
        assertThat(failure(receive(login, last)).message()).contains("out of turn");

        BackendLogin again = login(Optional.of(PASSWORD), Optional.empty());
        receive(again, SASL);
        assertThat(failure(receive(again, first)).message()).as("another nonce").isNotEmpty();
        assertThat(failure(receive(again, first)).message()).contains("out of turn");
    }

    @Test
    void shouldRefuseASecondContinueWhileThePasswordIsBeingDerived() {
        AuthenticationSaslContinue first = serverFirst(login, SASL);
        assertThat(receive(login, first)).isInstanceOf(Step.NeedsSaltedPassword.class);
        assertThat(failure(receive(login, first)).message()).contains("out of turn");
    }

    // ---- who it is beyond its login --------------------------------------------------------------------------

    private static BackendLogin as(BackendIdentity identity) {
        return new BackendLogin(
                new BackendSettings(
                        new RemoteAddress.Tcp("localhost", 5432),
                        new SocketOptions(true, 0, 0, 0, Duration.ZERO, Optional.empty(), 8192),
                        "rôle",
                        "db",
                        identity,
                        Map.of("ROLE", "somebody", "Default_Transaction_Read_Only", "off"),
                        Duration.ofSeconds(5),
                        10,
                        Optional.empty(),
                        Duration.ofSeconds(30)),
                Optional.of(PASSWORD),
                Optional.empty(),
                Optional.empty(),
                new SecureRandom());
    }

    @Test
    void shouldStandInTheStartupPacketWhoItIs() {
        StartupMessage startup = new StartupMessage(
                ProtocolVersion.V3_0,
                Map.of("user", "rôle", "database", "db", "role", "analyst", "default_transaction_read_only", "on"));
        String sent =
                bytes(as(new BackendIdentity(Optional.of("analyst"), true)).start(ALLOCATOR));
        assertThat(sent).hasSameSizeAs(joined(startup));
        assertThat(sent).contains("role\0analyst\0").contains("default_transaction_read_only\0on\0");
    }

    @Test
    void shouldAskWhetherItIsWhoItShouldBe() {
        for (BackendIdentity identity : List.of(
                new BackendIdentity(Optional.of("analyst"), false), new BackendIdentity(Optional.empty(), true))) {
            BackendLogin confirmed = as(identity);
            assertThat(receive(confirmed, new AuthenticationOk(), READY)).isInstanceOf(Step.Sends.class);
            assertThat(receive(
                            confirmed, new ParseComplete(), new BindComplete(), new CommandComplete("SELECT 1"), READY))
                    .isInstanceOf(Step.Done.class);

            BackendLogin other = as(identity);
            receive(other, new AuthenticationOk(), READY);
            assertThat(failure(receive(
                                    other,
                                    new ParseComplete(),
                                    new BindComplete(),
                                    new CommandComplete("SELECT 0"),
                                    READY))
                            .sqlState()
                            .code())
                    .isIn("42501", "25006");

            BackendLogin silent = as(identity);
            receive(silent, new AuthenticationOk(), READY);
            failure(receive(silent, READY));
        }
    }

    @Test
    void shouldNotTakeAnAnswerToWhatItHasNotAsked() {
        failure(receive(login, new AuthenticationOk(), new CommandComplete("SELECT 1")));
    }
}
