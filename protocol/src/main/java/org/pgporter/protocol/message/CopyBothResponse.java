package org.pgporter.protocol.message;

import io.netty.buffer.ByteBuf;
import java.util.List;

/// Both sides may send COPY data: streaming replication. Formats are 0 (text) or 1 (binary).
public record CopyBothResponse(int format, List<Integer> columnFormats) implements BackendMessage {

    public static final byte TYPE = 'W';

    public CopyBothResponse {
        columnFormats = Wire.requireList(columnFormats, "column formats");
    }

    public static CopyBothResponse decode(ByteBuf body) {
        int format = Wire.readByte(body);
        return Wire.end(body, new CopyBothResponse(format, Wire.readList(body, Wire::readShort)));
    }

    @Override
    public byte type() {
        return TYPE;
    }

    @Override
    public void encodeBodyTo(ByteBuf out) {
        out.writeByte(format);
        Wire.writeList(out, columnFormats, ByteBuf::writeShort);
    }
}
