package org.pgporter.protocol.message;

import io.netty.buffer.ByteBuf;

/// A password in clear, or the answer to an MD5 challenge. Without the zero byte that ends it on the wire.
public record PasswordMessage(Bytes password) implements FrontendMessage {

    public static final byte TYPE = 'p';

    public PasswordMessage {
        for (byte b : password.toArray()) {
            if (b == 0) {
                throw new IllegalArgumentException("password contains a zero byte");
            }
        }
    }

    public static PasswordMessage decode(ByteBuf body) {
        if (body.bytesBefore((byte) 0) != body.readableBytes() - 1) {
            throw new ProtocolViolation(SqlState.PROTOCOL_VIOLATION, "invalid password packet size");
        }
        var password = Bytes.read(body, body.readableBytes() - 1);
        body.skipBytes(1);
        return new PasswordMessage(password);
    }

    @Override
    public byte type() {
        return TYPE;
    }

    @Override
    public void encodeBodyTo(ByteBuf out) {
        password.writeTo(out);
        out.writeByte(0);
    }
}
