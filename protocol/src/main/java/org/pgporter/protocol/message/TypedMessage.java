package org.pgporter.protocol.message;

import io.netty.buffer.ByteBuf;

/// A message with a type byte, a four byte length that counts itself but not the type, and a body.
public sealed interface TypedMessage extends WireMessage permits FrontendMessage, BackendMessage {

    /// The type byte, an ASCII letter or digit.
    byte type();

    /// Appends the body only, without type and length.
    void encodeBodyTo(ByteBuf out);

    @Override
    default void encodeTo(ByteBuf out) {
        out.writeByte(type());
        int lengthAt = out.writerIndex();
        out.writeInt(0);
        encodeBodyTo(out);
        out.setInt(lengthAt, out.writerIndex() - lengthAt);
    }
}
