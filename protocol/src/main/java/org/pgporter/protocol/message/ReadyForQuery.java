package org.pgporter.protocol.message;

import io.netty.buffer.ByteBuf;

/// The server is ready for a new query cycle.
public record ReadyForQuery(TransactionStatus status) implements BackendMessage {

    public static final byte TYPE = 'Z';

    public static ReadyForQuery decode(ByteBuf body) {
        return Wire.end(body, new ReadyForQuery(TransactionStatus.of(Wire.readByte(body))));
    }

    @Override
    public byte type() {
        return TYPE;
    }

    @Override
    public void encodeBodyTo(ByteBuf out) {
        out.writeByte(status.code());
    }
}
