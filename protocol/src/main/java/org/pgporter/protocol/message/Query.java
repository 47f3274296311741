package org.pgporter.protocol.message;

import io.netty.buffer.ByteBuf;

/// A simple query: one string of SQL that may hold several statements.
public record Query(String sql) implements FrontendMessage {

    public static final byte TYPE = 'Q';

    public Query {
        Wire.requireText(sql, "sql");
    }

    public static Query decode(ByteBuf body) {
        return Wire.end(body, new Query(Wire.readText(body)));
    }

    @Override
    public byte type() {
        return TYPE;
    }

    @Override
    public void encodeBodyTo(ByteBuf out) {
        Wire.writeText(out, sql);
    }
}
