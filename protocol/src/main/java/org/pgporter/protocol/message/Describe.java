package org.pgporter.protocol.message;

import io.netty.buffer.ByteBuf;

/// Asks what a prepared statement or portal looks like.
public record Describe(Target target, String name) implements FrontendMessage {

    public static final byte TYPE = 'D';

    public Describe {
        Wire.requireText(name, "name");
    }

    public static Describe decode(ByteBuf body) {
        var target = Target.of(Wire.readByte(body));
        return Wire.end(body, new Describe(target, Wire.readText(body)));
    }

    @Override
    public byte type() {
        return TYPE;
    }

    @Override
    public void encodeBodyTo(ByteBuf out) {
        out.writeByte(target.code());
        Wire.writeText(out, name);
    }
}
