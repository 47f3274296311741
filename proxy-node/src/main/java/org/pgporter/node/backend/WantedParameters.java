package org.pgporter.node.backend;

import com.github.benmanes.caffeine.cache.Interner;
import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// The run-time parameters that a client session wants on whatever backend it gets: those of its startup packet
/// and those it has changed since. Immutable; names are compared without case, values exactly.
public final class WantedParameters {
    /// Sessions with the same wishes share one object: whether a backend has them is asked in each transaction.
    private static final Interner<WantedParameters> SHARED = Interner.newWeakInterner();

    private static final WantedParameters NONE =
            SHARED.intern(new WantedParameters(new TreeMap<>(String.CASE_INSENSITIVE_ORDER)));

    private final TreeMap<String, String> values;
    private final int hash;
    private final PlanContext planContext;

    private WantedParameters(TreeMap<String, String> values) {
        this.values = values;
        int sum = 0;
        for (Map.Entry<String, String> entry : values.entrySet()) {
            sum += entry.getKey().toLowerCase(java.util.Locale.ROOT).hashCode() * 31
                    + entry.getValue().hashCode();
        }
        this.hash = sum;
        this.planContext = PlanContext.of(values);
    }

    public static WantedParameters none() {
        return NONE;
    }

    public static WantedParameters of(Map<String, String> values) {
        TreeMap<String, String> copy = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
        copy.putAll(values);
        return SHARED.intern(new WantedParameters(copy));
    }

    /// This set with one value changed; the same object when it is no change.
    public WantedParameters with(String name, String value) {
        if (value.equals(values.get(name))) {
            return this;
        }
        TreeMap<String, String> copy = new TreeMap<>(values);
        copy.put(name, value);
        return SHARED.intern(new WantedParameters(copy));
    }

    /// This set without a wish for this parameter; the same object when there was none.
    public WantedParameters without(String name) {
        if (!values.containsKey(name)) {
            return this;
        }
        TreeMap<String, String> copy = new TreeMap<>(values);
        copy.remove(name);
        return SHARED.intern(new WantedParameters(copy));
    }

    /// Which prepared statements a session with these wishes can share.
    public PlanContext planContext() {
        return planContext;
    }

    public Optional<String> get(String name) {
        return Optional.ofNullable(values.get(name));
    }

    public Map<String, String> asMap() {
        return Collections.unmodifiableMap(values);
    }

    public boolean isEmpty() {
        return values.isEmpty();
    }

    @Override
    public boolean equals(Object other) {
        return this == other
                || other instanceof WantedParameters that && hash == that.hash && values.equals(that.values);
    }

    @Override
    public int hashCode() {
        return hash;
    }

    @Override
    public String toString() {
        return values.toString();
    }
}
