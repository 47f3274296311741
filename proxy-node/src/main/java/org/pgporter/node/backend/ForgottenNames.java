package org.pgporter.node.backend;

import io.netty.buffer.ByteBuf;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.pgporter.node.sql.StatementEffects.Deallocation;

/// DEALLOCATE of a statement that a client has prepared by the protocol. The backend knows it under a name of
/// ours, if at all, and others may be using it there; so the backend is given something else to deallocate.
/// That has an empty text, which can be prepared even in a failed transaction; DEALLOCATE then succeeds or fails
/// just as it would have.
final class ForgottenNames {
    private static final String PREFIX = PreparedStatement.NAME_PREFIX + "gone_";

    private ForgottenNames() {}

    private static byte[] name(int number) {
        return (PREFIX + number).getBytes(StandardCharsets.US_ASCII);
    }

    /// The text with the names replaced by those of the substitutes.
    static byte[] rewrite(byte[] text, List<Deallocation> deallocations) {
        ByteArrayOutputStream out = new ByteArrayOutputStream(text.length + 16);
        int copied = 0;
        int number = 0;
        for (Deallocation deallocation : deallocations) {
            out.write(text, copied, deallocation.from() - copied);
            out.writeBytes(name(++number));
            copied = deallocation.to();
        }
        out.write(text, copied, text.length - copied);
        return out.toByteArray();
    }

    /// Writes what makes the backend know so many substitutes, whatever it knew before.
    static void writeSubstitutes(int count, ByteBuf out, RepliesOwed owed) {
        for (int number = 1; number <= count; number++) {
            byte[] name = name(number);
            out.writeByte('C').writeInt(4 + 1 + name.length + 1).writeByte('S');
            out.writeBytes(name).writeByte(0);
            owed.sentOwnClose();
            out.writeByte('P').writeInt(4 + name.length + 1 + 1 + 2);
            out.writeBytes(name).writeByte(0).writeByte(0).writeShort(0);
            owed.sentOwnParse();
        }
    }
}
