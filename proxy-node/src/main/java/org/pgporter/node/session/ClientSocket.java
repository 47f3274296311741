package org.pgporter.node.session;

import io.netty.buffer.ByteBuf;
import java.net.SocketAddress;
import java.util.Optional;
import java.util.OptionalInt;
import org.pgporter.node.tls.TlsSession;
import org.pgporter.node.transport.Ack;
import org.pgporter.node.transport.SocketHandle;
import org.pgporter.protocol.message.ErrorResponse;
import org.pgporter.protocol.message.WireMessage;

/// The client's end of a session: writes to its socket, and remembers whether what has been written ends within a
/// message, because then nothing but silence may follow.
final class ClientSocket {
    private final SocketHandle socket;
    private boolean insideFrame;

    ClientSocket(SocketHandle socket) {
        this.socket = socket;
    }

    ByteBuf buffer() {
        return socket.allocator().buffer();
    }

    void send(WireMessage... messages) {
        ByteBuf out = buffer();
        for (WireMessage message : messages) {
            message.encodeTo(out);
        }
        socket.writeAndFlush(out);
    }

    /// Takes over the bytes.
    void send(ByteBuf bytes) {
        if (bytes.isReadable()) {
            socket.writeAndFlush(bytes);
        } else {
            bytes.release();
        }
    }

    void nowInsideFrame(boolean inside) {
        insideFrame = inside;
    }

    /// Acknowledges when the client has taken enough of what was written.
    void acknowledge(Ack ack) {
        if (socket.writable()) {
            ack.acknowledge();
        } else {
            socket.whenWritable(() -> ack.acknowledge());
        }
    }

    /// Says why, if the client can still understand it, and closes when that is out.
    void sendAndClose(ErrorResponse error) {
        if (!insideFrame) {
            send(error);
        }
        socket.closeAfterFlush();
    }

    SocketAddress localAddress() {
        return socket.localAddress();
    }

    Optional<TlsSession> tls() {
        return socket.tls();
    }

    OptionalInt peerUser() {
        return socket.peerUser();
    }

    void close() {
        socket.closeAfterFlush();
    }
}
