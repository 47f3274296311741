package org.pgporter.node.admin;

import io.netty.buffer.ByteBuf;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.pgporter.protocol.message.DataRow;
import org.pgporter.protocol.message.RowDescription;

/// How the rows of a table go to the client: each column as text or in its binary format.
record Encoding(List<Column> columns, List<Boolean> binary) {
    private static final int NULL = -1;

    static Encoding text(List<Column> columns) {
        return of(columns, List.of());
    }

    /// @param formats as in Bind: none (all text), one for all, or one for each; 0 is text and 1 binary
    static Encoding of(List<Column> columns, List<Integer> formats) {
        List<Boolean> binary = new ArrayList<>();
        for (int i = 0; i < columns.size(); i++) {
            binary.add(!formats.isEmpty() && formats.get(formats.size() == 1 ? 0 : i) == 1);
        }
        return new Encoding(columns, List.copyOf(binary));
    }

    void describe(ByteBuf out) {
        List<RowDescription.Column> described = new ArrayList<>();
        for (int i = 0; i < columns.size(); i++) {
            Column column = columns.get(i);
            described.add(new RowDescription.Column(
                    column.name(), 0, 0, column.type().oid(), column.type().size(), -1, binary.get(i) ? 1 : 0));
        }
        new RowDescription(described).encodeTo(out);
    }

    void row(List<@Nullable String> values, ByteBuf out) {
        int start = out.writerIndex();
        out.writeByte(DataRow.TYPE).writeInt(0).writeShort(values.size());
        for (int i = 0; i < values.size(); i++) {
            String value = values.get(i);
            if (value == null) {
                out.writeInt(NULL);
            } else if (binary.get(i)) {
                columns.get(i).type().writeBinary(value, out);
            } else {
                ColumnType.writeText(value, out);
            }
        }
        out.setInt(start + 1, out.writerIndex() - start - 1);
    }
}
