package org.pgporter.protocol.message;

import io.netty.buffer.ByteBuf;

/// A statement is complete; the tag is like `SELECT 5`.
public record CommandComplete(String tag) implements BackendMessage {

    public static final byte TYPE = 'C';

    public CommandComplete {
        Wire.requireText(tag, "tag");
    }

    public static CommandComplete decode(ByteBuf body) {
        return Wire.end(body, new CommandComplete(Wire.readText(body)));
    }

    @Override
    public byte type() {
        return TYPE;
    }

    @Override
    public void encodeBodyTo(ByteBuf out) {
        Wire.writeText(out, tag);
    }
}
