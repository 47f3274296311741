package org.pgporter.integration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.pgporter.protocol.message.TransactionStatus.IDLE;
import static org.pgporter.support.BackendMessages.commandComplete;
import static org.pgporter.support.BackendMessages.copyInResponse;
import static org.pgporter.support.BackendMessages.dataRow;
import static org.pgporter.support.BackendMessages.noticeResponse;
import static org.pgporter.support.BackendMessages.readyForQuery;
import static org.pgporter.support.BackendMessages.rowDescription;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.pgporter.config.StateCheck;
import org.pgporter.protocol.message.CopyInResponse;
import org.pgporter.support.RawClient;
import org.pgporter.support.ServerConversation;

/// Messages larger than anybody should hold, and peers that do not read: what is under way stays bounded.
class LargeMessagesIT {
    private static final int MEGABYTE = 1024 * 1024;

    /// What the kernel's four socket buffers on the way may take on a loopback interface, and a little for us.
    private static final long UNDER_WAY = 48L * MEGABYTE;

    @Test
    void shouldPassAHugeRowToASlowReaderInPieces() { // checklist 85
        int megabytes = 200;
        try (Scene scene = oneBackendAndRoomForAnother()) {
            ServerConversation busy = scene.backend();
            RawClient slow = scene.client();
            slow.sendsQuery("select everything");
            busy.expectsQuery("select everything");
            busy.sends(rowDescription("a"));
            slow.expects(rowDescription("a"));

            AtomicLong written = new AtomicLong();
            CompletableFuture<Void> sending = inBackground(() -> {
                busy.sendsRaw(rowHeader(megabytes * MEGABYTE));
                pump(megabytes, written, busy::sendsRaw);
                busy.sends(commandComplete("SELECT 1"), readyForQuery(IDLE));
            });
            awaitStandstill(written);

            // The server is stopped, because the client does not read; others are served all the same.
            assertThat(written.get()).isLessThan(UNDER_WAY);
            assertThatAnotherIsServed(scene);
            slow.skips(1 + 4 + 2 + 4);
            for (int read = 0; read < megabytes; read++) {
                slow.skips(MEGABYTE);
                assertThat(written.get() - (long) read * MEGABYTE).isLessThan(UNDER_WAY);
            }
            slow.expectsCommandComplete("SELECT 1");
            slow.expectsReadyForQuery(IDLE);
            sending.join();
            Scene.converse(slow, busy, "afterwards");
        }
    }

    /// The second client gets the pool's second connection, which is opened for it.
    private static void assertThatAnotherIsServed(Scene scene) {
        RawClient other = scene.client();
        other.sendsQuery("select 'other'");
        ServerConversation backend = scene.backend();
        backend.expectsQuery("select 'other'");
        backend.sends(Scene.answer("other"));
        Scene.expectsAnswer(other, "other");
    }

    /// After a text that is too long to be read the proxy asks what the session has left; this server's script says
    /// nothing of that.
    private static Scene withoutQuestions() {
        return Scene.with(node -> node.pools(pool -> pool.withSessionStateCheck(StateCheck.NEVER)));
    }

    private static Scene oneBackendAndRoomForAnother() {
        return Scene.with(node -> node.pools(pool -> pool.withPoolSize(2)));
    }

    @ParameterizedTest
    @CsvSource({"Q,64", "d,100"})
    void shouldStopAClientThatSendsMoreThanTheServerReads(char type, int megabytes) { // checklist 85
        try (Scene scene = withoutQuestions()) {
            ServerConversation backend = scene.backend();
            RawClient client = scene.client();
            if (type == 'd') {
                client.sendsQuery("copy");
                backend.expectsQuery("copy");
                backend.sends(copyInResponse(1));
                client.expects(CopyInResponse.class);
            }
            AtomicLong written = new AtomicLong();
            CompletableFuture<Void> sending = inBackground(() -> {
                client.sendsRaw(header(type, megabytes * MEGABYTE + (type == 'Q' ? 1 : 0)));
                pump(megabytes, written, client::sendsRaw);
                client.sendsRaw(type == 'Q' ? new byte[] {0} : new byte[] {'c', 0, 0, 0, 4});
            });
            awaitStandstill(written);

            assertThat(written.get()).isLessThan(UNDER_WAY);
            backend.skips(5 + (long) megabytes * MEGABYTE + (type == 'Q' ? 1 : 5));
            sending.join();
            backend.sends(commandComplete("DONE"), readyForQuery(IDLE));
            client.expectsCommandComplete("DONE");
            client.expectsReadyForQuery(IDLE);
            Scene.converse(client, backend, "next");
        }
    }

