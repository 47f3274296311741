package org.pgporter.node.tls;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pgporter.config.ClientTlsMode;
import org.pgporter.config.ClientTlsOptions;
import org.pgporter.config.TlsOptions;
import org.pgporter.node.work.CpuWork;
import org.pgporter.protocol.message.Bytes;
import org.pgporter.protocol.message.CancelRequest;
import org.pgporter.protocol.message.ErrorResponse;
import org.pgporter.protocol.message.GssEncRequest;
import org.pgporter.protocol.message.ProtocolVersion;
import org.pgporter.protocol.message.Query;
import org.pgporter.protocol.message.SqlState;
import org.pgporter.protocol.message.SslRequest;
import org.pgporter.protocol.message.StartupMessage;
import org.pgporter.protocol.message.WireMessage;
import org.pgporter.support.TestPki;

class ClientNegotiationTest {
    private static final StartupMessage STARTUP = new StartupMessage(ProtocolVersion.V3_0, Map.of("user", "alice"));
    private static final Duration LIMIT = Duration.ofSeconds(10);

    @TempDir
    @SuppressWarnings("NullAway.Init")
    private static Path folder;

    @SuppressWarnings("NullAway.Init")
    private static TestPki.Identity identity;

    private static final CpuWork WORK = CpuWork.start("test-tls-");

    private final TlsCounters counters = new TlsCounters();
    private @Nullable EmbeddedChannel open;

    @BeforeAll
    static void make() {
        identity = TestPki.in(folder.resolve("pki")).server("localhost");
    }

    @AfterAll
    static void stop() {
        WORK.close();
    }

    @AfterEach
    void close() {
        if (open != null) {
            open.finishAndReleaseAll();
        }
    }

    // ---- without TLS

    @Test
    void shouldLetAStartupPacketThrough() {
        EmbeddedChannel channel = channel(Optional.empty());
        channel.writeInbound(bytes(STARTUP));
        assertThat(passedOn(channel)).isEqualTo(hex(STARTUP));
        assertThat(answers(channel)).isEmpty();
        assertThat(channel.pipeline().get(ClientNegotiation.class)).isNull();
    }

    @Test
    void shouldRefuseBothKindsOfEncryptionInLibpqsOrderAndGoOn() { // checklist 8
        EmbeddedChannel channel = channel(Optional.empty());
        channel.writeInbound(bytes(new GssEncRequest()));
        channel.writeInbound(bytes(new SslRequest()));
        channel.writeInbound(bytes(STARTUP, new Query("select 1")));
        assertThat(answers(channel)).isEqualTo("NN");
        assertThat(passedOn(channel)).isEqualTo(hex(STARTUP, new Query("select 1")));
    }

    @Test
    void shouldRefuseBothKindsOfEncryptionInTheOtherOrder() {
        EmbeddedChannel channel = channel(Optional.empty());
        channel.writeInbound(bytes(new SslRequest()));
        channel.writeInbound(bytes(new GssEncRequest()));
        channel.writeInbound(bytes(STARTUP));
        assertThat(answers(channel)).isEqualTo("NN");
        assertThat(passedOn(channel)).isEqualTo(hex(STARTUP));
    }

    @Test
    void shouldUnderstandARequestThatComesByteByByte() {
        EmbeddedChannel channel = channel(Optional.empty());
        ByteBuf request = bytes(new SslRequest(), STARTUP);
        // Each byte for itself, but the answer is awaited, as an honest client does.
        for (int i = 0; i < 8; i++) {
            channel.writeInbound(channel.alloc().directBuffer().writeByte(request.readByte()));
        }
        assertThat(answers(channel)).isEqualTo("N");
        channel.writeInbound(request);
        assertThat(passedOn(channel)).isEqualTo(hex(STARTUP));
    }

