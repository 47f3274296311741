package org.pgporter.node.backend;

import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import org.pgporter.protocol.message.WireText;

/// What has to be sent to a backend so that its parameters are those that a session wants: the difference only.
///
/// Values go as bound parameters of `set_config`, so nothing in them can be taken for SQL, in any encoding;
/// lists such as `search_path` keep their meaning, which a quoted literal in `SET` would change. All of it is
/// one cycle that ends with one Sync: one implicit transaction, so it applies as a whole or not at all.
record Alignment(List<Setting> set, List<String> reset) {
    record Setting(String name, String value) {}

    static final Alignment NONE = new Alignment(List.of(), List.of());

    /// In `applied`: set by us, and perhaps reset since. No value of PostgreSQL contains a zero byte.
    static final String UNKNOWN = "\0";

    /// Changing these decides with whose rights a query runs, so they are confirmed before the query goes out.
    private static final Set<String> IDENTITY = Set.of("role", "session_authorization");

    private static final byte[] SET_CONFIG =
            "SELECT pg_catalog.set_config($1,$2,false)\0".getBytes(StandardCharsets.US_ASCII);

    /// `current` and `defaults` are what the backend reports now and reported after its login; `applied` is what
    /// we have set there of the parameters that it does not report.
    static Alignment between(
            ServerParameters current,
            ServerParameters defaults,
            SortedMap<String, String> applied,
            WantedParameters wanted,
            AcceptedValues accepted) {
        List<Setting> set = new ArrayList<>();
        List<String> reset = new ArrayList<>();
        wanted.asMap().forEach((name, value) -> {
            String now = current.reports(name) ? current.get(name).orElse("") : applied.get(name);
            if (!value.equals(now) && !accepted.canonical(name, value).equals(now)) {
                set.add(new Setting(name, value));
            }
        });
        for (Map.Entry<String, String> reported : current.asMap().entrySet()) {
            String name = reported.getKey();
            if (wanted.get(name).isEmpty()
                    && ServerParameters.settable(name)
                    && !reported.getValue().equals(defaults.get(name).orElse(reported.getValue()))) {
                reset.add(name);
            }
        }
        for (String name : applied.keySet()) {
            if (wanted.get(name).isEmpty()) {
                reset.add(name);
            }
        }
        return new Alignment(set, reset);
    }

    boolean isEmpty() {
        return set.isEmpty() && reset.isEmpty();
    }

    /// Whether the batch may follow in the same write: every value has been accepted by a backend of this pool
    /// before, and nobody's rights change.
    boolean mayBePipelined(AcceptedValues accepted) {
        for (Setting setting : set) {
            if (isIdentity(setting.name()) || !accepted.knows(setting.name(), setting.value())) {
                return false;
            }
        }
        return reset.stream().noneMatch(Alignment::isIdentity);
    }

    private static boolean isIdentity(String name) {
        return IDENTITY.contains(name.toLowerCase(Locale.ROOT));
    }

    /// Writes everything but the closing Sync.
    void write(ByteBuf out) {
        for (String name : reset) {
            writeParse(out, ("RESET " + identifier(name) + "\0").getBytes(StandardCharsets.US_ASCII), 0);
            writeBind(out);
            writeExecute(out);
        }
        if (!set.isEmpty()) {
            writeParse(out, SET_CONFIG, 2);
            for (Setting setting : set) {
                writeBind(out, setting.name(), setting.value());
                writeExecute(out);
            }
        }
    }

    private static void writeParse(ByteBuf out, byte[] query, int textParameters) {
        out.writeByte('P').writeInt(4 + 1 + query.length + 2 + 4 * textParameters);
        out.writeByte(0).writeBytes(query).writeShort(textParameters);
        for (int i = 0; i < textParameters; i++) {
            out.writeInt(25); // the type oid of text, pg_type.dat
        }
    }

    private static void writeBind(ByteBuf out, String... values) {
        out.writeByte('B');
        int length = out.writerIndex();
        out.writeInt(0).writeByte(0).writeByte(0).writeShort(0).writeShort(values.length);
        for (String value : values) {
            byte[] bytes = WireText.encode(value);
            out.writeInt(bytes.length).writeBytes(bytes);
        }
        out.writeShort(0);
        out.setInt(length, out.writerIndex() - length);
    }

    private static void writeExecute(ByteBuf out) {
        out.writeByte('E').writeInt(4 + 1 + 4).writeByte(0).writeInt(0);
    }

    /// Parameter names are checked when the client sends them; the parts are quoted all the same, because a part
    /// may be a reserved word.
    private static String identifier(String name) {
        StringBuilder quoted = new StringBuilder();
        for (String part : name.split("\\.", -1)) {
            if (!quoted.isEmpty()) {
                quoted.append('.');
            }
            quoted.append('"')
                    .append(part.toLowerCase(Locale.ROOT).replace("\"", "\"\""))
                    .append('"');
        }
        return quoted.toString();
    }
}
