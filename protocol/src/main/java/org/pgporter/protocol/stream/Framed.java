package org.pgporter.protocol.stream;

import org.pgporter.protocol.codec.Batch;
import org.pgporter.protocol.message.ProtocolViolation;
import org.pgporter.protocol.message.StartupPacket;

/// What the framing stages emit, in the order of the wire.
public sealed interface Framed {

    /// A startup packet. `moreBytes` tells that bytes had already arrived behind it: after an SSLRequest that is an
    /// attempt to smuggle plaintext past TLS, and the connection must be refused.
    record Startup(StartupPacket packet, boolean moreBytes) implements Framed {}

    /// Frames. The receiver owns the batch and releases it.
    record Messages(Batch batch) implements Framed {}

    /// The peer broke the protocol. Always the last element: the stage completes behind it.
    record Violated(ProtocolViolation violation) implements Framed {}
}
