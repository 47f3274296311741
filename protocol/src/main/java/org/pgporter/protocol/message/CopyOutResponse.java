package org.pgporter.protocol.message;

import io.netty.buffer.ByteBuf;
import java.util.List;

/// The server is about to send COPY data. Formats are 0 (text) or 1 (binary).
public record CopyOutResponse(int format, List<Integer> columnFormats) implements BackendMessage {

    public static final byte TYPE = 'H';

    public CopyOutResponse {
        columnFormats = Wire.requireList(columnFormats, "column formats");
    }

    public static CopyOutResponse decode(ByteBuf body) {
        int format = Wire.readByte(body);
        return Wire.end(body, new CopyOutResponse(format, Wire.readList(body, Wire::readShort)));
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
