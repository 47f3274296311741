package org.pgporter.protocol.message;

import io.netty.buffer.ByteBuf;

/// The process id and secret by which this session's queries can be cancelled. Protocol 3.0 knows only secrets of
/// four bytes.
public record BackendKeyData(int processId, Bytes secret) implements BackendMessage {

    public static final byte TYPE = 'K';

    public BackendKeyData {
        requireKey(secret);
    }

    /// Shortest and longest secret of protocol 3.2, in bytes.
    public static final int MIN_KEY = 4;

    public static final int MAX_KEY = 256;

    static void requireKey(Bytes key) {
        if (key.size() < MIN_KEY || key.size() > MAX_KEY) {
            throw new IllegalArgumentException("a cancel key has 4 to 256 bytes, got " + key.size());
        }
    }

    public static BackendKeyData decode(ByteBuf body) {
        int processId = Wire.readInt(body);
        var secret = Wire.readRest(body);
        return Wire.checked(() -> new BackendKeyData(processId, secret));
    }

    @Override
    public byte type() {
        return TYPE;
    }

    @Override
    public void encodeBodyTo(ByteBuf out) {
        out.writeInt(processId);
        secret.writeTo(out);
    }
}
