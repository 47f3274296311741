package org.pgporter.protocol.message;

import io.netty.buffer.ByteBuf;

/// Asks for GSSAPI encryption. Answered by one byte, G or N. `GSSENCRequest` in the documentation.
public record GssEncRequest() implements StartupPacket {

    /// 1234 in the upper, 5680 in the lower 16 bits.
    public static final int CODE = 80877104;

    public static GssEncRequest decode(ByteBuf body) {
        body.skipBytes(4);
        if (body.isReadable()) {
            throw ProtocolViolation.quiet("invalid length of startup packet");
        }
        return new GssEncRequest();
    }

    @Override
    public void encodeTo(ByteBuf out) {
        out.writeInt(8).writeInt(CODE);
    }
}
