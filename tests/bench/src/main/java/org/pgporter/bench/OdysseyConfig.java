package org.pgporter.bench;

import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;

/// Configuration and command line of Odyssey.
record OdysseyConfig(Database database, Setup setup, int port) {
    List<String> command(Path program, Path directory) {
        var config = Settings.write(directory.resolve("odyssey.conf"), configuration(directory));
        return List.of(program.toString(), config.toString());
    }

    private String configuration(Path directory) {
        var tls = setup.clientTls()
                ? """
                	tls "allow"
                	tls_cert_file "%s"
                	tls_key_file "%s"
                """.formatted(
                        database.certificate().chain(), database.certificate().key())
                : "\ttls \"disable\"\n";
        return """
                daemonize no
                locks_dir "%s"
                log_format "%%p %%t %%l [%%i %%s] (%%c) %%m\\n"
                log_to_stdout yes
                log_config no
                log_session no
                log_query no
                log_stats no
                enable_online_restart no
                bindwith_reuseport no
                max_sigterms_to_die 1
                workers %d
                resolvers 1
                readahead 8192
                nodelay yes
                client_max %d
                listen {
                	host "%s"
                	port %d
                	backlog 4096
                %s}
                storage "postgres" {
                	type "remote"
                	host "%s"
                	port %d
                	tls "%s"
                }
                """.formatted(
                                directory,
                                Settings.workers(),
                                Settings.CLIENTS,
                                Pooler.HOST,
                                port,
                                tls,
                                database.host(),
                                database.port(),
                                // Its "require" verifies the certificate, which nobody else here does.
                                setup.serverTls() ? "allow" : "disable")
                + setup.pools().stream().map(this::route).collect(Collectors.joining());
    }

    private String route(Setup.Pool pool) {
        return """
                database "%s" {
                	user "%s" {
                		authentication "%s"
                		password "%s"
                		storage "postgres"
                		storage_db "%s"
                		storage_user "%s"
                		storage_password "%s"
                		pool "transaction"
                		pool_size %d
                		pool_timeout %d
                		pool_ttl %d
                		pool_discard no
                		pool_cancel yes
                		pool_rollback yes
                		pool_reserve_prepared_statement yes
                		client_fwd_error yes
                		log_debug no
                	}
                }
                """.formatted(
                        pool.database(),
                        pool.role().user(),
                        pool.role() == Role.MD5 ? "md5" : "scram-sha-256",
                        database.secret(pool.role()),
                        Database.NAME,
                        pool.role().user(),
                        Role.PASSWORD,
                        pool.size(),
                        Settings.QUERY_WAIT.toMillis(),
                        setup.idleTimeout().toSeconds());
    }
}
