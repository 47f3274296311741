package org.pgporter.protocol.message;

import io.netty.buffer.ByteBuf;
import java.util.Optional;

/// The result of a FunctionCall; empty for SQL NULL.
public record FunctionCallResponse(Optional<Bytes> result) implements BackendMessage {

    public static final byte TYPE = 'V';

    public static FunctionCallResponse decode(ByteBuf body) {
        return Wire.end(body, new FunctionCallResponse(Wire.readValue(body)));
    }

    @Override
    public byte type() {
        return TYPE;
    }

    @Override
    public void encodeBodyTo(ByteBuf out) {
        Wire.writeValue(out, result);
    }
}
