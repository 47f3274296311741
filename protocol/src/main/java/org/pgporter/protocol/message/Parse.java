package org.pgporter.protocol.message;

import io.netty.buffer.ByteBuf;
import java.util.List;

/// Asks for a prepared statement. An empty name is the unnamed statement; a parameter type 0 is left to the server.
public record Parse(String statement, String sql, List<Integer> parameterTypes) implements FrontendMessage {

    public static final byte TYPE = 'P';

    public Parse {
        Wire.requireText(statement, "statement name");
        Wire.requireText(sql, "query");
        parameterTypes = Wire.requireList(parameterTypes, "parameter types");
    }

    public static Parse decode(ByteBuf body) {
        var statement = Wire.readText(body);
        var sql = Wire.readText(body);
        return Wire.end(body, new Parse(statement, sql, Wire.readList(body, Wire::readInt)));
    }

    @Override
    public byte type() {
        return TYPE;
    }

    @Override
    public void encodeBodyTo(ByteBuf out) {
        Wire.writeText(out, statement);
        Wire.writeText(out, sql);
        Wire.writeList(out, parameterTypes, ByteBuf::writeInt);
    }
}
