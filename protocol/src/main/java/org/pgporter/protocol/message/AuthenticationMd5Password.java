package org.pgporter.protocol.message;

import io.netty.buffer.ByteBuf;

/// The server wants an MD5 answer to this salt of four bytes.
public record AuthenticationMd5Password(Bytes salt) implements Authentication {

    public AuthenticationMd5Password {
        if (salt.size() != 4) {
            throw new IllegalArgumentException("MD5 salt must have 4 bytes, got " + salt.size());
        }
    }

    public static final int CODE = 5;

    public static AuthenticationMd5Password decode(ByteBuf body) {
        Wire.expectCode(body, CODE);
        return Wire.end(body, new AuthenticationMd5Password(Wire.readBytes(body, 4)));
    }

    @Override
    public int code() {
        return CODE;
    }

    @Override
    public void encodeDataTo(ByteBuf out) {
        salt.writeTo(out);
    }
}
