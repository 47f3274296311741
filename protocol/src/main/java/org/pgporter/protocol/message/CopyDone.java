package org.pgporter.protocol.message;

import io.netty.buffer.ByteBuf;

/// The COPY stream is complete, in either direction.
public record CopyDone() implements FrontendMessage, BackendMessage {

    public static final byte TYPE = 'c';

    public static CopyDone decode(ByteBuf body) {
        return Wire.end(body, new CopyDone());
    }

    @Override
    public byte type() {
        return TYPE;
    }

    @Override
    public void encodeBodyTo(ByteBuf out) {}
}
