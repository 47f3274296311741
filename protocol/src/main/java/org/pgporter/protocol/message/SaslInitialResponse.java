package org.pgporter.protocol.message;

import io.netty.buffer.ByteBuf;
import java.util.Optional;

/// The client's choice of a SASL mechanism, with its first response if the mechanism begins with one.
public record SaslInitialResponse(String mechanism, Optional<Bytes> response) implements FrontendMessage {

    public static final byte TYPE = 'p';

    public SaslInitialResponse {
        Wire.requireText(mechanism, "mechanism");
    }

    public static SaslInitialResponse decode(ByteBuf body) {
        var mechanism = Wire.readText(body);
        return Wire.end(body, new SaslInitialResponse(mechanism, Wire.readValue(body)));
    }

    @Override
    public byte type() {
        return TYPE;
    }

    @Override
    public void encodeBodyTo(ByteBuf out) {
        Wire.writeText(out, mechanism);
        Wire.writeValue(out, response);
    }
}
