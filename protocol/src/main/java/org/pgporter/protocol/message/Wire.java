package org.pgporter.protocol.message;

import io.netty.buffer.ByteBuf;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.function.Supplier;

/// Reading and writing the few shapes that message bodies are made of. Every read checks what is left and throws
/// [ProtocolViolation] in PostgreSQL's words.
final class Wire {

    /// Greatest count that fits the unsigned 16 bit counters of Bind, DataRow and others.
    private static final int MAX_COUNT = 0xffff;

    private Wire() {}

    static byte readByte(ByteBuf in) {
        need(in, 1);
        return in.readByte();
    }

    static int readShort(ByteBuf in) {
        need(in, 2);
        return in.readShort();
    }

    static int readCount(ByteBuf in) {
        need(in, 2);
        return in.readUnsignedShort();
    }

    static int readInt(ByteBuf in) {
        need(in, 4);
        return in.readInt();
    }

    /// Reads the number that tells the kinds of Authentication apart.
    static void expectCode(ByteBuf in, int expected) {
        if (readInt(in) != expected) {
            throw new ProtocolViolation(SqlState.PROTOCOL_VIOLATION, "invalid authentication message");
        }
    }

    static Bytes readBytes(ByteBuf in, int length) {
        need(in, length);
        return Bytes.read(in, length);
    }

    static Bytes readRest(ByteBuf in) {
        return Bytes.read(in, in.readableBytes());
    }

    static String readText(ByteBuf in) {
        int length = in.bytesBefore((byte) 0);
        if (length < 0) {
            throw new ProtocolViolation(SqlState.PROTOCOL_VIOLATION, "invalid string in message");
        }
        byte[] content = new byte[length];
        in.readBytes(content);
        in.skipBytes(1);
        return WireText.decode(content);
    }

    /// A value preceded by its length, -1 for SQL NULL.
    static Optional<Bytes> readValue(ByteBuf in) {
        int length = readInt(in);
        return length == -1 ? Optional.empty() : Optional.of(readBytes(in, length));
    }

    static <T> List<T> readList(ByteBuf in, Function<ByteBuf, T> element) {
        return readList(in, readCount(in), element);
    }

    static <T> List<T> readList(ByteBuf in, int count, Function<ByteBuf, T> element) {
        List<T> list = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            list.add(element.apply(in));
        }
        return List.copyOf(list);
    }

    /// Returns the value if the body has been read to its end.
    static <T> T end(ByteBuf in, T value) {
        if (in.isReadable()) {
            throw new ProtocolViolation(SqlState.PROTOCOL_VIOLATION, "invalid message format");
        }
        return value;
    }

    /// Runs a constructor on values from the wire: what it refuses is the sender's fault.
    static <T> T checked(Supplier<T> constructor) {
        try {
            return constructor.get();
        } catch (IllegalArgumentException refused) {
            throw new ProtocolViolation(SqlState.PROTOCOL_VIOLATION, "invalid message format: " + refused.getMessage());
        }
    }

    static void writeText(ByteBuf out, String text) {
        out.writeBytes(WireText.encode(text));
        out.writeByte(0);
    }

    static void writeValue(ByteBuf out, Optional<Bytes> value) {
        out.writeInt(value.map(Bytes::size).orElse(-1));
        value.ifPresent(bytes -> bytes.writeTo(out));
    }

    static <T> void writeList(ByteBuf out, List<T> list, BiConsumer<ByteBuf, T> element) {
        out.writeShort(list.size());
        list.forEach(item -> element.accept(out, item));
    }

    static String requireText(String text, String what) {
        if (text.indexOf(0) >= 0) {
            throw new IllegalArgumentException(what + " contains a zero byte");
        }
        return text;
    }

    static <T> List<T> requireList(List<T> list, String what) {
        if (list.size() > MAX_COUNT) {
            throw new IllegalArgumentException(what + ": at most 65535, got " + list.size());
        }
        return List.copyOf(list);
    }

    private static void need(ByteBuf in, int length) {
        if (length < 0 || length > in.readableBytes()) {
            throw new ProtocolViolation(SqlState.PROTOCOL_VIOLATION, "insufficient data left in message");
        }
    }
}
