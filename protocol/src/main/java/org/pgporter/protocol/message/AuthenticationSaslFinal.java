package org.pgporter.protocol.message;

import io.netty.buffer.ByteBuf;

/// The last word of the server in a SASL exchange: its own proof.
public record AuthenticationSaslFinal(Bytes data) implements Authentication {

    public static final int CODE = 12;

    public static AuthenticationSaslFinal decode(ByteBuf body) {
        Wire.expectCode(body, CODE);
        return new AuthenticationSaslFinal(Wire.readRest(body));
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
