package org.pgporter.auth.jwt;

import java.nio.charset.StandardCharsets;
import java.util.Set;

/// Which names out of a token may become names in PostgreSQL.
public final class RoleNames {
    /// The longest name, in bytes: `NAMEDATALEN - 1` in PostgreSQL's `pg_config_manual.h`. A longer one
    /// would be cut off, and what is left may be somebody else's.
    public static final int MOST_BYTES = 63;

    /// Words that mean something other than a role (`SET ROLE none`, `GRANT … TO public`).
    private static final Set<String> WORDS = Set.of(
            "none", "public", "current_user", "session_user", "current_role", "all", "sameuser", "samerole", "talos");

    private RoleNames() {}

    /// Whether somebody can go by this name.
    public static boolean usable(String name) {
        return !name.isEmpty()
                && name.getBytes(StandardCharsets.UTF_8).length <= MOST_BYTES
                && name.equals(name.strip())
                && name.codePoints()
                        .noneMatch(c -> Character.isISOControl(c)
                                || !Character.isDefined(c)
                                || Character.getType(c) == Character.FORMAT
                                || Character.getType(c) == Character.SURROGATE)
                && !WORDS.contains(name.toLowerCase(java.util.Locale.ROOT));
    }

    /// Whether a token may name this role for its bearer: those that PostgreSQL itself brings (`pg_…`)
    /// only the configuration gives away.
    public static boolean grantable(String name) {
        return usable(name) && !name.startsWith("pg_");
    }
}
