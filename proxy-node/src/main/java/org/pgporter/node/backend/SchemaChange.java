package org.pgporter.node.backend;

import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;

/// Which commands change what a prepared statement means: by their tag (`cmdtaglist.h`).
final class SchemaChange {
    private static final byte[][] BEGINNINGS = {
        "ALTER ".getBytes(StandardCharsets.US_ASCII),
        "DROP ".getBytes(StandardCharsets.US_ASCII),
        "CREATE VIEW".getBytes(StandardCharsets.US_ASCII),
        "CREATE FUNCTION".getBytes(StandardCharsets.US_ASCII)
    };

    private SchemaChange() {}

    /// @param at where the tag begins
    static boolean isOne(ByteBuf bytes, int at, int length) {
        byte first = bytes.getByte(at);
        if (first != 'A' && first != 'D' && first != 'C') {
            return false;
        }
        for (byte[] beginning : BEGINNINGS) {
            if (length >= beginning.length && startsWith(bytes, at, beginning)) {
                return true;
            }
        }
        return false;
    }

    private static boolean startsWith(ByteBuf bytes, int at, byte[] beginning) {
        for (int i = 0; i < beginning.length; i++) {
            if (bytes.getByte(at + i) != beginning[i]) {
                return false;
            }
        }
        return true;
    }
}
