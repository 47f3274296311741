package org.pgporter.protocol.message;

import io.netty.buffer.ByteBuf;

/// A way to authenticate that PgPorter does not speak: Kerberos, GSSAPI, SSPI, SCM credentials, or one of the
/// future.
public record AuthenticationUnsupported(int code, Bytes data) implements Authentication {

    public static AuthenticationUnsupported decode(ByteBuf body) {
        int code = Wire.readInt(body);
        return new AuthenticationUnsupported(code, Wire.readRest(body));
    }

    @Override
    public void encodeDataTo(ByteBuf out) {
        data.writeTo(out);
    }
}
