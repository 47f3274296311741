package org.pgporter.protocol.message;

import io.netty.buffer.ByteBuf;

/// What was described returns no rows.
public record NoData() implements BackendMessage {

    public static final byte TYPE = 'n';

    public static NoData decode(ByteBuf body) {
        return Wire.end(body, new NoData());
    }

    @Override
    public byte type() {
        return TYPE;
    }

    @Override
    public void encodeBodyTo(ByteBuf out) {}
}
