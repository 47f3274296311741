package org.pgporter.protocol.message;

import io.netty.buffer.ByteBuf;

/// Asks the server to send what it holds back.
public record Flush() implements FrontendMessage {

    public static final byte TYPE = 'H';

    public static Flush decode(ByteBuf body) {
        return Wire.end(body, new Flush());
    }

    @Override
    public byte type() {
        return TYPE;
    }

    @Override
    public void encodeBodyTo(ByteBuf out) {}
}
