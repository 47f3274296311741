package org.pgporter.integration;

import static org.awaitility.Awaitility.await;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/// A lot of CopyData that somebody writes in the background, a megabyte to a message, as fast as it is taken.
final class Torrent {
    /// What the kernel's four socket buffers on the way may take on a loopback interface, and a little for us.
    static final long UNDER_WAY = 48L * 1024 * 1024;

    private static final int BODY = 1024 * 1024;

    private final int messages;
    private final AtomicLong written = new AtomicLong();
    private final CompletableFuture<Void> writing;

    private Torrent(int messages, Consumer<byte[]> to) {
        this.messages = messages;
        this.writing = CompletableFuture.runAsync(() -> pump(to), Executors.newVirtualThreadPerTaskExecutor());
    }

    static Torrent of(int megabytes, Consumer<byte[]> to) {
        return new Torrent(megabytes, to);
    }

    private void pump(Consumer<byte[]> to) {
        byte[] message =
                ByteBuffer.allocate(5 + BODY).put((byte) 'd').putInt(4 + BODY).array();
        Arrays.fill(message, 5, message.length, (byte) 'x');
        for (int i = 0; i < messages; i++) {
            to.accept(message);
            written.addAndGet(message.length);
        }
    }

    /// How many bytes it is in all.
    long bytes() {
        return (long) messages * (5 + BODY);
    }

    /// How many bytes have been taken so far.
    long written() {
        return written.get();
    }

    /// Until nothing more could be written for a while.
    void awaitStandstill() {
        AtomicLong last = new AtomicLong(-1);
        await().during(Duration.ofMillis(400))
                .pollInterval(Duration.ofMillis(50))
                .atMost(Duration.ofSeconds(10))
                .until(() -> last.getAndSet(written.get()) == written.get() && written.get() > 0);
    }

    void join() {
        writing.join();
    }
}
