package org.pgporter.support;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;

/// How a fresh [TestPostgres] shall be.
public final class TestPostgresBuilder {
    // Below the range that systems take for outgoing connections, so that a stopped server finds its port free again.
    private static final int LOWEST_PORT = 20_000;
    private static final int HIGHEST_PORT = 32_000;
    private static final int ATTEMPTS = 5;
    private static final AtomicBoolean ORPHANS_DELETED = new AtomicBoolean();

    private final PostgresMajor major;
    private final Map<String, String> settings = new LinkedHashMap<>();
    private Optional<TestPki.Identity> tls = Optional.empty();
    private List<String> hba = List.of("local all all md5", "host all all all md5");

    TestPostgresBuilder(PostgresMajor major) {
        this.major = major;
        settings.put("listen_addresses", TestPostgres.HOST);
        settings.put("max_connections", "200");
        settings.put("timezone", "UTC");
        settings.put("shared_buffers", "32MB");
        settings.put("fsync", "off");
        settings.put("synchronous_commit", "off");
        settings.put("full_page_writes", "off");
        // Files in the data directory: a killed server leaves nothing outside of it.
        settings.put("dynamic_shared_memory_type", "mmap");
    }

    /// How many connections the server takes, three of them kept for superusers. 200 unless said otherwise.
    public TestPostgresBuilder maxConnections(int connections) {
        return setting("max_connections", Integer.toString(connections));
    }

    /// `scram-sha-256` or `md5`: how `CREATE ROLE … PASSWORD` stores passwords.
    public TestPostgresBuilder passwordEncryption(String encryption) {
        return setting("password_encryption", encryption);
    }

    /// Any line of `postgresql.conf`.
    public TestPostgresBuilder setting(String name, String value) {
        settings.put(name, value);
        return this;
    }

    /// With TLS, and asking clients for certificates that the identity's authority has signed.
    public TestPostgresBuilder tls(TestPki.Identity identity) {
        tls = Optional.of(identity);
        return setting("ssl", "on").setting("ssl_ca_file", PostgresProcess.AUTHORITY);
    }

    /// The lines of `pg_hba.conf`, for example `host all legacy all md5`. Whoever none matches is refused.
    /// One line for the
    /// superuser stays in front of them, because the methods of [TestPostgres] need it.
    public TestPostgresBuilder hba(String... lines) {
        hba = List.of(lines);
        return this;
    }

    /// Initializes a data directory and starts the server on a free port; about two seconds.
    public TestPostgres start() {
        try {
            if (ORPHANS_DELETED.compareAndSet(false, true)) {
                PostgresFiles.deleteOrphans();
            }
            return startOnFreePort(ATTEMPTS);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private TestPostgres startOnFreePort(int attempts) throws IOException {
        var port = freePort();
        var process = new PostgresProcess(major);
        try {
            process.initialize(configuration(port, process), hbaWithSuperuser(hba));
            if (tls.isPresent()) {
                process.install(tls.get());
            }
            process.start();
            return TestPostgres.started(process, port);
        } catch (IOException e) {
            var portWasTaken = process.log().contains("Address already in use");
            process.files().delete();
            if (portWasTaken && attempts > 1) {
                return startOnFreePort(attempts - 1);
            }
            throw e;
        }
    }

    private List<String> configuration(int port, PostgresProcess process) {
        var own = Map.of(
                "port",
                Integer.toString(port),
                "unix_socket_directories",
                process.files().folder().toString());
        return Stream.concat(settings.entrySet().stream(), own.entrySet().stream())
                .map(it -> it.getKey() + " = " + TestPostgres.literal(it.getValue()))
                .toList();
    }

    static List<String> hbaWithSuperuser(List<String> lines) {
        return Stream.concat(Stream.of("host all postgres " + TestPostgres.HOST + "/32 trust"), lines.stream())
                .toList();
    }

    private static int freePort() throws IOException {
        for (int attempt = 0; attempt < 100; attempt++) {
            var port = ThreadLocalRandom.current().nextInt(LOWEST_PORT, HIGHEST_PORT);
            try (var _ = new ServerSocket(port, 1, InetAddress.getByName(TestPostgres.HOST))) {
                return port;
            } catch (IOException _) {
                // Taken: try another.
            }
        }
        throw new IOException("found no free port from " + LOWEST_PORT + " to " + HIGHEST_PORT);
    }
}
