package org.pgporter.protocol.message;

import io.netty.buffer.ByteBuf;

/// Runs a portal. Zero rows means all of them.
public record Execute(String portal, int maxRows) implements FrontendMessage {

    public static final byte TYPE = 'E';

    public Execute {
        Wire.requireText(portal, "portal name");
    }

    public static Execute decode(ByteBuf body) {
        var portal = Wire.readText(body);
        return Wire.end(body, new Execute(portal, Wire.readInt(body)));
    }

    @Override
    public byte type() {
        return TYPE;
    }

    @Override
    public void encodeBodyTo(ByteBuf out) {
        Wire.writeText(out, portal);
        out.writeInt(maxRows);
    }
}
