package org.pgporter.protocol.message;

import io.netty.buffer.ByteBuf;
import java.util.List;
import java.util.stream.Stream;

/// The columns of the rows to come.
public record RowDescription(List<Column> columns) implements BackendMessage {

    public static final byte TYPE = 'T';

    public RowDescription {
        columns = Wire.requireList(columns, "columns");
    }

    /// One column. Oids, sizes and modifiers as in PostgreSQL's catalogs; format 0 is text, 1 is binary.
    public record Column(
            String name, int tableOid, int attribute, int typeOid, int typeSize, int typeModifier, int format) {

        private static final int TEXT_OID = 25;

        public Column {
            Wire.requireText(name, "column name");
        }

        /// A column of type text, in text format, of no table.
        public static Column text(String name) {
            return new Column(name, 0, 0, TEXT_OID, -1, -1, 0);
        }

        private static Column decode(ByteBuf in) {
            return new Column(
                    Wire.readText(in),
                    Wire.readInt(in),
                    Wire.readShort(in),
                    Wire.readInt(in),
                    Wire.readShort(in),
                    Wire.readInt(in),
                    Wire.readShort(in));
        }

        private void encodeTo(ByteBuf out) {
            Wire.writeText(out, name);
            out.writeInt(tableOid).writeShort(attribute);
            out.writeInt(typeOid).writeShort(typeSize).writeInt(typeModifier).writeShort(format);
        }
    }

    /// Columns of type text with these names.
    public static RowDescription ofText(String... names) {
        return new RowDescription(Stream.of(names).map(Column::text).toList());
    }

    public static RowDescription decode(ByteBuf body) {
        return Wire.end(body, new RowDescription(Wire.readList(body, Column::decode)));
    }

    @Override
    public byte type() {
        return TYPE;
    }

    @Override
    public void encodeBodyTo(ByteBuf out) {
        Wire.writeList(out, columns, (to, column) -> column.encodeTo(to));
    }
}
