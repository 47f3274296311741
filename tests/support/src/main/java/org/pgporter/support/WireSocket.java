package org.pgporter.support;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.StandardSocketOptions;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ClosedSelectorException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;
import javax.net.ssl.SSLEngine;
import org.pgporter.protocol.message.WireMessage;

/// One end of a connection. It reads only when somebody expects something, so a test that expects nothing is a
/// peer that does not read; and it never waits longer than [#PATIENCE]. One thread may read while another
/// writes.
final class WireSocket implements AutoCloseable {
    /// How long anything that is expected may take.
    static final Duration PATIENCE = Duration.ofSeconds(10);

    private static final int MOST_BYTES_OF_A_MESSAGE = 0x3fff_ffff; // PostgreSQL's PQ_LARGE_MESSAGE_LIMIT

    private final SocketChannel channel;
    private final Selector readable;
    private final Selector writable;
    private final Transcript transcript;
    private final ByteBuffer chunk = ByteBuffer.allocate(1 << 16);
    private final ByteBuf received = Unpooled.buffer();
    private boolean ended;
    private Optional<TlsLayer> tls = Optional.empty();

    /// A message as it came.
    record Frame(byte type, ByteBuf body) {}

    WireSocket(SocketChannel connected, Transcript transcript) throws IOException {
        this.channel = connected;
        this.transcript = transcript;
        if (!(connected.getLocalAddress() instanceof UnixDomainSocketAddress)) {
            // Otherwise the kernel would join small writes that a test keeps apart on purpose.
            connected.setOption(StandardSocketOptions.TCP_NODELAY, true);
        }
        connected.configureBlocking(false);
        readable = Selector.open();
        writable = Selector.open();
        connected.register(readable, SelectionKey.OP_READ);
        connected.register(writable, SelectionKey.OP_WRITE);
    }

    static byte[] encoded(WireMessage... messages) {
        var out = Unpooled.buffer();
        for (var message : messages) {
            message.encodeTo(out);
        }
        return bytesOf(out);
    }

    static byte[] bytesOf(ByteBuf buffer) {
        var bytes = new byte[buffer.readableBytes()];
        buffer.readBytes(bytes);
        return bytes;
    }

    /// Writes all bytes, in one system call if the kernel takes them.
    void write(byte[] bytes) {
        try {
            writeAll(bytes);
        } catch (IOException e) {
            throw transcript.failure("could not write: " + e, e);
        }
    }

    /// As [#write(byte[])] to a peer that may have closed; false when it has.
    boolean writeIfOpen(byte[] bytes) {
        try {
            writeAll(bytes);
            return true;
        } catch (IOException _) {
            return false;
        }
    }

    private void writeAll(byte[] bytes) throws IOException {
        var buffer = ByteBuffer.wrap(tls.isPresent() ? tls.get().encrypt(bytes) : bytes);
        var deadline = System.nanoTime() + PATIENCE.toNanos();
        while (buffer.hasRemaining()) {
            if (channel.write(buffer) == 0) {
                awaitSelected(writable, deadline, "the peer to read");
            }
        }
    }

    /// Shakes hands; from then on everything is encrypted.
    void startTls(SSLEngine engine) {
        try {
            var layer = new TlsLayer(engine);
            layer.shakeHands(
                    this::writeAll,
                    () -> {
                        var deadline = System.nanoTime() + PATIENCE.toNanos();
                        chunk.clear();
                        var count = channel.read(chunk);
                        while (count == 0) {
                            awaitSelected(readable, deadline, "the TLS handshake to go on");
                            count = channel.read(chunk);
                        }
                        return count < 0 ? Optional.empty() : Optional.of(chunk.flip());
                    },
                    received);
            tls = Optional.of(layer);
            transcript.line(Transcript.BACKEND, "TLS: " + engine.getSession().getProtocol());
        } catch (IOException e) {
            throw transcript.failure("TLS handshake failed: " + e, e);
        }
    }

    /// Says that TLS ends here, and leaves the socket open.
    void endTls() {
        try {
            var words = ByteBuffer.wrap(tls.orElseThrow().end());
            while (words.hasRemaining()) {
                channel.write(words);
            }
        } catch (IOException e) {
            throw transcript.failure("could not end TLS: " + e, e);
        }
    }

    void writeSlowly(byte[] bytes, int chunkSize) {
        for (int from = 0; from < bytes.length; from += chunkSize) {
            var to = Math.min(bytes.length, from + chunkSize);
            write(Arrays.copyOfRange(bytes, from, to));
        }
    }

