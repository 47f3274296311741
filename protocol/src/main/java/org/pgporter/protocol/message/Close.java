package org.pgporter.protocol.message;

import io.netty.buffer.ByteBuf;

/// Gives up a prepared statement or portal.
public record Close(Target target, String name) implements FrontendMessage {

    public static final byte TYPE = 'C';

    public Close {
        Wire.requireText(name, "name");
    }

    public static Close decode(ByteBuf body) {
        var target = Target.of(Wire.readByte(body));
        return Wire.end(body, new Close(target, Wire.readText(body)));
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
