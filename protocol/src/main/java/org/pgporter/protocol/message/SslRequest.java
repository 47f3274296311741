package org.pgporter.protocol.message;

import io.netty.buffer.ByteBuf;

/// Asks for TLS. Answered by one byte, S or N. `SSLRequest` in the documentation.
public record SslRequest() implements StartupPacket {

    /// 1234 in the upper, 5679 in the lower 16 bits.
    public static final int CODE = 80877103;

    public static SslRequest decode(ByteBuf body) {
        body.skipBytes(4);
        if (body.isReadable()) {
            throw ProtocolViolation.quiet("invalid length of startup packet");
        }
        return new SslRequest();
    }

    @Override
    public void encodeTo(ByteBuf out) {
        out.writeInt(8).writeInt(CODE);
    }
}
