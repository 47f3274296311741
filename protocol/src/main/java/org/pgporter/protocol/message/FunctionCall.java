package org.pgporter.protocol.message;

import io.netty.buffer.ByteBuf;
import java.util.List;
import java.util.Optional;

/// Calls a function by its oid. An old feature of the protocol; answered by ReadyForQuery.
public record FunctionCall(
        int function, List<Integer> argumentFormats, List<Optional<Bytes>> arguments, int resultFormat)
        implements FrontendMessage {

    public static final byte TYPE = 'F';

    public FunctionCall {
        argumentFormats = Wire.requireList(argumentFormats, "argument formats");
        arguments = Wire.requireList(arguments, "arguments");
    }

    public static FunctionCall decode(ByteBuf body) {
        int function = Wire.readInt(body);
        var argumentFormats = Wire.readList(body, Wire::readShort);
        var arguments = Wire.readList(body, Wire::readValue);
        return Wire.end(body, new FunctionCall(function, argumentFormats, arguments, Wire.readShort(body)));
    }

    @Override
    public byte type() {
        return TYPE;
    }

    @Override
    public void encodeBodyTo(ByteBuf out) {
        out.writeInt(function);
        Wire.writeList(out, argumentFormats, ByteBuf::writeShort);
        Wire.writeList(out, arguments, Wire::writeValue);
        out.writeShort(resultFormat);
    }
}