    @Test
    void shouldNotLockUpWhenBothSidesOnlyWrite() { // checklist 85
        int megabytes = 32;
        try (Scene scene = withoutQuestions()) {
            ServerConversation backend = scene.backend();
            RawClient client = scene.client();
            AtomicLong up = new AtomicLong();
            AtomicLong down = new AtomicLong();
            client.sendsQuery("start");
            backend.expectsQuery("start");
            CompletableFuture<Void> client2server = inBackground(() -> {
                client.sendsRaw(header('Q', megabytes * MEGABYTE + 1));
                pump(megabytes, up, client::sendsRaw);
                client.sendsRaw((byte) 0);
            });
            CompletableFuture<Void> server2client = inBackground(() -> {
                backend.sendsRaw(rowHeader(megabytes * MEGABYTE));
                pump(megabytes, down, backend::sendsRaw);
            });
            awaitStandstill(up);
            awaitStandstill(down);

            CompletableFuture<Void> reading = inBackground(() -> backend.skips(5 + (long) megabytes * MEGABYTE + 1));
            client.skips(1 + 4 + 2 + 4 + (long) megabytes * MEGABYTE);
            CompletableFuture.allOf(client2server, server2client, reading).join();
            backend.sends(commandComplete("ONE"), readyForQuery(IDLE), commandComplete("TWO"), readyForQuery(IDLE));
            client.expectsCommandComplete("ONE");
            client.expectsReadyForQuery(IDLE);
            client.expectsCommandComplete("TWO");
            client.expectsReadyForQuery(IDLE);
            Scene.converse(client, backend, "next");
        }
    }

    @Test
    void shouldGiveUpTheBackendOfAClientThatLeavesInTheMiddleOfAHugeRow() { // checklist 86
        try (Scene scene = withoutQuestions()) {
            ServerConversation backend = scene.backend();
            RawClient client = scene.client();
            client.sendsQuery("select everything");
            backend.expectsQuery("select everything");
            backend.sendsRaw(rowHeader(100 * MEGABYTE));
            backend.sendsRaw(new byte[MEGABYTE]);
            client.skips(MEGABYTE / 2);

            client.closes();

            scene.node().awaitNothingHeld();
            Scene.cancelAndLogin(scene.server().accept(), scene.server().accept());
            backend.expectsTerminate();
            backend.expectsClosed();
        }
    }

    @Test
    void shouldKeepABlockedClientFromBlockingOthers() { // checklist 85
        try (Scene scene = oneBackendAndRoomForAnother()) {
            ServerConversation busy = scene.backend();
            RawClient blocked = scene.client();
            blocked.sendsQuery("select everything");
            busy.expectsQuery("select everything");
            AtomicLong written = new AtomicLong();
            CompletableFuture<Void> sending = inBackground(() -> {
                busy.sends(rowDescription("a"));
                byte[] rows =
                        ServerConversation.encoded(dataRow("x".repeat(100_000)), noticeResponse("y".repeat(100_000)));
                for (int i = 0; i < 300; i++) {
                    busy.sendsRaw(rows);
                    written.addAndGet(rows.length);
                }
            });
            awaitStandstill(written);

            assertThatAnotherIsServed(scene);

            blocked.closes();
            busy.resets();
            sending.handle((_, _) -> true).join();
        }
    }

    // ---- words -------------------------------------------------------------------------------------------------

    private static byte[] header(char type, int bodyBytes) {
        return ByteBuffer.allocate(5).put((byte) type).putInt(4 + bodyBytes).array();
    }

    /// Of a row with one column of so many bytes.
    private static byte[] rowHeader(int valueBytes) {
        return ByteBuffer.allocate(11)
                .put(header('D', 2 + 4 + valueBytes))
                .putShort((short) 1)
                .putInt(valueBytes)
                .array();
    }

    private static void pump(int megabytes, AtomicLong written, Consumer<byte[]> to) {
        byte[] megabyte = new byte[MEGABYTE];
        java.util.Arrays.fill(megabyte, (byte) 'x');
        for (int i = 0; i < megabytes; i++) {
            to.accept(megabyte);
            written.addAndGet(MEGABYTE);
        }
    }

    private static CompletableFuture<Void> inBackground(Runnable work) {
        return CompletableFuture.runAsync(work, Executors.newVirtualThreadPerTaskExecutor());
    }

    /// Until nothing more could be written for a while.
    private static void awaitStandstill(AtomicLong written) {
        AtomicLong last = new AtomicLong(-1);
        await().during(Duration.ofMillis(400))
                .pollInterval(Duration.ofMillis(50))
                .atMost(Duration.ofSeconds(10))
                .until(() -> last.getAndSet(written.get()) == written.get() && written.get() > 0);
    }
}
