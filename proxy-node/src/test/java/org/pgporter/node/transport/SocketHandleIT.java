package org.pgporter.node.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.OutputStream;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.pekko.Done;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.stream.javadsl.SinkQueueWithCancel;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;

@ParameterizedClass
@MethodSource("org.pgporter.node.transport.Loops#kinds")
@Timeout(30)
class SocketHandleIT {
    private static final int MEGABYTE = 1024 * 1024;

    @Parameter
    @SuppressWarnings("NullAway.Init")
    IoKind kind;

    @SuppressWarnings("NullAway.Init")
    private Loops loops;

    @SuppressWarnings("NullAway.Init")
    private Socket client;

    @SuppressWarnings("NullAway.Init")
    private SocketHandle server;

    @BeforeEach
    void connect() throws Exception {
        loops = Loops.start(kind, 1);
        var listener = loops.listen();
        client = Loops.connect(listener);
        server = loops.accept();
    }

    @AfterEach
    void disconnect() throws Exception {
        client.close();
        loops.close();
    }

    @Test
    void shouldCarryBytesBothWays() throws Exception {
        // Given
        byte[] sent = random(3 * MEGABYTE);
        loops.read(server, Sink.foreach(server::writeAndFlush));

        // When
        var writing = inBackground(out -> out.write(sent));
        byte[] echoed = client.getInputStream().readNBytes(sent.length);

        // Then
        assertThat(echoed).isEqualTo(sent);
        writing.join();
    }

    @Test
    void shouldReadNoFurtherThanSomebodyWantsAndLoseNothing() throws Exception {
        // Given a peer that sends 64 MB, and nobody who wants them
        int total = 64 * MEGABYTE;
        byte[] pattern = random(MEGABYTE);
        SinkQueueWithCancel<ByteBuf> queue = loops.read(server, Sink.queue(1));
        var writing = inBackground(out -> {
            for (int i = 0; i < total / MEGABYTE; i++) {
                out.write(pattern);
            }
        });

        // When
        await().until(() -> waiting() > SocketReader.HIGH_WATER);

        // Then what has been read stays the same: it has paused, at most a read later
        long paused = waiting();
        assertThat(paused).isLessThanOrEqualTo(SocketReader.HIGH_WATER + 256 * 1024);
        await().during(Duration.ofMillis(200)).atMost(Duration.ofSeconds(5)).until(() -> waiting() < paused + 65_537);
        assertThat(writing).isNotDone();

        // When
        int received = 0;
        while (received < total) {
            ByteBuf chunk = Loops.done(queue.pull()).orElseThrow();
            byte[] bytes = new byte[chunk.readableBytes()];
            chunk.readBytes(bytes);
            chunk.release();
            // Then
            for (byte each : bytes) {
                if (each != pattern[received % MEGABYTE]) {
                    throw new AssertionError("byte " + received + " is wrong");
                }
                received++;
            }
            assertThat(server.waitingBytes()).isLessThanOrEqualTo(SocketReader.HIGH_WATER + 256 * 1024);
        }
        writing.join();
        assertThat(waiting()).isZero();
    }

    @Test
    void shouldTellWhenASlowReaderHasCaughtUp() throws Exception {
        // Given
        var writable = new AtomicInteger();
        int written = Loops.on(server, () -> {
            int sum = 0;
            while (server.writable()) {
                server.writeAndFlush(Unpooled.wrappedBuffer(new byte[MEGABYTE]));
                sum += MEGABYTE;
            }
            server.whenWritable(writable::incrementAndGet);
            return sum;
        });
        assertThat(writable).hasValue(0);

        // When
        assertThat(client.getInputStream().readNBytes(written)).hasSize(written);

        // Then
        await().until(() -> writable.get() == 1);
        assertThat(Loops.on(server, server::writable)).isTrue();
        Loops.run(server, () -> server.whenWritable(writable::incrementAndGet));
        assertThat(writable).hasValue(2);
    }

    @Test
    void shouldNotLeaveAWriterWaitingForAPeerThatIsGone() throws Exception {
        // Given
        var told = new AtomicInteger();
        Loops.run(server, () -> {
            while (server.writable()) {
                server.writeAndFlush(Unpooled.wrappedBuffer(new byte[MEGABYTE]));
            }
            server.whenWritable(told::incrementAndGet);
        });
        loops.read(server, Sink.foreach(ByteBuf::release));

        // When
        reset();

        // Then
        await().until(() -> told.get() == 1);
        assertThat(server.open()).isFalse();
    }

