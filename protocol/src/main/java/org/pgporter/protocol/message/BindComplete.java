package org.pgporter.protocol.message;

import io.netty.buffer.ByteBuf;

/// A Bind succeeded.
public record BindComplete() implements BackendMessage {

    public static final byte TYPE = '2';

    public static BindComplete decode(ByteBuf body) {
        return Wire.end(body, new BindComplete());
    }

    @Override
    public byte type() {
        return TYPE;
    }

    @Override
    public void encodeBodyTo(ByteBuf out) {}
}
