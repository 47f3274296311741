package org.pgporter.protocol.message;

import io.netty.buffer.ByteBuf;
import java.util.Map;

/// A warning or remark that answers nothing in particular. Fields as in [ErrorResponse].
public record NoticeResponse(Map<Character, String> fields) implements BackendMessage {

    public static final byte TYPE = 'N';

    public NoticeResponse {
        fields = ResponseFields.checked(fields);
    }

    public static NoticeResponse of(Severity severity, SqlState sqlState, String message) {
        return new NoticeResponse(ResponseFields.of(severity, sqlState, message));
    }

    /// The same with a field D.
    public NoticeResponse withDetail(String detail) {
        return with('D', detail);
    }

    /// The same with a field H.
    public NoticeResponse withHint(String hint) {
        return with('H', hint);
    }

    /// The same with this field set. A zero byte in the value becomes a blank.
    public NoticeResponse with(char field, String value) {
        return new NoticeResponse(ResponseFields.with(fields, field, value));
    }

    /// The field V, else S, else NOTICE.
    public Severity severity() {
        return ResponseFields.severity(fields).orElse(Severity.NOTICE);
    }

    /// The field C; 00000 if it is missing or no SQLSTATE.
    public SqlState sqlState() {
        return ResponseFields.sqlState(fields).orElse(SqlState.SUCCESSFUL_COMPLETION);
    }

    /// The field M; empty if it is missing.
    public String message() {
        return fields.getOrDefault('M', "");
    }

    public static NoticeResponse decode(ByteBuf body) {
        return Wire.end(body, new NoticeResponse(ResponseFields.decode(body)));
    }

    @Override
    public byte type() {
        return TYPE;
    }

    @Override
    public void encodeBodyTo(ByteBuf out) {
        ResponseFields.encode(fields, out, Severity.NOTICE);
    }
}
