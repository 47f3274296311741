package org.pgporter.node.backend;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.List;
import org.pgporter.protocol.message.ProtocolViolation;
import org.pgporter.protocol.message.SqlState;
import org.pgporter.protocol.message.WireText;

/// Collects the rows that PostgreSQL sends in answer to a question of ours. They come as opaque bytes, in pieces,
/// because nobody reads the rows of clients.
final class OwnRows {
    /// Bytes of one answer; nobody has so many parameters.
    private static final int LIMIT = 4 << 20;

    private static final int HEADER = 5;

    private ByteBuf collected = Unpooled.EMPTY_BUFFER;

    void add(ByteBuf source, int from, int to) {
        if (from >= to) {
            return;
        }
        if (collected == Unpooled.EMPTY_BUFFER) {
            collected = Unpooled.buffer(to - from);
        }
        if (collected.readableBytes() + to - from > LIMIT) {
            throw violation("the answer to a query of the proxy is too long");
        }
        collected.writeBytes(source, from, to - from);
    }

    /// The rows of what has been collected, which ends with a whole message. A row with a null in it is left out.
    List<List<String>> take() {
        List<List<String>> rows = new ArrayList<>();
        ByteBuf bytes = collected;
        collected = Unpooled.EMPTY_BUFFER;
        try {
            while (bytes.readableBytes() >= HEADER) {
                byte type = bytes.readByte();
                ByteBuf body = bytes.readSlice(bytes.readInt() - 4);
                if (type == 'D') {
                    readRow(body, rows);
                }
            }
        } catch (IndexOutOfBoundsException e) {
            throw violation("the answer to a query of the proxy cannot be read");
        }
        return rows;
    }

    private static void readRow(ByteBuf body, List<List<String>> rows) {
        List<String> row = new ArrayList<>();
        for (int columns = body.readUnsignedShort(); columns > 0; columns--) {
            int length = body.readInt();
            if (length < 0) {
                return;
            }
            byte[] value = new byte[length];
            body.readBytes(value);
            row.add(WireText.decode(value));
        }
        rows.add(row);
    }

    private static ProtocolViolation violation(String what) {
        return new ProtocolViolation(SqlState.PROTOCOL_VIOLATION, what);
    }
}
