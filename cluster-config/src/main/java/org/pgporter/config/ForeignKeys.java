package org.pgporter.config;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Keys of PgDoorman that this version does not have. What decides who may come in, what is allowed or
/// where data goes is an error, so that no door stands open because a key was overlooked; what only tunes
/// PgDoorman's insides is a warning.
final class ForeignKeys {
    /// @param error whether the file cannot be used with it
    record Foreign(boolean error, String remedy) {}

    private static final String LATER = "remove it";

    /// Exact names whose remedy is another key of ours.
    private static final Map<String, String> RENAMED = Map.of(
            "server_idle_check_timeout", "use server_check_delay",
            "cleanup_server_connections", "use server_reset_query",
            "sync_server_parameters", "remove it: the parameters of a session always follow it",
            "retain_connections_time", "remove it: idle connections are closed when their time has come",
            "max_memory_usage", "use max_connections to bound memory",
            "include", "write one file",
            "tls_ca_file", "use tls_ca_cert",
            "server_tls_ca_file", "use server_tls_ca_cert");

    /// Exact names, or beginnings where they end in an underscore.
    private static final List<String> UNSUPPORTED = List.of(
            "web",
            "prometheus",
            "patroni_",
            "fallback_",
            "scaling_",
            "retain_",
            "proxy_copy_",
            "message_size_to_be_stream",
            "worker_cpu_affinity_pinning",
            "syslog_prog_name",
            "daemon_pid_file");

    private static final List<String> TUNING = List.of(
            "worker_stack_size",
            "max_blocking_threads",
            "tokio_",
            "query_interner_",
            "pooler_check_query",
            "server_round_robin",
            "unix_socket_buffer_size",
            "client_anonymous_prepared_cache_size",
            "client_prepared_statements_cache_size",
            "log_client_parameter_status_changes");

    private ForeignKeys() {}

    static Optional<Foreign> find(String key) {
        String renamed = RENAMED.get(key);
        if (renamed != null) {
            return Optional.of(new Foreign(true, renamed));
        }
        if (isIn(UNSUPPORTED, key)) {
            return Optional.of(new Foreign(true, LATER));
        }
        return isIn(TUNING, key) ? Optional.of(new Foreign(false, LATER)) : Optional.empty();
    }

    private static boolean isIn(List<String> names, String key) {
        return names.stream().anyMatch(name -> name.endsWith("_") ? key.startsWith(name) : key.equals(name));
    }
}
