package org.pgporter.node.backend;

import com.github.benmanes.caffeine.cache.Interner;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.pgporter.protocol.message.ParameterStatus;

/// What a backend has reported of its run-time parameters (ParameterStatus). An immutable snapshot; names are
/// compared without case and kept as the server spells them.
public final class ServerParameters {
    /// Reported, but facts about the server or the session, not settings that a client could want back.
    private static final Set<String> FACTS =
            Set.of("server_version", "server_encoding", "integer_datetimes", "in_hot_standby", "is_superuser");

    /// Backends of one server tell the same facts: one list, which sessions compare in each transaction.
    private static final Interner<List<ParameterStatus>> SHARED_FACTS = Interner.newWeakInterner();

    private static final ServerParameters NONE = new ServerParameters(new TreeMap<>(String.CASE_INSENSITIVE_ORDER));

    private final TreeMap<String, String> values;
    private final List<ParameterStatus> facts;

    private ServerParameters(TreeMap<String, String> values) {
        this.values = values;
        this.facts = SHARED_FACTS.intern(values.entrySet().stream()
                .filter(entry -> !settable(entry.getKey()))
                .map(entry -> new ParameterStatus(entry.getKey(), entry.getValue()))
                .toList());
    }

    public static ServerParameters none() {
        return NONE;
    }

    public ServerParameters with(String name, String value) {
        TreeMap<String, String> copy = new TreeMap<>(values);
        copy.put(name, value);
        return new ServerParameters(copy);
    }

    public Optional<String> get(String name) {
        return Optional.ofNullable(values.get(name));
    }

    public boolean reports(String name) {
        return values.containsKey(name);
    }

    public Map<String, String> asMap() {
        return Collections.unmodifiableMap(values);
    }

    /// Those that no session can choose. Made once, because sessions look at them in each transaction.
    public List<ParameterStatus> facts() {
        return facts;
    }

    /// Whether a session may want a value of its own for this reported parameter.
    public static boolean settable(String name) {
        return !FACTS.contains(name.toLowerCase(java.util.Locale.ROOT));
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof ServerParameters that && values.equals(that.values);
    }

    @Override
    public int hashCode() {
        return values.hashCode();
    }

    @Override
    public String toString() {
        return values.toString();
    }
}
