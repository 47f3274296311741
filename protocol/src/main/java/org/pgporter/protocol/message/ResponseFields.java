package org.pgporter.protocol.message;

import io.netty.buffer.ByteBuf;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/// What ErrorResponse and NoticeResponse have in common: a list of fields, each a letter and a text.
final class ResponseFields {

    private ResponseFields() {}

    static Map<Character, String> of(Severity severity, SqlState sqlState, String message) {
        Map<Character, String> fields = new LinkedHashMap<>();
        fields.put('S', severity.name());
        fields.put('V', severity.name());
        fields.put('C', sqlState.code());
        fields.put('M', message.replace('\0', ' '));
        return fields;
    }

    static Map<Character, String> with(Map<Character, String> fields, char field, String value) {
        Map<Character, String> more = new LinkedHashMap<>(fields);
        more.put(field, value.replace('\0', ' '));
        return more;
    }

    static Map<Character, String> checked(Map<Character, String> fields) {
        Map<Character, String> copy = Collections.unmodifiableMap(new LinkedHashMap<>(fields));
        copy.forEach((field, value) -> {
            if (field == 0 || field > 0xff) {
                throw new IllegalArgumentException("not a field letter: " + (int) field);
            }
            Wire.requireText(value, "field " + field);
        });
        return copy;
    }

    static Map<Character, String> decode(ByteBuf body) {
        Map<Character, String> fields = new LinkedHashMap<>();
        for (byte field = Wire.readByte(body); field != 0; field = Wire.readByte(body)) {
            fields.put((char) (field & 0xff), Wire.readText(body));
        }
        return fields;
    }

    static void encode(Map<Character, String> fields, ByteBuf out, Severity fallback) {
        String severity = severity(fields).orElse(fallback).name();
        write(out, 'S', fields.getOrDefault('S', severity));
        write(out, 'V', fields.getOrDefault('V', severity));
        write(out, 'C', fields.getOrDefault('C', fallback == Severity.NOTICE ? "00000" : "XX000"));
        write(out, 'M', fields.getOrDefault('M', ""));
        fields.forEach((field, value) -> {
            if ("SVCM".indexOf(field) < 0) {
                write(out, field, value);
            }
        });
        out.writeByte(0);
    }

    static Optional<Severity> severity(Map<Character, String> fields) {
        return named(fields, 'V').or(() -> named(fields, 'S'));
    }

    static Optional<SqlState> sqlState(Map<Character, String> fields) {
        return Optional.ofNullable(fields.get('C')).filter(SqlState::isValid).map(SqlState::new);
    }

    /// PostgreSQL numbers its debug levels (`DEBUG1` to `DEBUG5`); they are one severity here.
    private static Optional<Severity> named(Map<Character, String> fields, char field) {
        return Optional.ofNullable(fields.get(field))
                .flatMap(name -> Severity.named(name.startsWith("DEBUG") ? "DEBUG" : name));
    }

    private static void write(ByteBuf out, char field, String value) {
        out.writeByte(field);
        Wire.writeText(out, value);
    }
}
