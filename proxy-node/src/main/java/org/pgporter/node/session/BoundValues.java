package org.pgporter.node.session;

import io.netty.buffer.ByteBuf;
import org.pgporter.protocol.message.WireText;

/// Reads single values out of a Bind message.
final class BoundValues {
    private BoundValues() {}

    /// The value of a parameter as text; the binary format of text is the same bytes. Empty when there is no such
    /// value, or the message is too short for it.
    ///
    /// @param bind from behind the names of portal and statement; its indexes are not moved
    /// @param number from 1
    static String text(ByteBuf bind, int number) {
        ByteBuf body = bind.slice();
        if (body.readableBytes() < 2) {
            return "";
        }
        int formats = body.readUnsignedShort();
        if (body.readableBytes() < 2 * formats + 2) {
            return "";
        }
        body.skipBytes(2 * formats);
        int values = body.readUnsignedShort();
        for (int i = 1; i <= values && body.readableBytes() >= 4; i++) {
            int length = body.readInt();
            if (length > body.readableBytes()) {
                return "";
            }
            if (i == number) {
                byte[] value = new byte[Math.max(length, 0)];
                body.readBytes(value);
                return WireText.decode(value);
            }
            body.skipBytes(Math.max(length, 0));
        }
        return "";
    }
}