    @Test
    void shouldRefuseBytesBehindAnSslRequest() { // checklist 7
        EmbeddedChannel channel = channel(Optional.empty());
        ByteBuf sent = bytes(new SslRequest(), STARTUP);
        channel.writeInbound(sent);
        assertThat(sent.refCnt()).isZero();
        assertThat(one(channel)).isEqualTo('N');
        ErrorResponse error = error(channel);
        assertThat(channel.isOpen()).isFalse();
        assertThat(error.sqlState()).isEqualTo(SqlState.PROTOCOL_VIOLATION);
        assertThat(error.message()).isEqualTo("received unencrypted data after SSL request");
    }

    @Test
    void shouldRefuseBytesBehindAGssEncRequest() { // checklist 7
        EmbeddedChannel channel = channel(Optional.empty());
        channel.writeInbound(bytes(new GssEncRequest(), STARTUP));
        assertThat(one(channel)).isEqualTo('N');
        ErrorResponse error = error(channel);
        assertThat(channel.isOpen()).isFalse();
        assertThat(error.message()).isEqualTo("received unencrypted data after GSSAPI encryption request");
    }

    @Test
    void shouldRefuseASecondRequestAsAnUnknownProtocol() { // checklist 9
        EmbeddedChannel ssl = channel(Optional.empty());
        ssl.writeInbound(bytes(new SslRequest()));
        assertThat(answers(ssl)).isEqualTo("N");
        ssl.writeInbound(bytes(new SslRequest()));
        assertThat(error(ssl).message()).startsWith("unsupported frontend protocol 1234.5679");
        assertThat(ssl.isOpen()).isFalse();

        EmbeddedChannel gss = channel(Optional.empty());
        gss.writeInbound(bytes(new GssEncRequest()));
        assertThat(answers(gss)).isEqualTo("N");
        gss.writeInbound(bytes(new GssEncRequest()));
        assertThat(error(gss).sqlState()).isEqualTo(SqlState.FEATURE_NOT_SUPPORTED);
    }

    @Test
    void shouldLeaveNoiseToTheDecoder() {
        EmbeddedChannel channel = channel(Optional.empty());
        channel.writeInbound(Unpooled.copiedBuffer(new byte[] {0x16, 3, 1}));
        assertThat(passedOn(channel)).isEqualTo("160301");
    }

    // ---- with TLS

    @Test
    void shouldRefuseWhatWasStuffedBehindARequestThatWouldBeGranted() throws TlsProblem { // checklist 7
        ErrorResponse error = refusal(tls(options()), bytes(new SslRequest(), STARTUP));
        assertThat(error.message()).isEqualTo("received unencrypted data after SSL request");
    }

    @Test
    void shouldRefuseToServeWithoutTlsWhereItIsRequired() throws TlsProblem {
        ErrorResponse error = refusal(tls(options().withTlsMode(ClientTlsMode.REQUIRE)), bytes(STARTUP));
        assertThat(error.sqlState()).isEqualTo(SqlState.INVALID_AUTHORIZATION_SPECIFICATION);
        assertThat(error.message()).isEqualTo("Connection without SSL is not allowed by tls_mode.");
    }

    @Test
    void shouldTakeACancelRequestWithoutTlsEvenWhereItIsRequired() throws TlsProblem { // checklist 57
        EmbeddedChannel channel = channel(tls(options().withTlsMode(ClientTlsMode.REQUIRE)));
        CancelRequest cancel = new CancelRequest(7, Bytes.of(new byte[] {1, 2, 3, 4}));
        channel.writeInbound(bytes(cancel));
        assertThat(passedOn(channel)).isEqualTo(hex(cancel));
    }

    @Test
    void shouldFailTheHandshakeOnGarbage() throws TlsProblem {
        EmbeddedChannel channel = channel(tls(options()));
        channel.writeInbound(bytes(new SslRequest()));
        assertThat(answers(channel)).isEqualTo("S");
        channel.writeInbound(bytes(STARTUP));
        channel.runPendingTasks();
        assertThat(channel.isOpen()).isFalse();
        assertThat(counters.errors()).isEqualTo(1);
        assertThat(channel.<Object>readInbound()).isNull();
    }

