package org.pgporter.protocol.message;

import io.netty.buffer.ByteBuf;

/// Asks, on a connection of its own, to cancel what another session runs. The key is 4 bytes in protocol 3.0 and 4
/// to 256 in 3.2.
public record CancelRequest(int processId, Bytes key) implements StartupPacket {

    /// 1234 in the upper, 5678 in the lower 16 bits.
    public static final int CODE = 80877102;

    public CancelRequest {
        BackendKeyData.requireKey(key);
    }

    public static CancelRequest decode(ByteBuf body) {
        int keyLength = body.readableBytes() - 8;
        if (keyLength < BackendKeyData.MIN_KEY || keyLength > BackendKeyData.MAX_KEY) {
            throw ProtocolViolation.quiet("invalid length of cancel request packet");
        }
        body.skipBytes(4);
        return new CancelRequest(body.readInt(), Bytes.read(body, keyLength));
    }

    @Override
    public void encodeTo(ByteBuf out) {
        out.writeInt(12 + key.size()).writeInt(CODE).writeInt(processId);
        key.writeTo(out);
    }
}
