package org.pgporter.protocol.message;

import io.netty.buffer.ByteBuf;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Names user, database and parameters. Parameters keep the order in which they came; of a repeated key the last
/// value counts. Text is read as [WireText] says.
public record StartupMessage(ProtocolVersion version, Map<String, String> parameters) implements StartupPacket {

    /// `NAMEDATALEN` of PostgreSQL, less the zero at the end.
    public static final int LONGEST_NAME = 63;

    private static final String PROTOCOL_OPTION_PREFIX = "_pq_.";
    private static final int MAJOR = 3;

    /// Majors below this are taken for a PostgreSQL client of another age and get an answer; above it is noise.
    private static final int FIRST_ABSURD_MAJOR = 10;

    public StartupMessage {
        if (version.major() != MAJOR) {
            throw new IllegalArgumentException("not a version of protocol 3: " + version);
        }
        parameters = Collections.unmodifiableMap(new LinkedHashMap<>(parameters));
        parameters.forEach((name, value) -> {
            if (Wire.requireText(name, "parameter name").isEmpty()) {
                throw new IllegalArgumentException("parameter name is empty");
            }
            Wire.requireText(value, "parameter value");
        });
    }

    /// The user, if one was named. As in PostgreSQL a longer name is cut after [#LONGEST_NAME] bytes, before anybody
    /// looks at it: what is decided about a name must be decided about the one that PostgreSQL would see.
    public Optional<String> user() {
        return name("user");
    }

    /// The database; the user's name where none was named. Cut as the user's.
    public Optional<String> database() {
        return name("database").or(this::user);
    }

    private Optional<String> name(String parameter) {
        return Optional.ofNullable(parameters.get(parameter))
                .filter(name -> !name.isEmpty())
                .map(StartupMessage::cut);
    }

    /// Byte by byte, though that may split a character (`ProcessStartupPacket` in `backend_startup.c`).
    private static String cut(String name) {
        byte[] bytes = WireText.encode(name);
        return bytes.length <= LONGEST_NAME ? name : WireText.decode(Arrays.copyOf(bytes, LONGEST_NAME));
    }

    /// The raw `options`, for [StartupOptions#parse]; empty text if there are none.
    public String options() {
        return parameters.getOrDefault("options", "");
    }

    /// Names of the parameters that extend the protocol itself (`_pq_.something`), which a server must answer with
    /// NegotiateProtocolVersion if it does not know them. They stand in [#parameters] too.
    public List<String> protocolOptions() {
        return parameters.keySet().stream()
                .filter(StartupMessage::isProtocolOption)
                .toList();
    }

    /// True for names that extend the protocol and are no parameters of the session.
    public static boolean isProtocolOption(String name) {
        return name.startsWith(PROTOCOL_OPTION_PREFIX);
    }

    public static StartupMessage decode(ByteBuf body) {
        ProtocolVersion version = ProtocolVersion.of(body.readInt());
        if (version.major() != MAJOR) {
            String message = "unsupported frontend protocol " + version + ": server supports 3.0 to 3.2";
            throw version.major() < FIRST_ABSURD_MAJOR
                    ? new ProtocolViolation(SqlState.FEATURE_NOT_SUPPORTED, message)
                    : ProtocolViolation.quiet(message);
        }
        Map<String, String> parameters = new LinkedHashMap<>();
        while (body.isReadable() && body.getByte(body.readerIndex()) != 0) {
            String name = readText(body);
            String value = readText(body);
            parameters.put(name, value);
        }
        if (body.readableBytes() != 1) {
            throw badLayout();
        }
        body.skipBytes(1);
        return new StartupMessage(version, parameters);
    }

    private static String readText(ByteBuf body) {
        if (body.bytesBefore((byte) 0) < 0) {
            throw badLayout();
        }
        return Wire.readText(body);
    }

    private static ProtocolViolation badLayout() {
        return new ProtocolViolation(
                SqlState.PROTOCOL_VIOLATION, "invalid startup packet layout: expected terminator as last byte");
    }

    @Override
    public void encodeTo(ByteBuf out) {
        int start = out.writerIndex();
        out.writeInt(0).writeInt(version.code());
        parameters.forEach((name, value) -> {
            Wire.writeText(out, name);
            Wire.writeText(out, value);
        });
        out.writeByte(0);
        out.setInt(start, out.writerIndex() - start);
    }
}
