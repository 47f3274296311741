package org.pgporter.protocol.stream;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.pekko.actor.ActorSystem;
import org.apache.pekko.stream.BoundedSourceQueue;
import org.apache.pekko.stream.QueueOfferResult;
import org.apache.pekko.stream.javadsl.Keep;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.stream.javadsl.SinkQueueWithCancel;
import org.apache.pekko.stream.javadsl.Source;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.pgporter.protocol.codec.Batch;
import org.pgporter.protocol.message.Bytes;
import org.pgporter.protocol.message.CommandComplete;
import org.pgporter.protocol.message.DataRow;
import org.pgporter.protocol.message.PasswordMessage;
import org.pgporter.protocol.message.ProtocolVersion;
import org.pgporter.protocol.message.Query;
import org.pgporter.protocol.message.ReadyForQuery;
import org.pgporter.protocol.message.SqlState;
import org.pgporter.protocol.message.SslRequest;
import org.pgporter.protocol.message.StartupMessage;
import org.pgporter.protocol.message.Sync;
import org.pgporter.protocol.message.TransactionStatus;
import org.pgporter.protocol.message.WireMessage;

class FramingStagesTest {

    private static final StartupMessage STARTUP = new StartupMessage(ProtocolVersion.V3_0, Map.of("user", "alice"));

    @SuppressWarnings("NullAway.Init")
    private static ActorSystem system;

    private final UnpooledByteBufAllocator alloc = new UnpooledByteBufAllocator(false);

    @BeforeAll
    static void start() {
        system = ActorSystem.create("framing");
    }

    @AfterAll
    static void stop() throws Exception {
        system.terminate();
        system.getWhenTerminated().toCompletableFuture().get(20, TimeUnit.SECONDS);
    }

    @AfterEach
    void shouldReleaseEverything() {
        assertThat(alloc.metric().usedHeapMemory()).isZero();
    }

    @Test
    void shouldFrameALoginAndWhatFollows() throws Exception {
        // Given
        var client = client();
        // When
        client.sends(new SslRequest());
        Framed ssl = client.receives();
        client.sends(STARTUP);
        Framed startup = client.receives();
        client.sends(new PasswordMessage(Bytes.ofText("x")));
        Framed password = client.receives();
        client.control.loggedIn();
        client.sends(new Query("a"), new Sync(), new Sync());
        Framed queries = client.receives();
        // Then
        assertThat(ssl).isEqualTo(new Framed.Startup(new SslRequest(), false));
        assertThat(startup).isEqualTo(new Framed.Startup(STARTUP, false));
        assertThat(types(password)).isEqualTo("p");
        assertThat(types(queries)).isEqualTo("QSS");
        client.ends();
    }

    @Test
    void shouldTellThatBytesCameBehindAnSslRequest() throws Exception {
        var client = client();
        client.sends(new SslRequest(), STARTUP);

        assertThat(client.receives()).isEqualTo(new Framed.Startup(new SslRequest(), true));
        assertThat(client.receives()).isEqualTo(new Framed.Startup(STARTUP, false));
        client.ends();
    }

    @Test
    void shouldLoseNothingThatIsPipelinedWithTheLogin() throws Exception {
        var client = client();
        client.sends(STARTUP, new PasswordMessage(Bytes.ofText("x")), new Query("a"), new Sync());

        assertThat(client.receives()).isEqualTo(new Framed.Startup(STARTUP, true));
        assertThat(types(client.receives())).isEqualTo("p");
        client.control.loggedIn();
        // The sink asks ahead: what was decoded before loggedIn came frame by frame.
        String first = types(client.receives());
        assertThat(first.equals("Q") ? first + types(client.receives()) : first).isEqualTo("QS");
        client.ends();
    }

    @Test
    void shouldEmitAViolationBehindWhatStoodBeforeItAndComplete_checklist74() throws Exception {
        ByteBuf bytes = encode(new ReadyForQuery(TransactionStatus.IDLE)).writeByte('?');
        List<Framed> framed = server(Source.<ByteBuf>maybe().prepend(Source.single(bytes)));

        assertThat(types(framed.getFirst())).isEqualTo("Z");
        assertThat(framed.get(1))
                .isInstanceOfSatisfying(
                        Framed.Violated.class,
                        violated -> assertThat(violated.violation().sqlState()).isEqualTo(SqlState.PROTOCOL_VIOLATION));
        assertThat(framed).hasSize(2);
    }

