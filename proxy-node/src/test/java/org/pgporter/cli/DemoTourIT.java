package org.pgporter.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

/// The tour, taken without a node: what it demands, PostgreSQL itself fulfils, except sharing backends.
class DemoTourIT {
    @Test
    void shouldSeeInPostgresItselfWhatItWantsToSeeThroughTheNode() throws Exception {
        // Given
        var before = directories();
        var bytes = new ByteArrayOutputStream();
        try (var postgres = DemoPostgres.start();
                var out = new PrintStream(bytes, true, StandardCharsets.UTF_8)) {
            var target = new DemoTarget(postgres.host(), postgres.port());

            // When
            new DemoTour(target, postgres, 0, out).take();

            // Then
            assertThat(bytes.toString(StandardCharsets.UTF_8))
                    .contains("carol in ledger")
                    .contains("after it, after a rollback: 0, 1, 1")
                    .contains("rows copied in, rows copied out, bytes each way: 10000, 10000, ")
                    .contains(" 57014 ")
                    .contains("transactions committed: 5000 in ")
                    .contains("clients that saw an error: 0");
            assertThatThrownBy(() -> new DemoTour(target, postgres, DemoNode.POOL_SIZE, out).take())
                    .as("the tables exist already")
                    .isInstanceOf(DemoFailure.class)
                    .hasMessageStartingWith("2. A transaction: 42P07");
            assertThat(postgres.secrets())
                    .containsOnlyKeys("alice", "bob", "carol")
                    .allSatisfy((_, secret) -> assertThat(secret).startsWith("SCRAM-SHA-256$"));
            assertThatThrownBy(() -> target.connect(new DemoUser("alice", "wrong"), "shop"))
                    .as("passwords are really asked for")
                    .isInstanceOf(SQLException.class)
                    .extracting(e -> ((SQLException) e).getSQLState())
                    .isEqualTo("28P01");
        }
        assertThat(directories()).as("nothing is left behind").isEqualTo(before);
    }

    @Test
    void shouldNoticeThatFiftyClientsUseMoreBackendsThanThePoolHas() throws Exception {
        try (var postgres = DemoPostgres.start()) {
            var target = new DemoTarget(postgres.host(), postgres.port());

            assertThatThrownBy(() -> new DemoCrowd(target, postgres, DemoNode.POOL_SIZE, (_, _) -> {}).run())
                    .isInstanceOf(DemoFailure.class)
                    .hasMessage("expected at most 5 backends at once");
        }
    }

    private static Set<Path> directories() throws Exception {
        var found = new HashSet<Path>();
        try (var files = Files.newDirectoryStream(Path.of(System.getProperty("java.io.tmpdir")), "pgporter-demo-*")) {
            files.forEach(found::add);
        }
        return found;
    }
}
