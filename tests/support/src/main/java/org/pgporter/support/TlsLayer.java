package org.pgporter.support;

import io.netty.buffer.ByteBuf;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Optional;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.SSLEngineResult;
import javax.net.ssl.SSLEngineResult.HandshakeStatus;
import javax.net.ssl.SSLException;

/// The client's end of TLS between a [WireSocket] and its channel.
final class TlsLayer {
    private final SSLEngine engine;
    private final ByteBuffer record;
    private final ByteBuffer plain;
    private ByteBuffer waiting = ByteBuffer.allocate(0);

    @FunctionalInterface
    interface Output {
        void write(byte[] bytes) throws IOException;
    }

    @FunctionalInterface
    interface Input {
        /// Empty at the end.
        Optional<ByteBuffer> read() throws IOException;
    }

    TlsLayer(SSLEngine engine) {
        this.engine = engine;
        record = ByteBuffer.allocate(engine.getSession().getPacketBufferSize());
        plain = ByteBuffer.allocate(engine.getSession().getApplicationBufferSize());
    }

    /// @param early takes what the server sends right behind its last message of the handshake
    void shakeHands(Output out, Input in, ByteBuf early) throws IOException {
        engine.beginHandshake();
        while (true) {
            switch (engine.getHandshakeStatus()) {
                case NEED_WRAP -> out.write(encrypt(new byte[0]));
                case NEED_TASK -> runTasks();
                case NEED_UNWRAP, NEED_UNWRAP_AGAIN -> {
                    if (unwrap(early).getStatus() == SSLEngineResult.Status.BUFFER_UNDERFLOW) {
                        append(in.read().orElseThrow(() -> new SSLException("the server closed during the handshake")));
                    }
                }
                case FINISHED, NOT_HANDSHAKING -> {
                    return;
                }
            }
        }
    }

    /// The words with which TLS ends.
    byte[] end() throws SSLException {
        engine.closeOutbound();
        return encrypt(new byte[0]);
    }

    byte[] encrypt(byte[] bytes) throws SSLException {
        var from = ByteBuffer.wrap(bytes);
        var out = new ByteArrayOutputStream();
        do {
            record.clear();
            engine.wrap(from, record);
            out.write(record.array(), 0, record.position());
        } while (from.hasRemaining()
                || (bytes.length == 0 && engine.getHandshakeStatus() == HandshakeStatus.NEED_WRAP));
        return out.toByteArray();
    }

    /// False when the other end has said that it is done.
    boolean decrypt(ByteBuffer bytes, ByteBuf to) throws SSLException {
        append(bytes);
        while (true) {
            var result = unwrap(to);
            if (engine.getHandshakeStatus() == HandshakeStatus.NEED_TASK) {
                runTasks();
            }
            switch (result.getStatus()) {
                case BUFFER_UNDERFLOW -> {
                    return true;
                }
                case CLOSED -> {
                    return false;
                }
                case OK, BUFFER_OVERFLOW -> {}
            }
        }
    }

    private SSLEngineResult unwrap(ByteBuf to) throws SSLException {
        plain.clear();
        var result = engine.unwrap(waiting, plain);
        to.writeBytes(plain.flip());
        return result;
    }

    private void append(ByteBuffer bytes) {
        var both = ByteBuffer.allocate(waiting.remaining() + bytes.remaining());
        waiting = both.put(waiting).put(bytes).flip();
    }

    private void runTasks() {
        for (var task = engine.getDelegatedTask(); task != null; task = engine.getDelegatedTask()) {
            task.run();
        }
    }
}
