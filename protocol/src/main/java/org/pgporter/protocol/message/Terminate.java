package org.pgporter.protocol.message;

import io.netty.buffer.ByteBuf;

/// The client leaves.
public record Terminate() implements FrontendMessage {

    public static final byte TYPE = 'X';

    public static Terminate decode(ByteBuf body) {
        return Wire.end(body, new Terminate());
    }

    @Override
    public byte type() {
        return TYPE;
    }

    @Override
    public void encodeBodyTo(ByteBuf out) {}
}