    /// The next message with a type byte; empty when the peer has closed.
    Optional<Frame> readTyped(String awaited) {
        if (!fill(5, awaited)) {
            return Optional.empty();
        }
        var at = received.readerIndex();
        var length = received.getInt(at + 1);
        var body = readBody(1, length, awaited);
        return Optional.of(new Frame(body.readByte(), body.skipBytes(4)));
    }

    /// The body of the next startup packet; empty when the peer has closed.
    Optional<ByteBuf> readStartup(String awaited) {
        if (!fill(4, awaited)) {
            return Optional.empty();
        }
        return Optional.of(
                readBody(0, received.getInt(received.readerIndex()), awaited).skipBytes(4));
    }

    /// The next single byte, which answers an SSLRequest; empty when the peer has closed.
    Optional<Byte> readByte(String awaited) {
        return fill(1, awaited) ? Optional.of(received.readByte()) : Optional.empty();
    }

    /// Waits until the peer closes or resets.
    ///
    /// @return what it had sent before that nobody read
    byte[] readToEnd(String awaited) {
        while (fill(received.readableBytes() + 1, awaited)) {
            // Until the end.
        }
        return bytesOf(received);
    }

    /// Reads so many bytes and forgets them.
    void skip(long bytes, String awaited) {
        for (long left = bytes; left > 0; ) {
            if (!fill(1, awaited)) {
                throw transcript.failure("awaiting " + awaited + ", the connection ended " + left + " bytes too early");
            }
            var some = (int) Math.min(left, received.readableBytes());
            received.skipBytes(some).discardReadBytes();
            left -= some;
        }
    }

    private ByteBuf readBody(int typeBytes, int length, String awaited) {
        if (length < 4 || length > MOST_BYTES_OF_A_MESSAGE) {
            throw transcript.failure("awaiting " + awaited + ", got a message that says it has " + length + " bytes");
        }
        if (!fill(typeBytes + length, awaited)) {
            throw transcript.failure(
                    "awaiting " + awaited + ", the connection ended within a message: " + received.readableBytes()
                            + " of " + (typeBytes + length) + " bytes",
                    new EOFException());
        }
        // A buffer that nobody has to release, so that leaks that Netty reports are the node's.
        var message =
                Unpooled.wrappedBuffer(ByteBufUtil.getBytes(received, received.readerIndex(), typeBytes + length));
        received.skipBytes(typeBytes + length);
        received.discardSomeReadBytes();
        return message;
    }

    /// False when the connection ended before so many bytes were there.
    private boolean fill(int bytes, String awaited) {
        var deadline = System.nanoTime() + PATIENCE.toNanos();
        while (received.readableBytes() < bytes) {
            if (ended) {
                return false;
            }
            try {
                chunk.clear();
                var count = channel.read(chunk);
                if (count < 0) {
                    ended = true;
                } else if (count == 0) {
                    awaitSelected(readable, deadline, awaited);
                } else {
                    chunk.flip();
                    if (tls.isEmpty()) {
                        received.writeBytes(chunk);
                    } else if (!tls.get().decrypt(chunk, received)) {
                        ended = true; // close_notify
                    }
                }
            } catch (ClosedChannelException e) {
                throw transcript.failure("awaiting " + awaited + ", but this side has closed", e);
            } catch (IOException _) {
                ended = true; // Reset by the peer.
            }
        }
        return true;
    }

    private void awaitSelected(Selector selector, long deadline, String awaited) throws IOException {
        var left = Duration.ofNanos(deadline - System.nanoTime()).toMillis();
        if (left <= 0) {
            throw transcript.failure("waited " + PATIENCE.toSeconds() + " s for " + awaited + " in vain");
        }
        if (Thread.currentThread().isInterrupted()) {
            throw transcript.failure("interrupted while waiting for " + awaited);
        }
        try {
            selector.select(left);
            selector.selectedKeys().clear();
        } catch (ClosedSelectorException _) {
            // Another thread has closed this side.
            throw new ClosedChannelException();
        }
    }

    /// Tells the peer that no more will be sent; reading goes on.
    void shutdownOutput() {
        try {
            channel.shutdownOutput();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Closes with RST instead of FIN: the peer's next read or write fails.
    void reset() {
        try {
            channel.setOption(StandardSocketOptions.SO_LINGER, 0);
            close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    boolean isOpen() {
        return channel.isOpen();
    }

    @Override
    public void close() {
        try {
            channel.close();
            // The file descriptor lives until no selector knows it.
            readable.close();
            writable.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
