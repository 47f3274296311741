package org.pgporter.protocol.message;

import io.netty.buffer.ByteBuf;

/// A Parse succeeded.
public record ParseComplete() implements BackendMessage {

    public static final byte TYPE = '1';

    public static ParseComplete decode(ByteBuf body) {
        return Wire.end(body, new ParseComplete());
    }

    @Override
    public byte type() {
        return TYPE;
    }

    @Override
    public void encodeBodyTo(ByteBuf out) {}
}
