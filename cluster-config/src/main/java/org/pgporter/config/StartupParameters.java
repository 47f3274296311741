package org.pgporter.config;

import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;

/// The rules for `startup_parameters`.
final class StartupParameters {
    private static final String KEY = "startup_parameters";

    /// What PgPorter itself puts in the StartupMessage, and what would change who the connection is.
    private static final Set<String> RESERVED =
            Set.of("user", "database", "replication", "options", "role", "session_authorization");

    /// `MAX_STARTUP_PACKET_LENGTH` of PostgreSQL is 10,000 bytes; 512 are left for user, database and
    /// protocol options.
    private static final int MOST_BYTES = 10_000 - 512;

    /// What PostgreSQL takes as the name of a parameter (`valid_custom_variable_name` in `guc.c`).
    private static final Pattern NAME = Pattern.compile("[A-Za-z_][A-Za-z0-9_$]*(\\.[A-Za-z_][A-Za-z0-9_$]*)*");

    private StartupParameters() {}

    static void check(Checks checks, Map<String, String> parameters) {
        int bytes = 0;
        for (Map.Entry<String, String> parameter : new TreeMap<>(parameters).entrySet()) {
            String name = parameter.getKey();
            String key = KEY + "." + name;
            String folded = name.toLowerCase(Locale.ROOT);
            checks.notBlank(key, name).noZero(key, parameter.getValue());
            checks.require(
                    !RESERVED.contains(folded) && !folded.startsWith("_pq_."),
                    key,
                    "is set by PgPorter itself and cannot stand in startup_parameters");
            bytes += name.getBytes(StandardCharsets.UTF_8).length
                    + parameter.getValue().getBytes(StandardCharsets.UTF_8).length
                    + 2;
        }
        checks.require(
                bytes <= MOST_BYTES,
                KEY,
                "has " + bytes + " bytes, more than the " + MOST_BYTES + " that fit in a startup packet");
    }

    /// Whether a setting that comes from elsewhere than the configuration can go into the startup packet.
    static boolean allows(String name, String value) {
        String folded = name.toLowerCase(Locale.ROOT);
        return NAME.matcher(name).matches()
                && value.indexOf('\0') < 0
                && !RESERVED.contains(folded)
                && !folded.startsWith("_pq_.");
    }

    static Map<String, String> merge(Map<String, String> general, Map<String, String> special) {
        Map<String, String> merged = new HashMap<>(general);
        merged.putAll(special);
        return merged;
    }
}
