package org.pgporter.node.session;

import io.netty.buffer.ByteBuf;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.stream.ActorAttributes;
import org.apache.pekko.stream.Attributes;
import org.apache.pekko.stream.javadsl.Keep;
import org.pgporter.node.transport.ReadAhead;
import org.pgporter.node.transport.SocketHandle;
import org.pgporter.protocol.stream.ClientFraming;
import org.pgporter.protocol.stream.FramingControl;
import org.pgporter.protocol.stream.WireLog;

/// A client connection from the socket up, as a list.
final class ClientStack {
    private ClientStack() {}

    /// Runs on the dispatcher of the socket's loop, fused into one. TLS will be a channel handler below
    /// [SocketHandle#bytes].
    static FramingControl assemble(SocketHandle socket, ReadAhead session, ActorSystem<?> system, String dispatcher) {
        return socket.bytes()
                .viaMat(new ClientFraming(), Keep.right())
                .via(new WireLog("client"))
                .via(new EncryptionNegotiation(answer -> {
                    ByteBuf out = socket.allocator().buffer(1);
                    socket.writeAndFlush(out.writeByte(answer));
                }))
                .to(session.sink())
                .withAttributes(ActorAttributes.dispatcher(dispatcher).and(Attributes.inputBuffer(1, 1)))
                .run(system);
    }
}
