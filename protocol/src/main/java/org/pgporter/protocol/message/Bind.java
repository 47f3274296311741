package org.pgporter.protocol.message;

import io.netty.buffer.ByteBuf;
import java.util.List;
import java.util.Optional;

/// Makes a portal out of a prepared statement and parameter values. Formats are 0 (text) or 1 (binary): none, one
/// for all, or one for each.
public record Bind(
        String portal,
        String statement,
        List<Integer> parameterFormats,
        List<Optional<Bytes>> parameters,
        List<Integer> resultFormats)
        implements FrontendMessage {

    public static final byte TYPE = 'B';

    public Bind {
        Wire.requireText(portal, "portal name");
        Wire.requireText(statement, "statement name");
        parameterFormats = Wire.requireList(parameterFormats, "parameter formats");
        parameters = Wire.requireList(parameters, "parameters");
        resultFormats = Wire.requireList(resultFormats, "result formats");
    }

    public static Bind decode(ByteBuf body) {
        var portal = Wire.readText(body);
        var statement = Wire.readText(body);
        var parameterFormats = Wire.readList(body, Wire::readShort);
        var parameters = Wire.readList(body, Wire::readValue);
        var resultFormats = Wire.readList(body, Wire::readShort);
        return Wire.end(body, new Bind(portal, statement, parameterFormats, parameters, resultFormats));
    }

    @Override
    public byte type() {
        return TYPE;
    }

    @Override
    public void encodeBodyTo(ByteBuf out) {
        Wire.writeText(out, portal);
        Wire.writeText(out, statement);
        Wire.writeList(out, parameterFormats, ByteBuf::writeShort);
        Wire.writeList(out, parameters, Wire::writeValue);
        Wire.writeList(out, resultFormats, ByteBuf::writeShort);
    }
}
