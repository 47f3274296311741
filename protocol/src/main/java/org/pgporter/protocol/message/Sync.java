package org.pgporter.protocol.message;

import io.netty.buffer.ByteBuf;

/// Ends an extended query; answered by ReadyForQuery.
public record Sync() implements FrontendMessage {

    public static final byte TYPE = 'S';

    public static Sync decode(ByteBuf body) {
        return Wire.end(body, new Sync());
    }

    @Override
    public byte type() {
        return TYPE;
    }

    @Override
    public void encodeBodyTo(ByteBuf out) {}
}
