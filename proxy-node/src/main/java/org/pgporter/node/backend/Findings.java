package org.pgporter.node.backend;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/// What an [Inspection] has found.
///
/// @param asked what was looked for
/// @param kinds the kinds of state that are there, as [org.pgporter.node.sql.StateKind#mask()] bits
/// @param parameters what is set for the session, in PostgreSQL's spelling; of what was asked for by name, only
///     what differs from nothing at all
public record Findings(Inspection asked, int kinds, Map<String, String> parameters) {
    /// PostgreSQL calls these parameters, too, and says that the session has set them (GUC_NO_RESET in
    /// `guc_tables.c`): three of the current transaction, and the generator of random numbers.
    private static final Set<String> NOT_TAKEN_ALONG =
            Set.of("transaction_isolation", "transaction_read_only", "transaction_deferrable", "seed");

    /// @param rows of the answer: `k`, kind, nothing; or `p`, name, value
    /// @param loginRole the role that the backend connection logged in as
    /// @param defaultRole what `role` says while nobody has changed it
    static Findings of(Inspection asked, List<List<String>> rows, String loginRole, String defaultRole) {
        int kinds = 0;
        Map<String, String> parameters = new java.util.TreeMap<>(String.CASE_INSENSITIVE_ORDER);
        for (List<String> row : rows) {
            String name = row.get(1);
            String value = row.get(2);
            if (row.getFirst().equals("k")) {
                kinds |= org.pgporter.node.sql.StateKind.valueOf(name).mask();
            } else if (isSet(name, value, loginRole, defaultRole)) {
                parameters.put(name, value);
            }
        }
        return new Findings(asked, kinds, parameters);
    }

    /// A parameter of an application that was set and reset stays behind, empty.
    private static boolean isSet(String name, String value, String loginRole, String defaultRole) {
        if (name.equalsIgnoreCase("role")) {
            return !value.equals(defaultRole);
        }
        if (name.equalsIgnoreCase("session_authorization")) {
            return !value.equals(loginRole);
        }
        if (NOT_TAKEN_ALONG.contains(name.toLowerCase(Locale.ROOT))) {
            return false;
        }
        return !value.isEmpty() || !name.contains(".");
    }
}
