package org.pgporter.protocol.message;

import io.netty.buffer.ByteBuf;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// One row. An empty value is SQL NULL.
public record DataRow(List<Optional<Bytes>> values) implements BackendMessage {

    public static final byte TYPE = 'D';

    public DataRow {
        values = Wire.requireList(values, "values");
    }

    /// A row of text values, none of them NULL.
    public static DataRow ofText(String... values) {
        return new DataRow(
                Stream.of(values).map(Bytes::ofText).map(Optional::of).toList());
    }

    public static DataRow decode(ByteBuf body) {
        return Wire.end(body, new DataRow(Wire.readList(body, Wire::readValue)));
    }

    @Override
    public byte type() {
        return TYPE;
    }

    @Override
    public void encodeBodyTo(ByteBuf out) {
        Wire.writeList(out, values, Wire::writeValue);
    }
}
