package org.pgporter.protocol.message;

import io.netty.buffer.ByteBuf;
import java.util.Map;

/// An error. The fields are keyed by their letter as in PostgreSQL's documentation ("Error and Notice Message
/// Fields") and keep their order. What comes in may lack any field; what goes out always has S, V, C and M.
public record ErrorResponse(Map<Character, String> fields) implements BackendMessage {

    public static final byte TYPE = 'E';

    public ErrorResponse {
        fields = ResponseFields.checked(fields);
    }

    public static ErrorResponse of(Severity severity, SqlState sqlState, String message) {
        return new ErrorResponse(ResponseFields.of(severity, sqlState, message));
    }

    /// The same with a field D.
    public ErrorResponse withDetail(String detail) {
        return with('D', detail);
    }

    /// The same with a field H.
    public ErrorResponse withHint(String hint) {
        return with('H', hint);
    }

    /// The same with this field set. A zero byte in the value becomes a blank.
    public ErrorResponse with(char field, String value) {
        return new ErrorResponse(ResponseFields.with(fields, field, value));
    }

    /// The field V, else S, else ERROR.
    public Severity severity() {
        return ResponseFields.severity(fields).orElse(Severity.ERROR);
    }

    /// The field C; XX000 if it is missing or no SQLSTATE.
    public SqlState sqlState() {
        return ResponseFields.sqlState(fields).orElse(SqlState.INTERNAL_ERROR);
    }

    /// The field M; empty if it is missing.
    public String message() {
        return fields.getOrDefault('M', "");
    }

    public static ErrorResponse decode(ByteBuf body) {
        return Wire.end(body, new ErrorResponse(ResponseFields.decode(body)));
    }

    @Override
    public byte type() {
        return TYPE;
    }

    @Override
    public void encodeBodyTo(ByteBuf out) {
        ResponseFields.encode(fields, out, Severity.ERROR);
    }
}
