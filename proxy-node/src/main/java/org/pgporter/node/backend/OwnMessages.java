package org.pgporter.node.backend;

import io.netty.buffer.ByteBuf;

/// Writes the extended-query messages of the proxy's own statements: unnamed statement and portal, text formats.
final class OwnMessages {
    private OwnMessages() {}

    /// @param query without its zero
    /// @param type the OID of every parameter
    static void writeParse(ByteBuf out, byte[] query, int type, int parameters) {
        out.writeByte('P').writeInt(4 + 1 + query.length + 1 + 2 + 4 * parameters);
        out.writeByte(0).writeBytes(query).writeByte(0).writeShort(parameters);
        for (int i = 0; i < parameters; i++) {
            out.writeInt(type);
        }
    }

    static void writeBind(ByteBuf out, byte[]... values) {
        out.writeByte('B');
        int length = out.writerIndex();
        out.writeInt(0).writeByte(0).writeByte(0).writeShort(0).writeShort(values.length);
        for (byte[] value : values) {
            out.writeInt(value.length).writeBytes(value);
        }
        out.writeShort(0);
        out.setInt(length, out.writerIndex() - length);
    }

    static void writeExecute(ByteBuf out) {
        out.writeByte('E').writeInt(4 + 1 + 4).writeByte(0).writeInt(0);
    }

    static void writeSync(ByteBuf out) {
        out.writeByte('S').writeInt(4);
    }
}
