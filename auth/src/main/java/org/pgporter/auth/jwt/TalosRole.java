package org.pgporter.auth.jwt;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What a Talos token makes of its bearer in one database. In order of what they may do.
public enum TalosRole {
    READ_ONLY("read_only"),
    READ_WRITE("read_write"),
    OWNER("owner");

    private final String word;

    TalosRole(String word) {
        this.word = word;
    }

    /// As it stands in a token, and the user whose pool is used.
    public String word() {
        return word;
    }

    /// The highest role that the claim `resource_access` names for this database: keys are
    /// `<resource>:<database>`, values `{"roles": [...]}`. Empty if it names none, or anything in an entry
    /// of this database is not a role: half of a grant is not guessed.
    public static Optional<TalosRole> of(Claims claims, String database) {
        Optional<TalosRole> highest = Optional.empty();
        for (Map.Entry<?, ?> entry :
                claims.object("resource_access").orElse(Map.of()).entrySet()) {
            String key = String.valueOf(entry.getKey());
            int colon = key.indexOf(':');
            if (colon < 0 || !key.substring(colon + 1).equals(database)) {
                continue;
            }
            if (!(entry.getValue() instanceof Map<?, ?> access) || !(access.get("roles") instanceof List<?> names)) {
                return Optional.empty();
            }
            for (Object name : names) {
                Optional<TalosRole> role = Arrays.stream(values())
                        .filter(known -> known.word.equals(name))
                        .findFirst();
                if (role.isEmpty()) {
                    return Optional.empty();
                }
                if (highest.isEmpty() || role.get().compareTo(highest.get()) > 0) {
                    highest = role;
                }
            }
        }
        return highest;
    }
}
