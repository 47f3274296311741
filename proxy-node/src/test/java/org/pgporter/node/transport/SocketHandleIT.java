package org.pgporter.node.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.pgporter.node.transport.Loopback.await;
import static org.pgporter.node.transport.Loopback.on;
import static org.pgporter.node.transport.Loopback.pattern;
import static org.pgporter.node.transport.Loopback.receive;
import static org.pgporter.node.transport.Loopback.run;
import static org.pgporter.node.transport.Loopback.send;

import io.netty.buffer.ByteBuf;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.pekko.stream.KillSwitches;
import org.apache.pekko.stream.UniqueKillSwitch;
import org.apache.pekko.stream.javadsl.Keep;
import org.apache.pekko.stream.javadsl.Sink;
import org.apache.pekko.stream.javadsl.SinkQueueWithCancel;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.MethodSource;
import org.pgporter.node.transport.Loopback.Pair;

@Timeout(value = 25, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
@ParameterizedClass
@MethodSource("org.pgporter.node.transport.Loopback#kinds")
final class SocketHandleIT {
    private static final int MEBIBYTE = 1024 * 1024;

    @SuppressWarnings("NullAway.Init") // set before each round of the class
    private static Leaks leaks;

    @SuppressWarnings("NullAway.Init") // set before each round of the class
    private static Loopback loopback;

    @BeforeParameterizedClassInvocation
    static void open(IoKind kind) {
        leaks = new Leaks();
        loopback = new Loopback(kind, 2);
    }

    @AfterParameterizedClassInvocation
    static void close() {
        loopback.close();
        leaks.close();
    }

    SocketHandleIT(IoKind kind) {
        assertThat(loopback.loops.kind()).isEqualTo(kind);
    }

    @Test
    void shouldCarryBytesBothWays() throws Exception {
        // Given
        Pair pair = loopback.pair();
        loopback.echo(pair.socket());
        byte[] sent = pattern(0, MEBIBYTE);
        // When
        CompletableFuture<Void> sending = inBackground(() -> send(pair.peer(), sent));
        byte[] received = receive(pair.peer(), MEBIBYTE);
        // Then
        await(sending);
        assertThat(received).isEqualTo(sent);
        assertThat(on(pair.socket(), pair.socket()::bytesIn)).isEqualTo(MEBIBYTE);
        assertThat(on(pair.socket(), pair.socket()::bytesOut)).isEqualTo(MEBIBYTE);
        assertThat(pair.socket().remoteAddress()).isEqualTo(pair.peer().getLocalAddress());
        assertThat(pair.socket().localAddress()).isEqualTo(pair.peer().getRemoteAddress());
        end(pair);
    }

    @Test
    void shouldKeepWhatArrivesBeforeTheStreamRuns() throws Exception {
        Pair pair = loopback.pair();
        send(pair.peer(), pattern(0, 1000));
        // Whatever the loop does with it now comes too early for the stream.
        run(pair.socket(), () -> {});
        assertThat(take(loopback.read(pair.socket()), 1000)).isEqualTo(pattern(0, 1000));
        end(pair);
    }

    @Test
    void shouldReadNoMoreThanItsLimitWhileNobodyAsks() throws Exception {
        // Given
        Pair pair = loopback.pair();
        SinkQueueWithCancel<ByteBuf> chunks = loopback.read(pair.socket());
        long total = 64L * MEBIBYTE;
        // When
        long sent = sendUntilStuck(pair);
        // Then
        assertThat(on(pair.socket(), pair.socket()::bytesIn))
                .isGreaterThan(SocketReader.HIGH_WATER / 2)
                .isLessThan(SocketReader.HIGH_WATER + MEBIBYTE / 2);
        assertThat(sent).isLessThan(total);
        // When
        pair.peer().configureBlocking(true);
        CompletableFuture<Void> rest = inBackground(() -> {
            for (long at = sent; at < total; at += MEBIBYTE) {
                send(pair.peer(), pattern(at, (int) Math.min(MEBIBYTE, total - at)));
            }
        });
        // Then
        long received = 0;
        while (received < total) {
            ByteBuf chunk = await(chunks.pull()).orElseThrow();
            byte[] bytes = new byte[chunk.readableBytes()];
            chunk.readBytes(bytes); // one call: the leak detector notes each
            if (!Arrays.equals(bytes, pattern(received, bytes.length))) {
                throw new AssertionError("not as sent, from byte " + received + " on");
            }
            received += bytes.length;
            chunk.release();
        }
        await(rest);
        end(pair);
    }

    @Test
    void shouldTellWhenASlowReaderHasTakenEnough() throws Exception {
        // Given
        Pair pair = loopback.pair();
        SocketHandle socket = pair.socket();
        List<String> order = new CopyOnWriteArrayList<>();
        CompletableFuture<Void> both = new CompletableFuture<>();
        // When: in one turn of the loop, so that nothing is taken in between
        int written = on(socket, () -> {
            int chunks = 0;
            while (socket.writable()) {
                socket.writeAndFlush(socket.allocator().buffer().writeBytes(pattern(chunks * 65_536L, 65_536)));
                chunks++;
            }
            socket.whenWritable(
                    () -> order.add("first on " + Thread.currentThread().getName()));
            socket.whenWritable(() -> {
                order.add("second");
                both.complete(null);
            });
            assertThat(order).isEmpty();
            return chunks * 65_536;
        });
        byte[] received = receive(pair.peer(), written);
        // Then
        await(both);
        assertThat(order).containsExactly("first on pgporter-loop-" + socket.loopIndex(), "second");
        assertThat(received).isEqualTo(pattern(0, written));
        end(pair);
    }

    @Test
    void shouldReleaseThoseWhoWaitToWriteWhenThePeerIsGone() throws Exception { // checklist 86
        Pair pair = loopback.pair();
        SocketHandle socket = pair.socket();
        loopback.read(socket);
        CompletableFuture<Void> released = new CompletableFuture<>();
        run(socket, () -> {
            while (socket.writable()) {
                socket.writeAndFlush(socket.allocator().buffer().writeZero(65_536));
            }
            socket.whenWritable(() -> released.complete(null));
        });
        reset(pair.peer());
        await(released);
        end(pair);
    }

    @Test
    void shouldDeliverWhatCameBeforeTheEnd() throws Exception {
        // Given
        Pair pair = loopback.pair();
        CompletableFuture<Void> gone = new CompletableFuture<>();
        run(pair.socket(), () -> pair.socket().onClosed(() -> gone.complete(null)));
        SinkQueueWithCancel<ByteBuf> chunks = loopback.read(pair.socket());
        // When
        send(pair.peer(), pattern(0, 100_000));
        pair.peer().shutdownOutput();
        // Then the end is known before anything has been taken
        await(gone);
        assertThat(take(chunks, 100_000)).isEqualTo(pattern(0, 100_000));
        assertThat(await(chunks.pull())).isEmpty();
        end(pair);
    }

    @Test
    void shouldEndTheStreamWhenThePeerResets() throws Exception { // checklist 86
        Pair pair = loopback.pair();
        List<String> calls = new CopyOnWriteArrayList<>();
        CompletableFuture<Void> gone = new CompletableFuture<>();
        run(
                pair.socket(),
                () -> pair.socket().onClosed(() -> {
                    calls.add(Thread.currentThread().getName());
                    gone.complete(null);
                }));
        SinkQueueWithCancel<ByteBuf> chunks = loopback.read(pair.socket());
        reset(pair.peer());
        await(gone);
        assertThat(await(chunks.pull())).isEmpty();
        run(pair.socket(), pair.socket()::close);
        assertThat(calls).containsExactly("pgporter-loop-" + pair.socket().loopIndex());
        assertThat(on(pair.socket(), pair.socket()::open)).isFalse();
    }

    @Test
    void shouldSendWhatWasWrittenWhenTheStreamIsCancelled() throws Exception {
        Pair pair = loopback.pair();
        SinkQueueWithCancel<ByteBuf> chunks = loopback.read(pair.socket());
        run(pair.socket(), () -> {
            pair.socket().write(pair.socket().allocator().buffer().writeBytes("bye".getBytes(StandardCharsets.UTF_8)));
            chunks.cancel();
            pair.socket().closeAfterFlush();
        });
        assertThat(receive(pair.peer(), 4)).isEqualTo("bye".getBytes(StandardCharsets.UTF_8));
        end(pair);
    }

    @Test
    void shouldGiveUpOnAPeerThatDoesNotReadItsLastWords() throws Exception {
        Pair pair = loopback.pair();
        SocketHandle socket = pair.socket();
        CompletableFuture<Void> closed = new CompletableFuture<>();
        run(socket, () -> {
            for (int i = 0; i < 64; i++) { // more than the kernel's buffers take
                socket.writeAndFlush(socket.allocator().buffer().writeZero(MEBIBYTE));
            }
            socket.onClosed(() -> closed.complete(null));
            socket.closeAfterFlush();
        });
        assertThat(closed).isNotDone();
        await(closed);
        pair.peer().close();
    }

    @Test
    void shouldLoseNoBufferInWhateverPhaseItCloses() throws Exception {
        // When: before the stream runs, with bytes in the kernel
        Pair early = loopback.pair();
        send(early.peer(), pattern(0, 1000));
        run(early.socket(), early.socket()::close);
        assertThat(await(loopback.read(early.socket()).pull())).isEmpty();
        // When: with chunks waiting, closed and reset
        for (boolean reset : new boolean[] {false, true}) {
            Pair full = loopback.pair();
            SinkQueueWithCancel<ByteBuf> chunks = loopback.read(full.socket());
            sendUntilStuck(full);
            if (reset) {
                reset(full.peer());
            }
            run(full.socket(), full.socket()::close);
            drain(chunks);
            full.peer().close();
        }
        // When: with chunks waiting, cancelled
        Pair cancelled = loopback.pair();
        CompletableFuture<ByteBuf> held = new CompletableFuture<>();
        CompletableFuture<Void> closed = new CompletableFuture<>();
        UniqueKillSwitch cancelling = cancelled
                .socket()
                .bytes()
                .viaMat(KillSwitches.single(), Keep.right())
                .mapAsync(1, chunk -> {
                    held.complete(chunk);
                    return new CompletableFuture<>();
                })
                .to(Sink.ignore())
                .withAttributes(loopback.onLoopOf(cancelled.socket()))
                .run(loopback.system);
        sendUntilStuck(cancelled);
        run(cancelled.socket(), () -> cancelled.socket().onClosed(() -> closed.complete(null)));
        cancelling.shutdown();
        run(cancelled.socket(), cancelled.socket()::close);
        await(closed);
        await(held).release();
        cancelled.peer().close();
        // When: with writes pending, and writes that come too late
        Pair writing = loopback.pair();
        SocketHandle socket = writing.socket();
        run(socket, () -> {
            while (socket.writable()) {
                socket.writeAndFlush(socket.allocator().buffer().writeZero(65_536));
            }
            socket.write(socket.allocator().buffer().writeZero(10));
            socket.close();
            socket.write(socket.allocator().buffer().writeZero(10));
            socket.writeAndFlush(socket.allocator().buffer().writeZero(10));
            socket.flush();
        });
        writing.peer().close();
        // Then
        assertThat(leaks.found()).isEmpty();
    }

    private interface Action {
        void run() throws Exception;
    }

    private static CompletableFuture<Void> inBackground(Action action) {
        CompletableFuture<Void> done = new CompletableFuture<>();
        Thread.ofVirtual().start(() -> {
            try {
                action.run();
                done.complete(null);
            } catch (Exception e) {
                done.completeExceptionally(e);
            }
        });
        return done;
    }

    /// Sends until the kernel's buffers are full and the socket reads no more. Leaves the peer non-blocking.
    private static long sendUntilStuck(Pair pair) throws Exception {
        int quietRounds = 0;
        long sent = 0;
        long read = -1;
        pair.peer().configureBlocking(false);
        while (quietRounds < 200) {
            int taken = pair.peer().write(ByteBuffer.wrap(pattern(sent, 65_536)));
            sent += taken;
            long readNow = on(pair.socket(), pair.socket()::bytesIn);
            quietRounds = taken == 0 && readNow == read ? quietRounds + 1 : 0;
            read = readNow;
        }
        return sent;
    }

    private static byte[] take(SinkQueueWithCancel<ByteBuf> chunks, int count) throws Exception {
        ByteBuffer all = ByteBuffer.allocate(count);
        while (all.hasRemaining()) {
            ByteBuf chunk = await(chunks.pull()).orElseThrow();
            assertThat(chunk.readableBytes()).isLessThanOrEqualTo(all.remaining());
            all.put(chunk.nioBuffer());
            chunk.release();
        }
        return all.array();
    }

    private static void drain(SinkQueueWithCancel<ByteBuf> chunks) throws Exception {
        for (Optional<ByteBuf> chunk = await(chunks.pull()); chunk.isPresent(); chunk = await(chunks.pull())) {
            chunk.get().release();
        }
    }

    private static void reset(SocketChannel peer) throws Exception {
        peer.setOption(StandardSocketOptions.SO_LINGER, 0);
        peer.close();
    }

    private static void end(Pair pair) throws Exception {
        run(pair.socket(), pair.socket()::close);
        pair.peer().close();
    }
}
