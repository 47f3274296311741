package org.pgporter.protocol.message;

import io.netty.buffer.ByteBuf;

/// What a client sends once it has started up.
public sealed interface FrontendMessage extends TypedMessage
        permits Query,
                Parse,
                Bind,
                Describe,
                Close,
                Execute,
                Flush,
                Sync,
                Terminate,
                PasswordMessage,
                SaslInitialResponse,
                SaslResponse,
                CopyData,
                CopyDone,
                CopyFail,
                FunctionCall {

    /// Decodes a body, which is without type and length. The three kinds of `p` look alike: only who asked for the
    /// answer knows which it is, so here it is always a [SaslResponse] with the whole body.
    static FrontendMessage decode(byte type, ByteBuf body) {
        return switch (type) {
            case Query.TYPE -> Query.decode(body);
            case Parse.TYPE -> Parse.decode(body);
            case Bind.TYPE -> Bind.decode(body);
            case Describe.TYPE -> Describe.decode(body);
            case Close.TYPE -> Close.decode(body);
            case Execute.TYPE -> Execute.decode(body);
            case Flush.TYPE -> Flush.decode(body);
            case Sync.TYPE -> Sync.decode(body);
            case Terminate.TYPE -> Terminate.decode(body);
            case SaslResponse.TYPE -> SaslResponse.decode(body);
            case CopyData.TYPE -> CopyData.decode(body);
            case CopyDone.TYPE -> CopyDone.decode(body);
            case CopyFail.TYPE -> CopyFail.decode(body);
            case FunctionCall.TYPE -> FunctionCall.decode(body);
            default ->
                throw new ProtocolViolation(
                        SqlState.PROTOCOL_VIOLATION, "invalid frontend message type " + (type & 0xff));
        };
    }
}
