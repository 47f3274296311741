package org.pgporter.node.backend;

import io.netty.buffer.ByteBuf;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
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
            "SELECT pg_catalog.set_config($1,$2,false)".getBytes(StandardCharsets.US_ASCII);

    /// The type OID of `text` (`pg_type.dat`).
    private static final int TEXT = 25;

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
        if (set.stream().anyMatch(setting -> !isIdentity(setting.name()))
                || reset.stream().anyMatch(name -> !isIdentity(name))) {
            stepBack(applied, wanted, set, reset);
        }
        set.sort(Comparator.comparingInt(setting -> rank(setting.name())));
        reset.sort(Comparator.comparingInt(name -> -rank(name)));
        return new Alignment(set, reset);
    }

    /// Parameters are changed by the role that logged in, which may do what another role may not.
    private static void stepBack(
            SortedMap<String, String> applied, WantedParameters wanted, List<Setting> set, List<String> reset) {
        for (String name : IDENTITY) {
            if (applied.containsKey(name) && !reset.contains(name)) {
                reset.add(name);
                if (set.stream().noneMatch(setting -> setting.name().equalsIgnoreCase(name))) {
                    wanted.get(name).ifPresent(value -> set.add(new Setting(name, value)));
                }
            }
        }
    }

    /// In which order parameters are set: the encoding in which the values themselves are written first, then
    /// what the role that logged in may set, then who the session is (a new session authorization resets the
    /// role).
    private static int rank(String name) {
        return switch (name.toLowerCase(Locale.ROOT)) {
            case "client_encoding" -> 0;
            case "session_authorization" -> 2;
            case "role" -> 3;
            default -> 1;
        };
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

    static boolean isIdentity(String name) {
        return IDENTITY.contains(name.toLowerCase(Locale.ROOT));
    }

    /// Writes everything but the closing Sync.
    void write(ByteBuf out) {
        for (String name : reset) {
            OwnMessages.writeParse(out, resetting(name).getBytes(StandardCharsets.US_ASCII), 0, 0);
            OwnMessages.writeBind(out);
            OwnMessages.writeExecute(out);
        }
        if (!set.isEmpty()) {
            OwnMessages.writeParse(out, SET_CONFIG, TEXT, 2);
            for (Setting setting : set) {
                OwnMessages.writeBind(out, WireText.encode(setting.name()), WireText.encode(setting.value()));
                OwnMessages.writeExecute(out);
            }
        }
    }

    private static String resetting(String name) {
        // RESET "session_authorization" is not for everybody; this is.
        return name.equalsIgnoreCase("session_authorization")
                ? "RESET SESSION AUTHORIZATION"
                : "RESET " + identifier(name);
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
