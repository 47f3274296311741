package org.pgporter.node.backend;

import io.netty.buffer.ByteBuf;
import java.io.ByteArrayOutputStream;
import java.util.Arrays;

/// What rows a prepared statement gives: names, types and type modifiers of the columns, as a RowDescription has
/// them. Not which table they come from, nor in which format they are sent.
record ResultDescription(byte[] columns) {
    /// A statement that gives no rows.
    static final ResultDescription NO_ROWS = new ResultDescription(new byte[0]);

    /// Behind a column's name: table OID and column number, then type OID, type size and modifier, then the format.
    private static final int TABLE = 6;

    private static final int TYPE = 10;
    private static final int FORMAT = 2;

    /// @param body of a RowDescription, complete
    static ResultDescription of(ByteBuf body) {
        ByteBuf bytes = body.slice();
        ByteArrayOutputStream columns = new ByteArrayOutputStream(bytes.readableBytes());
        byte[] type = new byte[TYPE];
        for (int left = bytes.readUnsignedShort(); left > 0; left--) {
            byte[] name = new byte[bytes.bytesBefore((byte) 0) + 1];
            bytes.readBytes(name).skipBytes(TABLE).readBytes(type).skipBytes(FORMAT);
            columns.writeBytes(name);
            columns.writeBytes(type);
        }
        return new ResultDescription(columns.toByteArray());
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof ResultDescription that && Arrays.equals(columns, that.columns);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(columns);
    }
}
