package org.pgporter.support;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class TestPostgresIT {
    @ParameterizedTest
    @EnumSource(PostgresMajor.class)
    void shouldRunTheMajorThatWasAskedFor(PostgresMajor major) {
        var version = Integer.parseInt(TestPostgres.shared(major)
                        .rows("show server_version_num")
                        .getFirst()
                        .getFirst())
                / 10_000;

        assertThat(version).isEqualTo(major == PostgresMajor.OLDEST ? 14 : 18);
    }

    @Test
    void shouldShareOneServerInTheJvm() {
        assertThat(TestPostgres.shared()).isSameAs(TestPostgres.shared());
        assertThatThrownBy(TestPostgres.shared()::close).hasMessageContaining("shared");
    }

    @ParameterizedTest
    @EnumSource(PostgresMajor.class)
    void shouldStorePasswordsAsAsked(PostgresMajor major) throws SQLException {
        // Given
        var postgres = TestPostgres.shared(major);
        postgres.createUser("stored \"scram\"", "it's", "scram-sha-256");
        postgres.createUser("stored_md5", "secret", "md5");

        // When
        postgres.createDatabase("of its own", "stored_md5");

        // Then
        assertThat(postgres.secretOf("stored \"scram\"")).startsWith("SCRAM-SHA-256$4096:");
        assertThat(postgres.secretOf("stored_md5")).matches("md5[0-9a-f]{32}");
        DriverManager.getConnection(postgres.jdbcUrl("of%20its%20own"), "stored_md5", "secret")
                .close();
        assertThatThrownBy(() -> DriverManager.getConnection(postgres.jdbcUrl("postgres"), "stored_md5", "wrong"))
                .hasMessageContaining("password authentication failed");
    }

    @Test
    void shouldApplySettingsAndHbaLines() {
        try (var postgres = TestPostgres.newest()
                .maxConnections(12)
                .setting("work_mem", "5MB")
                .passwordEncryption("md5")
                .hba("host all open all trust", "host all shut all reject")
                .start()) {
            postgres.sql("create role open login", "create role shut login password 'x'");

            assertThat(postgres.rows("show max_connections").getFirst()).containsExactly("12");
            assertThat(postgres.rows("show work_mem").getFirst()).containsExactly("5MB");
            assertThat(postgres.secretOf("shut")).startsWith("md5");
            assertThat(canConnect(postgres, "open")).isTrue();
            assertThat(canConnect(postgres, "shut")).isFalse();
        }
    }

    @Test
    void shouldKeepPortAndDataWhenStoppedKilledAndStarted() {
        try (var postgres = TestPostgres.newest().start()) {
            var port = postgres.port();
            postgres.sql("create table kept (a int)");

            for (var mode : StopMode.values()) {
                postgres.stop(mode);
                assertThat(postgres.isRunning()).isFalse();
                assertThatThrownBy(() -> postgres.sql("select 1")).hasMessageContaining("refused");
                postgres.start();
            }
            postgres.kill();
            assertThat(postgres.isRunning()).isFalse();
            postgres.start();
            postgres.restart();

            assertThat(postgres.port()).isEqualTo(port);
            assertThat(postgres.rows("select count(*) from kept").getFirst()).containsExactly("0");
        }
    }

    @Test
    void shouldLoseAllSessionsWhenABackendIsKilledAndRecover() throws SQLException {
        try (var postgres = TestPostgres.newest().start()) {
            postgres.sql("create database victims");
            try (var one = postgres.connect("victims");
                    var _ = postgres.connect("victims")) {
                var pids = postgres.backendPids("victims");
                assertThat(pids).hasSize(2);
                assertThat(postgres.backends("victims")).isEqualTo(2);

                postgres.killBackend(pids.getFirst());
                postgres.awaitReady();

                assertThatThrownBy(() -> one.createStatement().execute("select 1"))
                        .isInstanceOf(SQLException.class);
                assertThat(postgres.backends("victims")).isZero();
            }
            assertThatThrownBy(() ->
                            postgres.killBackend((int) ProcessHandle.current().pid()))
                    .hasMessageContaining("no backend");
        }
    }

    @Test
    void shouldLeaveNothingBehindWhenClosed() {
        var postgres = TestPostgres.oldest().start();
        var folder = postgres.socketDirectory();
        assertThat(folder.resolve(".s.PGSQL." + postgres.port())).exists();

        postgres.close();
        postgres.close();

        assertThat(Files.exists(folder)).isFalse();
        assertThat(ProcessHandle.allProcesses()
                        .filter(it -> it.info().commandLine().orElse("").contains(folder.toString())))
                .isEmpty();
    }

    @Test
    void shouldStopAndDeleteWhatAKilledJvmLeftBehind() throws IOException {
        // Given
        var java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        var killed = Commands.run(
                List.of(java, "-cp", System.getProperty("java.class.path"), StartsAndDies.class.getName()),
                Map.of(),
                "",
                Duration.ofMinutes(1));
        assertThat(killed.exitCode()).as(killed.toString()).isEqualTo(StartsAndDies.EXIT_CODE);
        var folder = Path.of(killed.stdout().strip());
        assertThat(new PostgresFiles(folder).postmasterPid()).isNotEmpty();

        // When
        PostgresFiles.deleteOrphans();

        // Then
        assertThat(folder).doesNotExist();
        assertThat(ProcessHandle.allProcesses()
                        .filter(it -> it.info().commandLine().orElse("").contains(folder.toString())))
                .isEmpty();
    }

    /// A JVM that ends without its shutdown hooks, as one that was killed.
    static final class StartsAndDies {
        static final int EXIT_CODE = 9;

        private StartsAndDies() {}

        static void main() {
            System.out.println(TestPostgres.newest().start().socketDirectory());
            Runtime.getRuntime().halt(EXIT_CODE);
        }
    }

    @Test
    void shouldSayWhyItDoesNotStart() {
        assertThatThrownBy(() ->
                        TestPostgres.newest().setting("no_such_setting", "1").start())
                .hasMessageContaining("no_such_setting");
    }

    private static boolean canConnect(TestPostgres postgres, String user) {
        try (var _ = DriverManager.getConnection(postgres.jdbcUrl("postgres"), user, "x")) {
            return true;
        } catch (SQLException _) {
            return false;
        }
    }
}
