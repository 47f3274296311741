package org.pgporter.protocol.message;

import io.netty.buffer.ByteBuf;

/// Anything that can be written to a PostgreSQL connection as a whole: a startup packet or a typed message.
public sealed interface WireMessage permits StartupPacket, TypedMessage {

    /// Appends the complete message: type byte where there is one, length, body. Does not touch what `out` already
    /// holds.
    void encodeTo(ByteBuf out);
}
