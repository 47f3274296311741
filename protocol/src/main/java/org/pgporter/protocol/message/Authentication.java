package org.pgporter.protocol.message;

import io.netty.buffer.ByteBuf;

/// The messages of type R: what the server wants to see before it lets a client in.
public sealed interface Authentication extends BackendMessage
        permits AuthenticationOk,
                AuthenticationCleartextPassword,
                AuthenticationMd5Password,
                AuthenticationSasl,
                AuthenticationSaslContinue,
                AuthenticationSaslFinal,
                AuthenticationUnsupported {

    byte TYPE = 'R';

    /// The number at the head of the body that tells the kinds apart.
    int code();

    /// Appends what follows the code.
    void encodeDataTo(ByteBuf out);

    static Authentication decode(ByteBuf body) {
        if (body.readableBytes() < 4) {
            throw new ProtocolViolation(SqlState.PROTOCOL_VIOLATION, "insufficient data left in message");
        }
        return switch (body.getInt(body.readerIndex())) {
            case AuthenticationOk.CODE -> AuthenticationOk.decode(body);
            case AuthenticationCleartextPassword.CODE -> AuthenticationCleartextPassword.decode(body);
            case AuthenticationMd5Password.CODE -> AuthenticationMd5Password.decode(body);
            case AuthenticationSasl.CODE -> AuthenticationSasl.decode(body);
            case AuthenticationSaslContinue.CODE -> AuthenticationSaslContinue.decode(body);
            case AuthenticationSaslFinal.CODE -> AuthenticationSaslFinal.decode(body);
            default -> AuthenticationUnsupported.decode(body);
        };
    }

    @Override
    default byte type() {
        return TYPE;
    }

    @Override
    default void encodeBodyTo(ByteBuf out) {
        out.writeInt(code());
        encodeDataTo(out);
    }
}
