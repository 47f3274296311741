package org.pgporter.protocol.message;

import io.netty.buffer.ByteBuf;

/// A challenge within a SASL exchange.
public record AuthenticationSaslContinue(Bytes data) implements Authentication {

    public static final int CODE = 11;

    public static AuthenticationSaslContinue decode(ByteBuf body) {
        Wire.expectCode(body, CODE);
        return new AuthenticationSaslContinue(Wire.readRest(body));
    }

    @Override
    public int code() {
        return CODE;
    }

    @Override
    public void encodeDataTo(ByteBuf out) {
        data.writeTo(out);
    }
}