    @Test
    void shouldCloseAtOnceWhenSomebodyWritesDuringTheHandshake() throws TlsProblem {
        EmbeddedChannel channel = channel(tls(options()));
        channel.writeInbound(bytes(new SslRequest()));
        ByteBuf last = bytes(
                ErrorResponse.of(org.pgporter.protocol.message.Severity.FATAL, SqlState.ADMIN_SHUTDOWN, "going away"));
        channel.writeOutbound(last);
        channel.runPendingTasks();
        assertThat(channel.isOpen()).isFalse();
        assertThat(last.refCnt()).isZero();
    }

    @Test
    void shouldLetHandshakesWaitForTheirTurn() throws TlsProblem {
        ClientTls limited = tls(options().withTlsRateLimitPerSecond(1)).orElseThrow();
        EmbeddedChannel first = channel(Optional.of(limited));
        first.writeInbound(bytes(new SslRequest()));
        assertThat(answers(first)).isEqualTo("S");
        first.finishAndReleaseAll();
        EmbeddedChannel second = channel(Optional.of(limited));
        second.freezeTime();
        second.writeInbound(bytes(new SslRequest()));
        assertThat(answers(second)).isEmpty();
        second.advanceTimeBy(1, java.util.concurrent.TimeUnit.SECONDS);
        second.runScheduledPendingTasks();
        assertThat(answers(second)).isEqualTo("S");
    }

    private Optional<ClientTls> tls(ClientTlsOptions options) throws TlsProblem {
        return Optional.of(ClientTls.of(TlsOptions.defaults(), options, LIMIT, WORK, counters));
    }

    private static ClientTlsOptions options() {
        return ClientTlsOptions.defaults().withIdentity(identity.certificate(), identity.key());
    }

    private EmbeddedChannel channel(Optional<ClientTls> tls) {
        if (open != null) {
            open.finishAndReleaseAll();
        }
        open = new EmbeddedChannel(new ClientNegotiation(tls));
        return open;
    }

    private ErrorResponse refusal(Optional<ClientTls> tls, ByteBuf sent) {
        EmbeddedChannel channel = channel(tls);
        channel.writeInbound(sent);
        assertThat(sent.refCnt()).isZero();
        ErrorResponse error = error(channel);
        assertThat(channel.isOpen()).isFalse();
        return error;
    }

    private static ErrorResponse error(EmbeddedChannel channel) {
        ByteBuf out = channel.readOutbound();
        assertThat(out).isNotNull();
        assertThat(out.readByte()).isEqualTo(ErrorResponse.TYPE);
        ErrorResponse error = ErrorResponse.decode(out.skipBytes(4).readSlice(out.readableBytes()));
        out.release();
        return error;
    }

    private static char one(EmbeddedChannel channel) {
        ByteBuf out = channel.readOutbound();
        assertThat(out).isNotNull();
        try {
            return (char) out.readByte();
        } finally {
            out.release();
        }
    }

    private static String answers(EmbeddedChannel channel) {
        StringBuilder answers = new StringBuilder();
        for (ByteBuf out = channel.readOutbound(); out != null; out = channel.readOutbound()) {
            answers.append(out.toString(java.nio.charset.StandardCharsets.US_ASCII));
            out.release();
        }
        return answers.toString();
    }

    private static String passedOn(EmbeddedChannel channel) {
        StringBuilder passed = new StringBuilder();
        for (ByteBuf in = channel.readInbound(); in != null; in = channel.readInbound()) {
            passed.append(io.netty.buffer.ByteBufUtil.hexDump(in));
            in.release();
        }
        return passed.toString();
    }

    private static String hex(WireMessage... messages) {
        ByteBuf bytes = bytes(messages);
        try {
            return io.netty.buffer.ByteBufUtil.hexDump(bytes);
        } finally {
            bytes.release();
        }
    }

    private static ByteBuf bytes(WireMessage... messages) {
        ByteBuf out = Unpooled.buffer();
        for (WireMessage message : messages) {
            message.encodeTo(out);
        }
        return out;
    }
}