    @Test
    void shouldCompleteWithoutTheFrameThatTheEndCutsOff() throws Exception {
        ByteBuf bytes =
                encode(DataRow.ofText("1"), new CommandComplete("SELECT 1")).writeByte('Z');
        List<Framed> framed = server(Source.single(bytes));

        assertThat(framed.stream().map(FramingStagesTest::types)).containsExactly("C");
    }

    @Test
    void shouldReleaseWhatItHoldsWhenUpstreamFails() throws Exception {
        ByteBuf partial = alloc.buffer().writeByte('Z');
        var failing = Source.from(List.of(true, false)).map(connected -> {
            if (!connected) {
                throw new IllegalStateException("connection reset");
            }
            return partial;
        });
        var done =
                failing.via(new ServerFraming()).runWith(Sink.ignore(), system).toCompletableFuture();

        assertThat(done.handle((_, failure) -> failure).get(20, TimeUnit.SECONDS))
                .hasMessageContaining("connection reset");
        awaitReleased();
    }

    @Test
    void shouldReleaseWhatItHoldsWhenDownstreamCancels() throws Exception {
        List<Framed> framed = Source.single(encode(STARTUP, new Query("a"), new Query("b")))
                .concat(Source.maybe())
                .via(new ClientFraming())
                .take(1)
                .runWith(Sink.seq(), system)
                .toCompletableFuture()
                .get(20, TimeUnit.SECONDS);

        assertThat(framed).containsExactly(new Framed.Startup(STARTUP, true));
        awaitReleased();
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldWriteTheWireLogOnlyWhileTraceIsOn(boolean on) throws Exception {
        var logger = new TraceLogger(on);
        List<Framed> framed = Source.single(encode(new ReadyForQuery(TransactionStatus.IDLE)))
                .via(new ServerFraming(new WireLog("server-1<", logger)))
                .runWith(Sink.seq(), system)
                .toCompletableFuture()
                .get(20, TimeUnit.SECONDS);

        assertThat(framed.stream().map(FramingStagesTest::types)).containsExactly("Z");
        assertThat(logger.lines)
                .isEqualTo(on ? List.of("wire connection=server-1< type=Z length=6 body=\"I\"") : List.<String>of());
    }

    private List<Framed> server(Source<ByteBuf, ?> bytes) throws Exception {
        return bytes.via(new ServerFraming())
                .runWith(Sink.seq(), system)
                .toCompletableFuture()
                .get(20, TimeUnit.SECONDS);
    }

    private ByteBuf encode(WireMessage... messages) {
        ByteBuf bytes = alloc.buffer();
        for (WireMessage message : messages) {
            message.encodeTo(bytes);
        }
        return bytes;
    }

    /// The marked types of a batch, which is released.
    private static String types(Framed framed) {
        Batch batch = ((Framed.Messages) framed).batch();
        var types = new StringBuilder();
        for (int i = 0; i < batch.marks(); i++) {
            types.append((char) batch.type(i));
        }
        batch.release();
        return types.toString();
    }

    /// The stage stops in its own time.
    private void awaitReleased() {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        while (alloc.metric().usedHeapMemory() != 0 && System.nanoTime() < deadline) {
            Thread.onSpinWait();
        }
        assertThat(alloc.metric().usedHeapMemory()).isZero();
    }

    private Client client() {
        var bytes = Source.<ByteBuf>queue(16);
        var running = bytes.viaMat(new ClientFraming(), Keep.both())
                .toMat(Sink.<Framed>queue(), Keep.both())
                .run(system);
        return new Client(running.first().first(), running.first().second(), running.second());
    }

    private final class Client {
        private final BoundedSourceQueue<ByteBuf> out;
        private final FramingControl control;
        private final SinkQueueWithCancel<Framed> in;

        Client(BoundedSourceQueue<ByteBuf> out, FramingControl control, SinkQueueWithCancel<Framed> in) {
            this.out = out;
            this.control = control;
            this.in = in;
        }

        void sends(WireMessage... messages) {
            assertThat(out.offer(encode(messages))).isEqualTo(QueueOfferResult.enqueued());
        }

        Framed receives() throws Exception {
            return in.pull().toCompletableFuture().get(20, TimeUnit.SECONDS).orElseThrow();
        }

        void ends() throws Exception {
            out.complete();
            assertThat(in.pull().toCompletableFuture().get(20, TimeUnit.SECONDS))
                    .isEmpty();
        }
    }
}
