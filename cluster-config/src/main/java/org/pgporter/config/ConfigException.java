package org.pgporter.config;

import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/// Thrown by the records' constructors; holds every value that is out of range, not the first only.
public final class ConfigException extends IllegalArgumentException {
    private static final long serialVersionUID = 1L;

    private final transient List<Violation> violations;

    ConfigException(List<Violation> violations) {
        super(violations.stream().map(Violation::toString).collect(Collectors.joining("; ")));
        this.violations = List.copyOf(violations);
    }

    /// What is wrong, in the order of the record's components.
    public List<Violation> violations() {
        return violations;
    }

    /// One value that cannot be used.
    ///
    /// @param path the key, relative to the record that complains: `pool_size`, or
    ///     `pools.app.users[0].min_pool_size`
    /// @param message what is wrong, without the key
    /// @param remedy what to do about it; empty where the message says it already
    /// @param involved names of all keys that the message compares; a contradiction is not reported when one of
    ///     them is broken anyway
    public record Violation(String path, String message, String remedy, Set<String> involved) {
        public Violation {
            involved = Set.copyOf(involved);
        }

        @Override
        public String toString() {
            return path + ": " + message + (remedy.isEmpty() ? "" : "; " + remedy);
        }
    }
}
