package org.pgporter.protocol.message;

import io.netty.buffer.ByteBuf;

/// A piece of a COPY stream, in either direction.
public record CopyData(Bytes data) implements FrontendMessage, BackendMessage {

    public static final byte TYPE = 'd';

    public static CopyData decode(ByteBuf body) {
        return new CopyData(Wire.readRest(body));
    }

    @Override
    public byte type() {
        return TYPE;
    }

    @Override
    public void encodeBodyTo(ByteBuf out) {
        data.writeTo(out);
    }
}
