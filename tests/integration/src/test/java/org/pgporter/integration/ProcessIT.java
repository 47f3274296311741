package org.pgporter.integration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pgporter.support.RawClient;
import org.pgporter.support.TestPostgres;

/// The program as operators run it: a process of its own, with a configuration file, signals and exit codes.
class ProcessIT {
    private static final String USER = "process_user";
    private static final String PASSWORD = "secret";

    @TempDir
    Path folder;

    @BeforeAll
    static void createUser() {
        TestPostgres.shared().createUser(USER, PASSWORD, "scram-sha-256");
    }

    private static Program pgporter(String... arguments) {
        String classPath = System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
        Stream<String> java = Stream.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "--sun-misc-unsafe-memory-access=allow",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                classPath,
                "org.pgporter.cli.PgPorter");
        return Program.start(Map.of(), Stream.concat(java, Stream.of(arguments)).toList());
    }

    private static Program serving(Path config) {
        Program program = pgporter("serve", "--config", config.toString());
        program.awaitStderr("node accepts clients");
        return program;
    }

    /// A configuration with one pool in front of the shared PostgreSQL.
    ///
    /// @param general more lines of section `general`
    private Path config(int port, String... general) throws IOException {
        TestPostgres postgres = TestPostgres.shared();
        return Files.writeString(folder.resolve("pgporter.yaml"), """
                general:
                  host: "127.0.0.1"
                  port: %d
                  %s
                pools:
                  postgres:
                    server_host: "%s"
                    server_port: %d
                    users:
                      - username: %s
                        password: "%s"
                """.formatted(
                port, String.join("\n  ", general), postgres.host(), postgres.port(), USER, postgres.secretOf(USER)));
    }

    /// A port that nobody has, below those that the kernel gives to outgoing connections (`ip_local_port_range`): one
    /// of these could take it before the program that it is for.
    static int freePort() throws IOException {
        for (int attempt = 0; attempt < 100; attempt++) {
            int port = ThreadLocalRandom.current().nextInt(20_000, 32_000);
            try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getByName("127.0.0.1"))) {
                return socket.getLocalPort();
            } catch (BindException _) {
                // somebody has it: another one
            }
        }
        throw new IOException("no port is free");
    }

    private static RawClient client(int port) {
        RawClient client = RawClient.connects("127.0.0.1", port);
        client.logsIn(USER, PASSWORD, "postgres");
        return client;
    }

    @Test
    void shouldLetATransactionFinishAtTheFirstSignal() throws IOException {
        // Given
        int port = freePort();
        try (Program node = serving(config(port));
                RawClient working = client(port);
                RawClient idle = client(port)) {
            working.query("begin");
            // When
            node.signal("TERM");
            // Then
            idle.expectsError("57P01");
            assertThat(working.query("select 'still there'")).isEqualTo(List.of(List.of("still there")));
            assertThat(node.isAlive()).isTrue();
            working.sendsQuery("commit");
            working.expectsCommandComplete("COMMIT");
            assertThat(node.awaitExit()).as(node::toString).isZero();
        }
    }

    /// USR1 and USR2 are PAUSE and RESUME, and SHUTDOWN in the console ends the program.
    @Test
    void shouldPauseAndResumeAtSignalsAndEndByTheConsole() throws IOException {
        int port = freePort();
        try (Program node = serving(config(port, "admin_users: [" + USER + "]"));
                RawClient client = client(port);
                RawClient wire = RawClient.connects("127.0.0.1", port).logsIn(USER, PASSWORD, "pgbouncer")) {
            ConsoleClient console = new ConsoleClient(wire);
            client.query("select 1");

            node.signal("USR1");

            await().until(() ->
                    console.find("STATE", row -> row.has("key", "paused")).has("value", "yes"));
            client.sendsQuery("select 'later'");
            await().until(() -> console.pool("postgres").has("cl_waiting", 1));
            node.signal("USR2");
            client.expects(org.pgporter.protocol.message.RowDescription.class);
            client.expectsRow("later");
            console.says("SHUTDOWN");
            assertThat(node.awaitExit()).as(node::toString).isZero();
        }
    }

    @Test
    void shouldEndAtOnceAtTheSecondSignal() throws IOException {
        // Given
        int port = freePort();
        try (Program node = serving(config(port, "shutdown_timeout: \"60s\""));
                RawClient working = client(port)) {
            working.query("begin");
            // When
            node.signal("TERM");
            node.awaitStderr("stopping, sessions may finish");
            node.signal("TERM");
            // Then
            working.expectsError("57P01");
            working.expectsClosed();
            assertThat(node.awaitExit()).as(node::toString).isZero();
        }
    }

    @Test
    void shouldListenOnAUnixSocketAndRemoveIt() throws IOException {
        // Given
        int port = freePort();
        Path sockets = Files.createDirectory(folder.resolve("s"));
        Path socket = sockets.resolve(".s.PGSQL." + port);
        try (Program node = serving(config(port, "unix_socket_dir: \"" + sockets + "\""))) {
            assertThat(socket).exists();
            // When
            try (RawClient client = RawClient.connects(sockets, port)) {
                client.logsIn(USER, PASSWORD, "postgres");
                assertThat(client.query("select 1")).isEqualTo(List.of(List.of("1")));
            }
            node.signal("TERM");
            // Then
            assertThat(node.awaitExit()).as(node::toString).isZero();
            assertThat(socket).doesNotExist();
        }
    }

    @Test
    void shouldNameEveryMistake() throws IOException {
        // Given
        Path good = config(freePort());
        Path bad = Files.writeString(folder.resolve("bad.yaml"), """
                general:
                  prot: 6432
                  pool_size: none
                pools: {}
                """);
        // When
        try (Program checksGood = pgporter("check", "--config", good.toString());
                Program checksBad = pgporter("check", "--config", bad.toString())) {
            // Then
            assertThat(checksGood.awaitExit()).as(checksGood::toString).isZero();
            assertThat(checksBad.awaitExit()).isEqualTo(1);
            await().untilAsserted(() -> assertThat(checksBad.stdout()).contains(bad + ":2", "prot", bad + ":3"));
        }
    }

    /// The second process takes over while clients come and go without a pause.
    @Test
    void shouldHandThePortToASecondProcess() throws IOException {
        // Given
        int port = freePort();
        Path config = config(port, "so_reuseport: true");
        AtomicBoolean stop = new AtomicBoolean();
        AtomicInteger served = new AtomicInteger();
        Queue<String> refused = new ConcurrentLinkedQueue<>();
        try (Program first = serving(config)) {
            Thread visitors = Thread.ofPlatform().start(() -> {
                while (!stop.get()) {
                    try (RawClient client = client(port)) {
                        client.query("select 1");
                        served.incrementAndGet();
                        client.terminates();
                    } catch (AssertionError | RuntimeException e) {
                        refused.add(String.valueOf(e.getMessage()));
                    }
                }
            });
            awaitMore(served, 20);
            // When
            try (Program second = serving(config)) {
                awaitMore(served, 20);
                first.signal("TERM");
                assertThat(first.awaitExit()).as(first::toString).isZero();
                awaitMore(served, 20);
                stop.set(true);
                await().until(() -> !visitors.isAlive());
                second.signal("TERM");
                assertThat(second.awaitExit()).as(second::toString).isZero();
            } finally {
                stop.set(true);
            }
        }
        // Then: one visitor may have stood in the first one's queue when that stopped to listen; nobody after that.
        assertThat(refused).hasSizeLessThanOrEqualTo(1);
    }

    private static void awaitMore(AtomicInteger served, int more) {
        int from = served.get();
        await().atMost(Duration.ofSeconds(20)).until(() -> served.get() >= from + more);
    }

    @Test
    void shouldReadItsRulesAgainWhenItHangsUp() throws IOException {
        Path rules = Files.writeString(folder.resolve("pg_hba.conf"), "host all all all scram-sha-256\n");
        int port = freePort();
        try (Program program = serving(config(port, "pg_hba: {path: pg_hba.conf}"))) {
            assertThat(login(port)).isEmpty();

            Files.writeString(rules, "host all all all nonsense\n");
            program.signal("HUP");
            program.awaitStderr("invalid authentication method");
            assertThat(login(port)).isEmpty();

            Files.writeString(rules, "host all all all reject\n");
            program.signal("HUP");
            await().untilAsserted(() -> assertThat(login(port)).hasValue("28000"));
        }
    }

    private static Optional<String> login(int port) {
        try (RawClient client = RawClient.connects("127.0.0.1", port)) {
            return client.triesToLogIn(USER, PASSWORD, "postgres")
                    .map(error -> error.sqlState().code());
        }
    }
}
