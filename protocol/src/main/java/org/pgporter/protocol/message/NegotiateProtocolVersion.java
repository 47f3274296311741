package org.pgporter.protocol.message;

import io.netty.buffer.ByteBuf;
import java.util.List;

/// The newest version that the server speaks, and the `_pq_.` options of the client that it does not know. The
/// version stands on the wire in its full 32 bits.
public record NegotiateProtocolVersion(ProtocolVersion newest, List<String> unrecognized) implements BackendMessage {

    public static final byte TYPE = 'v';

    public NegotiateProtocolVersion {
        unrecognized = List.copyOf(unrecognized);
        unrecognized.forEach(option -> Wire.requireText(option, "option"));
    }

    public static NegotiateProtocolVersion decode(ByteBuf body) {
        var newest = ProtocolVersion.of(Wire.readInt(body));
        int count = Wire.readInt(body);
        if (count < 0 || count > body.readableBytes()) {
            throw new ProtocolViolation(SqlState.PROTOCOL_VIOLATION, "insufficient data left in message");
        }
        return Wire.end(body, new NegotiateProtocolVersion(newest, Wire.readList(body, count, Wire::readText)));
    }

    @Override
    public byte type() {
        return TYPE;
    }

    @Override
    public void encodeBodyTo(ByteBuf out) {
        out.writeInt(newest.code()).writeInt(unrecognized.size());
        unrecognized.forEach(option -> Wire.writeText(out, option));
    }
}
