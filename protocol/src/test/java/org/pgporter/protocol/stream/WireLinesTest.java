package org.pgporter.protocol.stream;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.pgporter.protocol.codec.Batch;
import org.pgporter.protocol.codec.DecodePolicy;
import org.pgporter.protocol.message.AuthenticationSaslContinue;
import org.pgporter.protocol.message.BackendKeyData;
import org.pgporter.protocol.message.Bytes;
import org.pgporter.protocol.message.CancelRequest;
import org.pgporter.protocol.message.CopyFail;
import org.pgporter.protocol.message.DataRow;
import org.pgporter.protocol.message.PasswordMessage;
import org.pgporter.protocol.message.ProtocolVersion;
import org.pgporter.protocol.message.ProtocolViolation;
import org.pgporter.protocol.message.Query;
import org.pgporter.protocol.message.ReadyForQuery;
import org.pgporter.protocol.message.StartupMessage;
import org.pgporter.protocol.message.TransactionStatus;

class WireLinesTest {

    @Test
    void shouldShowMarkedFramesAndTheRunsBetweenThem() {
        Batch batch = Batch.of(
                DataRow.ofText("1"),
                new ReadyForQuery(TransactionStatus.IDLE),
                DataRow.ofText("1"),
                DataRow.ofText("2"));

        assertThat(lines(batch)).containsExactly("opaque bytes=12", "type=Z length=6 body=\"I\"", "opaque bytes=24");
    }

    @Test
    void shouldNotLetClientTextBreakALine() {
        assertThat(lines(Batch.of(new CopyFail("a\n\"b\\é"))))
                .containsExactly("type=f length=13 body=\"a\\x0a\\\"b\\\\\\xc3\\xa9\\0\"");
        assertThat(WireLines.of(
                        new Framed.Startup(new StartupMessage(ProtocolVersion.V3_0, Map.of("user", "a\nb")), false)))
                .containsExactly("packet=StartupMessage version=3.0 parameters=\"{user=a\\x0ab}\" moreBytes=false");
    }

    @Test
    void shouldCutLongBodies() {
        assertThat(lines(Batch.of(new CopyFail("x".repeat(5_000)))).getFirst())
                .hasSizeLessThan(300)
                .endsWith("\"...");
    }

    @Test
    void shouldNeverShowSecrets() {
        Bytes secret = Bytes.ofText("hidden");

        assertThat(lines(Batch.of(DecodePolicy.LOGIN, new PasswordMessage(secret))))
                .containsExactly("type=p length=12");
        assertThat(lines(Batch.of(new AuthenticationSaslContinue(secret), new BackendKeyData(1, secret))))
                .containsExactly("type=R length=15", "type=K length=15");
        assertThat(lines(Batch.of(new Query("alter role a password 'hidden'")))).containsExactly("type=Q length=36");
        assertThat(WireLines.of(new Framed.Startup(new CancelRequest(7, secret), false)))
                .containsExactly("packet=CancelRequest processId=7 moreBytes=false");
    }

    @Test
    void shouldShowViolations() {
        assertThat(WireLines.of(new Framed.Violated(ProtocolViolation.quiet("x"))))
                .containsExactly("violation sqlState=08P01 quiet=true message=\"x\"");
    }

    private static List<String> lines(Batch batch) {
        try {
            return WireLines.of(new Framed.Messages(batch));
        } finally {
            batch.release();
        }
    }
}
