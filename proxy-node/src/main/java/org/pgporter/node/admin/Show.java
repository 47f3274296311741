package org.pgporter.node.admin;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// What SHOW can show, with its columns: PgBouncer's first, in its order and with its types, ours behind them.
enum Show {
    ACTIVE_SOCKETS(Columns.SOCKETS, "as SOCKETS, those that are in use"),
    AUTH_QUERY(
            "database s, cache_entries q, cache_hits q, cache_misses q, cache_refetches q, rate_limited q, auth_success q, "
                    + "auth_failure q, executor_queries q, executor_errors q, dynamic_pools_current q, "
                    + "dynamic_pools_created q, dynamic_pools_destroyed q, startup_parameters_dropped q",
            "databases that look users up"),
    CERTIFICATES(
            "leg s, subject s, issuer s, not_after s, days_left i, loaded s, file s",
            "certificates of the node, with the day on which each ends"),
    CLIENTS(Columns.CLIENTS, "client connections"),
    CONFIG("key s, value s, default s, changeable s, source s", "every key of the configuration"),
    DATABASES(
            "name s, host s, port i, database s, force_user s, pool_size i, min_pool_size i, reserve_pool_size i, "
                    + "server_lifetime i, pool_mode s, load_balance_hosts s, max_connections i, current_connections i, "
                    + "max_client_connections i, current_client_connections i, paused i, disabled i",
            "databases as clients name them"),
    DNS_HOSTS("hostname s, ttl q, addrs s", "nothing: names are resolved anew for each connection"),
    DNS_ZONES("zonename s, serial q, count i", "nothing, as DNS_HOSTS"),
    HBA("rule i, source s, line i, method s, text s, matched q", "rules for logins, and how often each has decided"),
    HELP("", "this list"),
    LISTS("list s, items i", "how many there are of what"),
    LOG_LEVEL("log_level s, package s", "what is logged"),
    MEM("name s, size i, used i, free i, memtotal i", "memory, in units of `size` bytes"),
    PEERS("peer_id i, host s, port i, pool_size i", "nothing"),
    PEER_POOLS("peer_id i, cl_active_cancel_req i, cl_waiting_cancel_req i, sv_active_cancel i, sv_login i", "nothing"),
    PINS("session s, reason s, since s", "sessions that keep their server connection, and why"),
    POOLS(
            "database s, user s, cl_active i, cl_waiting i, cl_active_cancel_req i, cl_waiting_cancel_req i, sv_active i, "
                    + "sv_active_cancel i, sv_being_canceled i, sv_idle i, sv_used i, sv_tested i, sv_login i, maxwait i, "
                    + "maxwait_us i, pool_mode s, load_balance_hosts s, pool_size i, paused i",
            "pools: clients and server connections by what they are doing"),
    POOLS_EXTENDED(
            "database s, user s, cl_active i, cl_waiting i, sv_active i, sv_idle i, sv_used i, sv_login i, pool_size i, "
                    + "maxwait i, maxwait_us i, pool_mode s, bytes_recieved N, bytes_sent N, query_0.99 N, transaction_0.99 N, "
                    + "query_0.95 N, transaction_0.95 N, query_0.5 N, transaction_0.5 N, wait_0.99 N",
            "pools with quantiles of the last one to two periods, in microseconds"),
    POOL_COORDINATOR(
            "database s, max_db_conn i, current i, reserve_size i, reserve_used i",
            "databases with max_db_connections"),
    PREPARED_STATEMENTS(
            "database s, user s, server s, backend_pid i, prepared_statements i",
            "how many prepared statements each server connection knows"),
    SERVERS(Columns.CLIENTS, "server connections"),
    SOCKETS(Columns.SOCKETS, "client and server connections, also those that log in"),
    STARTUP_PARAMETERS(
            "user s, database s, parameter s, value s, source s, state s", "what server connections begin with"),
    STATE("key s, value s", "whether the node is paused"),
    STATS(
            Columns.STATS_OF_DATABASE + Columns.totals("total_", "total_received", "total_sent") + ", "
                    + Columns.totals("avg_", "avg_recv", "avg_sent"),
            "totals and averages of each database"),
    STATS_AVERAGES(
            Columns.STATS_OF_DATABASE
                    + "server_assignment_count N, xact_count N, query_count N, bytes_received N, bytes_sent N, xact_time N, "
                    + "query_time N, wait_time N, avg_client_parse_count N, avg_server_parse_count N, avg_bind_count N, "
                    + "avg_client_login_count N",
            "averages of each database over the last period"),
    STATS_TOTALS(
            Columns.STATS_OF_DATABASE
                    + "server_assignment_count N, xact_count N, query_count N, bytes_received N, bytes_sent N, xact_time N, "
                    + "query_time N, wait_time N, client_parse_count N, server_parse_count N, bind_count N, "
                    + "client_login_count N",
            "totals of each database"),
    TOTALS("name s, value N", "totals and averages of the node"),
    USERS(
            "name s, pool_size s, reserve_pool_size s, pool_mode s, max_user_connections i, current_connections i, "
                    + "max_user_client_connections i, current_client_connections i",
            "users"),
    VERSION("version s", "what runs here");

    /// Lines that several have.
    private static final class Columns {
        static final String CLIENTS =
                "type s, user s, database s, replication s, state s, addr s, port i, local_addr s, local_port i, "
                        + "connect_time s, request_time s, wait i, wait_us i, close_needed i, ptr s, link s, remote_pid i, "
                        + "tls s, application_name s, prepared_statements i, id i";
        static final String SOCKETS =
                CLIENTS + ", recv_pos i, pkt_pos i, pkt_remain i, send_pos i, send_remain i, pkt_avail i, send_avail i";
        static final String STATS_OF_DATABASE = "database s, ";

        static String totals(String prefix, String received, String sent) {
            return prefix + "server_assignment_count N, " + prefix + "xact_count N, " + prefix + "query_count N, "
                    + received + " N, " + sent + " N, " + prefix + "xact_time N, " + prefix + "query_time N, " + prefix
                    + "wait_time N, " + prefix + "client_parse_count N, " + prefix + "server_parse_count N, " + prefix
                    + "bind_count N, " + prefix + "client_login_count N";
        }
    }

    private final List<Column> columns;
    private final String about;

    Show(String columns, String about) {
        this.columns = columns.isEmpty() ? List.of() : Column.of(columns);
        this.about = about;
    }

    /// None for [#HELP], which is a notice.
    List<Column> columns() {
        return columns;
    }

    /// In a line, for those who ask for help.
    String about() {
        return about;
    }

    static Optional<Show> named(String word) {
        String name = word.toUpperCase(Locale.ROOT);
        return Arrays.stream(values()).filter(show -> show.name().equals(name)).findFirst();
    }
}
