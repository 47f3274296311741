package org.pgporter.integration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pgporter.auth.credential.StoredCredential;
import org.pgporter.support.RawClient;
import org.pgporter.support.TestPostgres;

/// Debian's `prometheus-pgbouncer-exporter` reads a node's console as if it were PgBouncer's.
class ConsoleExporterIT {
    private static final String USER = "exporter_user";

    @TempDir
    Path folder;

    private static Optional<Path> exporter() {
        return Stream.of(System.getenv().getOrDefault("PATH", "").split(":"))
                .flatMap(place -> Stream.of("prometheus-pgbouncer-exporter", "pgbouncer-exporter")
                        .map(name -> Path.of(place, name)))
                .filter(Files::isExecutable)
                .findFirst();
    }

    @Test
    void shouldBeReadByTheExporterWithoutAWarning() throws IOException {
        Optional<Path> program = exporter();
        assumeTrue(program.isPresent(), "prometheus-pgbouncer-exporter is not on the PATH");
        TestPostgres postgres = TestPostgres.shared();
        postgres.createUser(USER, "secret", "scram-sha-256");
        int port = ProcessIT.freePort();
        try (TestNode node = TestNode.inFrontOf(postgres.host(), postgres.port())
                        .user("postgres", USER, "secret")
                        .general(general ->
                                general.withConsole(general.console().withAdmin("op", StoredCredential.parse("opens"))))
                        .start();
                RawClient client = RawClient.connects(node.host(), node.port()).logsIn(USER, "secret", "postgres")) {
            for (int i = 0; i < 7; i++) {
                client.query("select 1");
            }
            Path config =
                    Files.writeString(folder.resolve("exporter.yml"), """
                    exporter_host: 127.0.0.1
                    exporter_port: %d
                    pgbouncers:
                      - dsn: postgresql://op:opens@%s:%d/pgbouncer
                        connect_timeout: 5
                    """.formatted(port, node.host(), node.port()));
            try (Program exporter =
                    Program.start(Map.of(), List.of(program.get().toString(), "--config", config.toString()))) {
                await().atMost(Duration.ofSeconds(20))
                        .ignoreExceptions()
                        .untilAsserted(() -> assertThat(metrics(port))
                                .contains("pgbouncer_up 1.0")
                                .contains("pgbouncer_stats_queries_total{database=\"postgres\"} 7.0")
                                .contains("pgbouncer_pools_client_active_connections{database=\"postgres\",user=\""
                                        + USER + "\"} 1.0")
                                .contains(
                                        "pgbouncer_databases_database_pool_size{backend_database=\"postgres\",database=\"postgres\"} 40.0")
                                .contains("pgbouncer_config_max_client_conn 8192.0"));
                assertThat(exporter.toString()).doesNotContain("WARN").doesNotContain("ERROR");
            }
        }
    }

    private static String metrics(int port) throws IOException, InterruptedException {
        try (HttpClient http = HttpClient.newHttpClient()) {
            return http.send(
                            HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/metrics"))
                                    .build(),
                            HttpResponse.BodyHandlers.ofString())
                    .body();
        }
    }
}
