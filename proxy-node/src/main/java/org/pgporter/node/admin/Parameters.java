package org.pgporter.node.admin;

import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// Parameters of PostgreSQL that drivers ask for and set. Here they have one value and keep it.
final class Parameters {
    private static final Map<String, String> VALUES = Map.ofEntries(
            Map.entry("application_name", ""),
            Map.entry("bytea_output", "hex"),
            Map.entry("client_encoding", "UTF8"),
            Map.entry("client_min_messages", "notice"),
            Map.entry("datestyle", "ISO"),
            Map.entry("default_transaction_isolation", "read committed"),
            Map.entry("default_transaction_read_only", "off"),
            Map.entry("extra_float_digits", "1"),
            Map.entry("idle_in_transaction_session_timeout", "0"),
            Map.entry("in_hot_standby", "off"),
            Map.entry("integer_datetimes", "on"),
            Map.entry("intervalstyle", "postgres"),
            Map.entry("is_superuser", "on"),
            Map.entry("lock_timeout", "0"),
            Map.entry("search_path", ""),
            Map.entry("server_encoding", "UTF8"),
            Map.entry("server_version", Greeting.SERVER_VERSION),
            Map.entry("standard_conforming_strings", "on"),
            Map.entry("statement_timeout", "0"),
            Map.entry("timezone", "GMT"),
            Map.entry("transaction_isolation", "read committed"),
            Map.entry("transaction_read_only", "off"));

    private Parameters() {}

    /// The value of a parameter; empty if nobody asks for such a one.
    static Optional<String> value(String name) {
        return Optional.ofNullable(VALUES.get(name.toLowerCase(Locale.ROOT)));
    }
}
