package org.pgporter.node.session;

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
    private static final WireLog WIRE_LOG = new WireLog("client");

    private ClientStack() {}

    /// Runs on the dispatcher of the socket's loop, fused into one. Encryption has been negotiated below
    /// [SocketHandle#bytes], by a channel handler.
    static FramingControl assemble(SocketHandle socket, ReadAhead session, ActorSystem<?> system, String dispatcher) {
        return socket.bytes()
                .viaMat(new ClientFraming(WIRE_LOG), Keep.right())
                .to(session.sink())
                .withAttributes(ActorAttributes.dispatcher(dispatcher).and(Attributes.inputBuffer(1, 1)))
                .run(system);
    }
}
