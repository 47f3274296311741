package org.pgporter.protocol.message;

import io.netty.buffer.ByteBuf;

/// What a server sends.
public sealed interface BackendMessage extends TypedMessage
        permits Authentication,
                CopyData,
                CopyDone,
                BackendKeyData,
                ParameterStatus,
                ReadyForQuery,
                NegotiateProtocolVersion,
                NotificationResponse,
                ParseComplete,
                BindComplete,
                CloseComplete,
                NoData,
                EmptyQueryResponse,
                PortalSuspended,
                CommandComplete,
                RowDescription,
                DataRow,
                FunctionCallResponse,
                CopyInResponse,
                CopyOutResponse,
                CopyBothResponse,
                ErrorResponse,
                NoticeResponse {

    /// Decodes a body, which is without type and length.
    static BackendMessage decode(byte type, ByteBuf body) {
        return switch (type) {
            case Authentication.TYPE -> Authentication.decode(body);
            case CopyData.TYPE -> CopyData.decode(body);
            case CopyDone.TYPE -> CopyDone.decode(body);
            case BackendKeyData.TYPE -> BackendKeyData.decode(body);
            case ParameterStatus.TYPE -> ParameterStatus.decode(body);
            case ReadyForQuery.TYPE -> ReadyForQuery.decode(body);
            case NegotiateProtocolVersion.TYPE -> NegotiateProtocolVersion.decode(body);
            case NotificationResponse.TYPE -> NotificationResponse.decode(body);
            case ParseComplete.TYPE -> ParseComplete.decode(body);
            case BindComplete.TYPE -> BindComplete.decode(body);
            case CloseComplete.TYPE -> CloseComplete.decode(body);
            case NoData.TYPE -> NoData.decode(body);
            case EmptyQueryResponse.TYPE -> EmptyQueryResponse.decode(body);
            case PortalSuspended.TYPE -> PortalSuspended.decode(body);
            case CommandComplete.TYPE -> CommandComplete.decode(body);
            case RowDescription.TYPE -> RowDescription.decode(body);
            case DataRow.TYPE -> DataRow.decode(body);
            case FunctionCallResponse.TYPE -> FunctionCallResponse.decode(body);
            case CopyInResponse.TYPE -> CopyInResponse.decode(body);
            case CopyOutResponse.TYPE -> CopyOutResponse.decode(body);
            case CopyBothResponse.TYPE -> CopyBothResponse.decode(body);
            case ErrorResponse.TYPE -> ErrorResponse.decode(body);
            case NoticeResponse.TYPE -> NoticeResponse.decode(body);
            default ->
                throw new ProtocolViolation(
                        SqlState.PROTOCOL_VIOLATION, "invalid backend message type " + (type & 0xff));
        };
    }
}
