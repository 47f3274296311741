package org.pgporter.protocol.message;

import io.netty.buffer.ByteBuf;

/// The server wants the password in clear.
public record AuthenticationCleartextPassword() implements Authentication {

    public static final int CODE = 3;

    public static AuthenticationCleartextPassword decode(ByteBuf body) {
        Wire.expectCode(body, CODE);
        return Wire.end(body, new AuthenticationCleartextPassword());
    }

    @Override
    public int code() {
        return CODE;
    }

    @Override
    public void encodeDataTo(ByteBuf out) {}
}
