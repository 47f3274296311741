package org.pgporter.protocol.message;

import io.netty.buffer.ByteBuf;

/// A further response within a SASL exchange.
public record SaslResponse(Bytes response) implements FrontendMessage {

    public static final byte TYPE = 'p';

    public static SaslResponse decode(ByteBuf body) {
        return new SaslResponse(Wire.readRest(body));
    }

    @Override
    public byte type() {
        return TYPE;
    }

    @Override
    public void encodeBodyTo(ByteBuf out) {
        response.writeTo(out);
    }
}
