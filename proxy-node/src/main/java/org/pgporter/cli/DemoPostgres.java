package org.pgporter.cli;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;

/// A PostgreSQL of the newest major with two databases and three users, everything in one temporary directory
/// that [#close] removes.
///
/// Listens on the loopback interface only and asks everybody for a SCRAM password, as a real server does; the
/// superuser's password is random and known to this object alone.
final class DemoPostgres implements AutoCloseable {
    static final List<String> DATABASES = List.of("shop", "ledger");

    private static final String HOST = "127.0.0.1";
    private static final String SUPERUSER = "postgres";
    private static final Duration STARTUP_WAIT = Duration.ofSeconds(60);

    private final Path directory;
    private final EmbeddedPostgres server;
    private final String password;

    private DemoPostgres(Path directory, EmbeddedPostgres server, String password) {
        this.directory = directory;
        this.server = server;
        this.password = password;
    }

    /// Unpacks, initializes and starts; takes 2 to 6 seconds. Throws [IOException] with the end of the server's
    /// log if it does not start.
    static DemoPostgres start() throws IOException, SQLException {
        var directory = Files.createTempDirectory("pgporter-demo-");
        var log = directory.resolve("postgres.log");
        // The library makes a directory of its own beside the one it is told to use; this keeps it inside ours.
        System.setProperty("ot.epg.working-dir", directory.resolve("server").toString());
        try {
            var server = EmbeddedPostgres.builder()
                    .setOverrideWorkingDirectory(directory.resolve("server").toFile())
                    .setDataDirectory(directory.resolve("data"))
                    .setCleanDataDirectory(false)
                    .setRegisterShutdownHook(false)
                    .setPGStartupWait(STARTUP_WAIT)
                    .setOutputRedirector(Redirect.appendTo(log.toFile()))
                    .setErrorRedirector(Redirect.appendTo(log.toFile()))
                    .setLocaleConfig("locale", "C")
                    .setLocaleConfig("encoding", "UTF8")
                    .setServerConfig("unix_socket_directories", "")
                    .setServerConfig("listen_addresses", HOST)
                    .setServerConfig("password_encryption", "scram-sha-256")
                    // The data lives as long as the demo: nothing has to reach the disk.
                    .setServerConfig("fsync", "off")
                    .setServerConfig("max_connections", "60")
                    .start();
            var demo = new DemoPostgres(directory, server, randomPassword());
            try {
                demo.populate();
                return demo;
            } catch (IOException | SQLException | RuntimeException e) {
                demo.close();
                throw e;
            }
        } catch (IOException | RuntimeException e) {
            var problem = new IOException(e.getMessage() + lastLines(log), e);
            delete(directory);
            throw problem;
        }
    }

    String host() {
        return HOST;
    }

    int port() {
        return server.getPort();
    }

    /// The server's version, as `18.6`.
    String version() throws SQLException {
        try (var connection = direct("postgres")) {
            return DemoSql.text(connection, "show server_version");
        }
    }

    /// What PostgreSQL stores for each user, by name: `SCRAM-SHA-256$…`.
    Map<String, String> secrets() throws SQLException {
        var secrets = new TreeMap<String, String>();
        try (var connection = direct("postgres");
                var statement = connection.prepareStatement("select rolpassword from pg_authid where rolname = ?")) {
            for (var user : DemoUser.ALL) {
                statement.setString(1, user.name());
                try (var rows = statement.executeQuery()) {
                    rows.next();
                    secrets.put(user.name(), rows.getString(1));
                }
            }
        }
        return secrets;
    }

    /// A connection of the superuser that does not go through the node.
    Connection direct(String database) throws SQLException {
        return connect(database, password);
    }

    /// Stops the server and removes all its files.
    @Override
    public void close() throws IOException {
        try {
            server.close();
        } finally {
            delete(directory);
        }
    }

    private Connection connect(String database, String password) throws SQLException {
        var properties = new Properties();
        properties.setProperty("user", SUPERUSER);
        properties.setProperty("password", password);
        properties.setProperty("ApplicationName", "pgporter-demo-direct");
        return DriverManager.getConnection("jdbc:postgresql://" + HOST + ":" + port() + "/" + database, properties);
    }

    private void populate() throws IOException, SQLException {
        // Until the next reload the server trusts everybody on this machine, so the first password does not matter.
        try (var connection = connect("postgres", "");
                var statement = connection.createStatement()) {
            statement.execute("alter role " + SUPERUSER + " password '" + password + "'");
            for (var user : DemoUser.ALL) {
                statement.execute("create role " + user.name() + " login password '" + user.password() + "'");
            }
            for (var database : DATABASES) {
                statement.execute("create database " + database);
            }
            Files.writeString(directory.resolve("data/pg_hba.conf"), "host all all 127.0.0.1/32 scram-sha-256\n");
            statement.execute("select pg_reload_conf()");
        }
        for (var database : DATABASES) {
            try (var connection = connect(database, password);
                    var statement = connection.createStatement()) {
                for (var user : DemoUser.ALL) {
                    statement.execute("grant create on schema public to " + user.name());
                }
            }
        }
    }

    private static String randomPassword() {
        var bytes = new byte[24];
        new SecureRandom().nextBytes(bytes);
        return HexFormat.of().formatHex(bytes);
    }

    private static String lastLines(Path log) throws IOException {
        if (!Files.isReadable(log)) {
            return "";
        }
        var lines = Files.readAllLines(log);
        return "\n" + String.join("\n", lines.subList(Math.max(0, lines.size() - 15), lines.size()));
    }

    private static void delete(Path directory) throws IOException {
        if (!Files.exists(directory)) {
            return;
        }
        try (var files = Files.walk(directory)) {
            for (var file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        }
    }
}
