package org.pgporter.protocol.message;

import io.netty.buffer.ByteBuf;

/// An Execute reached its row limit.
public record PortalSuspended() implements BackendMessage {

    public static final byte TYPE = 's';

    public static PortalSuspended decode(ByteBuf body) {
        return Wire.end(body, new PortalSuspended());
    }

    @Override
    public byte type() {
        return TYPE;
    }

    @Override
    public void encodeBodyTo(ByteBuf out) {}
}
