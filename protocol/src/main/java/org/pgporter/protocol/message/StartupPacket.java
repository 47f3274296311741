package org.pgporter.protocol.message;

import io.netty.buffer.ByteBuf;

/// What a client sends before messages have a type byte. Here a body is everything behind the four byte length, so
/// it begins with the four byte code.
public sealed interface StartupPacket extends WireMessage
        permits StartupMessage, SslRequest, GssEncRequest, CancelRequest {

    /// Decodes by the code at the head of the body. Unknown majors are a violation: quiet if they look like no
    /// PostgreSQL at all.
    static StartupPacket decode(ByteBuf body) {
        if (body.readableBytes() < 4) {
            throw ProtocolViolation.quiet("invalid length of startup packet");
        }
        int code = body.getInt(body.readerIndex());
        return switch (code) {
            case SslRequest.CODE -> SslRequest.decode(body);
            case GssEncRequest.CODE -> GssEncRequest.decode(body);
            case CancelRequest.CODE -> CancelRequest.decode(body);
            default -> StartupMessage.decode(body);
        };
    }
}
