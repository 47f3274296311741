package org.pgporter.protocol.message;

import io.netty.buffer.ByteBuf;

/// The query string was empty.
public record EmptyQueryResponse() implements BackendMessage {

    public static final byte TYPE = 'I';

    public static EmptyQueryResponse decode(ByteBuf body) {
        return Wire.end(body, new EmptyQueryResponse());
    }

    @Override
    public byte type() {
        return TYPE;
    }

    @Override
    public void encodeBodyTo(ByteBuf out) {}
}
