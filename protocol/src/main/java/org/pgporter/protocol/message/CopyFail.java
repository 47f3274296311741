package org.pgporter.protocol.message;

import io.netty.buffer.ByteBuf;

/// The client gives a COPY up.
public record CopyFail(String reason) implements FrontendMessage {

    public static final byte TYPE = 'f';

    public CopyFail {
        Wire.requireText(reason, "reason");
    }

    public static CopyFail decode(ByteBuf body) {
        return Wire.end(body, new CopyFail(Wire.readText(body)));
    }

    @Override
    public byte type() {
        return TYPE;
    }

    @Override
    public void encodeBodyTo(ByteBuf out) {
        Wire.writeText(out, reason);
    }
}