    @Test
    void shouldDeliverEverythingBeforeTheEnd() throws Exception {
        // Given
        byte[] sent = random(300_000);
        var received = Unpooled.buffer();
        var closed = new AtomicInteger();
        Loops.run(server, () -> server.onClosed(closed::incrementAndGet));
        CompletionStage<Done> end = loops.read(server, Sink.foreach(chunk -> {
            received.writeBytes(chunk);
            chunk.release();
        }));

        // When
        client.getOutputStream().write(sent);
        client.shutdownOutput();
        Loops.done(end);

        // Then
        assertThat(received).isEqualTo(Unpooled.wrappedBuffer(sent));
        Loops.run(server, server::close);
        await().until(() -> !server.open());
        assertThat(Loops.on(server, closed::get)).isEqualTo(1);
    }

    @Test
    void shouldTakeAResetForTheEnd() throws Exception {
        // Given
        var closed = new AtomicInteger();
        Loops.run(server, () -> server.onClosed(closed::incrementAndGet));
        CompletionStage<Done> end = loops.read(server, Sink.foreach(ByteBuf::release));

        // When
        reset();

        // Then
        Loops.done(end);
        await().until(() -> !server.open());
        assertThat(Loops.on(server, closed::get)).isEqualTo(1);
    }

    @Test
    void shouldNoticeAPeerThatLeftBeforeItWasRead() throws Exception {
        // Given
        client.getOutputStream().write(new byte[] {1, 2});
        client.close();

        // When
        List<Byte> received = new ArrayList<>();
        Loops.done(loops.read(server, Sink.foreach(chunk -> {
            while (chunk.isReadable()) {
                received.add(chunk.readByte());
            }
            chunk.release();
        })));

        // Then
        assertThat(received).containsExactly((byte) 1, (byte) 2);
    }

    @Test
    void shouldCloseWhenTheStreamIsCancelled() throws Exception {
        // Given
        var closed = new AtomicInteger();
        Loops.run(server, () -> server.onClosed(closed::incrementAndGet));

        // When
        loops.read(server, Sink.cancelled());

        // Then
        assertThat(client.getInputStream().read()).isEqualTo(-1);
        await().until(() -> closed.get() == 1);
        assertThat(server.open()).isFalse();
    }

    @Test
    void shouldTellOnceThatItIsClosed() {
        // Given
        var closed = new AtomicInteger();
        Loops.run(server, () -> server.onClosed(closed::incrementAndGet));

        // When
        Loops.run(server, server::close);
        Loops.run(server, server::close);

        // Then
        await().until(() -> closed.get() > 0);
        Loops.run(server, () -> server.onClosed(closed::incrementAndGet));
        assertThat(closed).hasValue(2);
    }

    @Test
    void shouldReleaseWhatIsWrittenAfterTheEnd() {
        // Given
        Loops.run(server, server::close);
        await().until(() -> !server.open());
        ByteBuf first = server.allocator().buffer().writeByte(1);
        ByteBuf second = server.allocator().buffer().writeByte(2);

        // When
        Loops.run(server, () -> {
            server.write(first);
            server.flush();
            server.writeAndFlush(second);
            server.closeAfterFlush();
        });

        // Then
        assertThat(List.of(first.refCnt(), second.refCnt())).containsExactly(0, 0);
    }

    @Test
    void shouldReleaseWhatWasNeitherSentNorTaken() throws Exception {
        // Given
        SinkQueueWithCancel<ByteBuf> queue = loops.read(server, Sink.queue(1));
        client.getOutputStream().write(new byte[200_000]);
        await().until(() -> waiting() > 0);
        ByteBuf unsent = server.allocator().buffer().writeByte(1);
        Loops.run(server, () -> server.write(unsent));

        // When
        queue.cancel();

        // Then
        await().until(() -> !server.open());
        await().until(() -> unsent.refCnt() == 0);
        await().until(() -> waiting() == 0);
    }

    @Test
    void shouldSendEverythingBeforeItClosesAfterFlush() throws Exception {
        // Given
        byte[] sent = random(8 * MEGABYTE);

        // When
        Loops.run(server, () -> {
            server.write(Unpooled.wrappedBuffer(sent));
            server.closeAfterFlush();
        });

        // Then
        assertThat(client.getInputStream().readAllBytes()).isEqualTo(sent);
        await().until(() -> !server.open());
    }

    private long waiting() {
        return Loops.on(server, server::waitingBytes);
    }

    private void reset() throws Exception {
        client.setSoLinger(true, 0);
        client.close();
    }

    private interface Writing {
        void to(OutputStream out) throws Exception;
    }

    private CompletableFuture<Void> inBackground(Writing writing) {
        var done = new CompletableFuture<Void>();
        Thread.ofVirtual().start(() -> {
            try {
                writing.to(client.getOutputStream());
                done.complete(null);
            } catch (Exception e) {
                done.completeExceptionally(e);
            }
        });
        return done;
    }

    private static byte[] random(int size) {
        byte[] bytes = new byte[size];
        new Random(size).nextBytes(bytes);
        return bytes;
    }
}
