package org.pgporter.config;

import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/// Section `talos`, at the top or under `general`: tokens that say which role their bearer has in which
/// database. He connects as user `talos`, and goes on as `owner`, `read_write` or `read_only`, users that
/// the pool must have.
///
/// @param keys PEM files; a key is named by its file without folder and ending, as tokens name it
/// @param databases where this is possible
public record TalosConfig(List<Path> keys, List<String> databases) {
    /// The user that everybody connects as.
    public static final String USER = "talos";

    public TalosConfig {
        keys = List.copyOf(keys);
        databases = List.copyOf(databases);
        Checks checks = new Checks();
        Set<String> seen = new HashSet<>();
        for (Path key : keys) {
            String name = keyId(key);
            checks.notBlank("keys", name);
            checks.require(seen.add(name), "keys", "has two files for key " + name);
        }
        checks.throwIfAny();
    }

    /// How tokens name the key of a file.
    public static String keyId(Path file) {
        Path name = file.getFileName();
        return name == null ? "" : name.toString().replaceFirst("\\.[^.]*$", "");
    }
}
