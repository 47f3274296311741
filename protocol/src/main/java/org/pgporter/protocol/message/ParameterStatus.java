package org.pgporter.protocol.message;

import io.netty.buffer.ByteBuf;

/// The server reports a run-time parameter.
public record ParameterStatus(String name, String value) implements BackendMessage {

    public static final byte TYPE = 'S';

    public ParameterStatus {
        Wire.requireText(name, "parameter name");
        Wire.requireText(value, "parameter value");
    }

    public static ParameterStatus decode(ByteBuf body) {
        var name = Wire.readText(body);
        return Wire.end(body, new ParameterStatus(name, Wire.readText(body)));
    }

    @Override
    public byte type() {
        return TYPE;
    }

    @Override
    public void encodeBodyTo(ByteBuf out) {
        Wire.writeText(out, name);
        Wire.writeText(out, value);
    }
}
