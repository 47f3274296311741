package org.pgporter.protocol.message;

import io.netty.buffer.ByteBuf;

/// The client is in.
public record AuthenticationOk() implements Authentication {

    public static final int CODE = 0;

    public static AuthenticationOk decode(ByteBuf body) {
        Wire.expectCode(body, CODE);
        return Wire.end(body, new AuthenticationOk());
    }

    @Override
    public int code() {
        return CODE;
    }

    @Override
    public void encodeDataTo(ByteBuf out) {}
}
