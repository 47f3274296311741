package org.pgporter.node.backend;

import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;

/// The session parameters under which a prepared statement is analysed and planned, as far as they can make a
/// difference. PostgreSQL evaluates constants such as `'01/02/2026'::date` and resolves names when it analyses a
/// statement, so two sessions share one only if they agree on these.
///
/// @param key equal when the parameters are
public record PlanContext(String key) {
    /// All parameters have the values of the backend connection's own startup.
    public static final PlanContext DEFAULT = new PlanContext("");

    private static final AtomicLong SEQUENCE = new AtomicLong();

    /// Parameters that neither the analysis nor the planner of a statement looks at.
    private static final Set<String> IRRELEVANT = Set.of(
            "application_name",
            "bytea_output",
            "client_connection_check_interval",
            "client_min_messages",
            "commit_delay",
            "commit_siblings",
            "default_transaction_deferrable",
            "default_transaction_isolation",
            "default_transaction_read_only",
            "extra_float_digits",
            "lc_messages",
            "maintenance_work_mem",
            "synchronous_commit");

    private static final Set<String> IRRELEVANT_BEGINNINGS =
            Set.of("auto_explain.", "debug_", "log_", "tcp_", "temp_", "trace_", "track_", "vacuum_");

    /// What PostgreSQL itself compares each time it reuses a plan (`RevalidateCachedQuery`).
    private static final Set<String> REVALIDATED = Set.of("search_path", "role", "session_authorization");

    /// Whether a change of this parameter matters to statements. Parameters of extensions and applications
    /// (`app.tenant`) do not: what reads them does so when it is executed.
    static boolean matters(String name) {
        String folded = name.toLowerCase(Locale.ROOT);
        return !folded.contains(".")
                && !folded.endsWith("_timeout")
                && !IRRELEVANT.contains(folded)
                && IRRELEVANT_BEGINNINGS.stream().noneMatch(folded::startsWith);
    }

    /// Whether PostgreSQL analyses a statement anew when this parameter has changed since.
    static boolean isRevalidated(String name) {
        return REVALIDATED.contains(name.toLowerCase(Locale.ROOT));
    }

    static PlanContext of(Map<String, String> parameters) {
        StringBuilder key = new StringBuilder();
        parameters.forEach((name, value) -> {
            if (matters(name)) {
                key.append(name.toLowerCase(Locale.ROOT))
                        .append('=')
                        .append(value)
                        .append('\0');
            }
        });
        return key.isEmpty() ? DEFAULT : new PlanContext(key.toString());
    }

    /// This context, but for a transaction in which these parameters have values that nobody here knows. Where
    /// PostgreSQL revalidates by itself, all such transactions may share; otherwise none does.
    public PlanContext changedIn(Iterable<String> parameters) {
        boolean revalidated = false;
        for (String name : parameters) {
            if (!matters(name)) {
                continue;
            }
            if (!isRevalidated(name)) {
                return new PlanContext("\0" + SEQUENCE.incrementAndGet());
            }
            revalidated = true;
        }
        return revalidated ? new PlanContext(key + "\0changing") : this;
    }
}
