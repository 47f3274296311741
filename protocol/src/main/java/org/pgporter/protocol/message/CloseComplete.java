package org.pgporter.protocol.message;

import io.netty.buffer.ByteBuf;

/// A Close succeeded.
public record CloseComplete() implements BackendMessage {

    public static final byte TYPE = '3';

    public static CloseComplete decode(ByteBuf body) {
        return Wire.end(body, new CloseComplete());
    }

    @Override
    public byte type() {
        return TYPE;
    }

    @Override
    public void encodeBodyTo(ByteBuf out) {}
}
