package org.pgporter.node.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.stream.javadsl.Source;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.pgporter.protocol.codec.Batch;
import org.pgporter.protocol.message.GssEncRequest;
import org.pgporter.protocol.message.ProtocolVersion;
import org.pgporter.protocol.message.ProtocolViolation;
import org.pgporter.protocol.message.Query;
import org.pgporter.protocol.message.SqlState;
import org.pgporter.protocol.message.SslRequest;
import org.pgporter.protocol.message.StartupMessage;
import org.pgporter.protocol.message.StartupPacket;
import org.pgporter.protocol.stream.Framed;

class EncryptionNegotiationTest {
    private static final Framed STARTUP =
            packet(new StartupMessage(ProtocolVersion.V3_0, Map.of("user", "alice")), false);
    private static final Framed SSL = packet(new SslRequest(), false);
    private static final Framed GSS = packet(new GssEncRequest(), false);

    @SuppressWarnings("NullAway.Init")
    private static ActorSystem system;

    private final ConcurrentLinkedQueue<Character> answers = new ConcurrentLinkedQueue<>();

    @BeforeAll
    static void start() {
        system = ActorSystem.create("negotiation");
    }

    @AfterAll
    static void stop() throws Exception {
        system.terminate();
        system.getWhenTerminated().toCompletableFuture().get(20, TimeUnit.SECONDS);
    }

    @Test
    void shouldLetAStartupPacketThrough() {
        assertThat(through(STARTUP)).containsExactly(STARTUP);
        assertThat(answers).isEmpty();
    }

    @Test
    void shouldRefuseBothKindsOfEncryptionInLibpqsOrderAndGoOn() { // checklist 8
        assertThat(through(GSS, SSL, STARTUP)).containsExactly(STARTUP);
        assertThat(answers).containsExactly('N', 'N');
    }

    @Test
    void shouldRefuseBothKindsOfEncryptionInTheOtherOrder() {
        assertThat(through(SSL, GSS, STARTUP)).containsExactly(STARTUP);
        assertThat(answers).containsExactly('N', 'N');
    }

    @Test
    void shouldPassMessagesOfTheSessionUntouched() {
        // Given
        Framed query = new Framed.Messages(Batch.of(new Query("select 1")));

        // When, Then
        assertThat(through(SSL, STARTUP, query)).containsExactly(STARTUP, query);
    }

    @Test
    void shouldRefuseBytesBehindAnSslRequest() { // checklist 7
        // When
        var out = through(packet(new SslRequest(), true), STARTUP);

        // Then
        assertThat(violation(out).sqlState()).isEqualTo(SqlState.PROTOCOL_VIOLATION);
        assertThat(violation(out)).hasMessage("received unencrypted data after SSL request");
    }

    @Test
    void shouldRefuseBytesBehindAGssEncRequest() { // checklist 7
        // When
        var out = through(packet(new GssEncRequest(), true), STARTUP);

        // Then
        assertThat(violation(out)).hasMessage("received unencrypted data after GSSAPI encryption request");
    }

    @Test
    void shouldRefuseASecondRequestAsAnUnknownProtocol() { // checklist 9
        // When
        var ssl = through(SSL, SSL, STARTUP);
        var gss = through(GSS, GSS, STARTUP);

        // Then
        assertThat(violation(ssl).sqlState()).isEqualTo(SqlState.FEATURE_NOT_SUPPORTED);
        assertThat(violation(ssl)).hasMessageStartingWith("unsupported frontend protocol 1234.5679");
        assertThat(violation(gss)).hasMessageStartingWith("unsupported frontend protocol 1234.5680");
        assertThat(answers).containsExactly('N', 'N');
    }

    private static ProtocolViolation violation(List<Framed> out) {
        assertThat(out).hasSize(1);
        assertThat(out.getFirst()).isInstanceOf(Framed.Violated.class);
        return ((Framed.Violated) out.getFirst()).violation();
    }

    private List<Framed> through(Framed... elements) {
        return Source.from(List.of(elements))
                .via(new EncryptionNegotiation(answer -> answers.add((char) answer.byteValue())))
                .runWith(Sink.seq(), system)
                .toCompletableFuture()
                .orTimeout(10, TimeUnit.SECONDS)
                .join();
    }

    private static Framed packet(StartupPacket packet, boolean moreBytes) {
        return new Framed.Startup(packet, moreBytes);
    }
}
