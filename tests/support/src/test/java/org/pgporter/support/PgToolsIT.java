package org.pgporter.support;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;

class PgToolsIT {
    @Test
    void shouldRunPsqlAgainstTheTestServer() {
        var psql = PgTools.psql();
        assumeTrue(psql.isPresent(), PgTools.MISSING);
        var postgres = TestPostgres.shared();
        var port = Integer.toString(postgres.port());
        postgres.createUser("of_psql", "secret", "scram-sha-256");
        var environment = Map.of("PGPASSWORD", "secret", "PGUSER", "of_psql", "PGDATABASE", "postgres");

        var good = psql.get().run(environment, "-h", postgres.host(), "-p", port, "-Atc", "select 40 + 2");
        var bad = psql.get()
                .run(
                        environment,
                        "select nonsense;",
                        Duration.ofSeconds(20),
                        "-h",
                        postgres.host(),
                        "-p",
                        port,
                        "-v",
                        "ON_ERROR_STOP=1");

        assertThat(good).isEqualTo(new PgTools.Result(0, "42\n", ""));
        assertThat(bad.exitCode()).isEqualTo(3);
        assertThat(bad.stderr()).contains("nonsense");
    }

    @Test
    void shouldKillWhatTakesTooLong() {
        var psql = PgTools.psql();
        assumeTrue(psql.isPresent(), PgTools.MISSING);
        var url = "host=127.0.0.1 user=postgres port=" + TestPostgres.shared().port();

        assertThatThrownBy(() -> psql.get().run(Map.of(), "select pg_sleep(60);", Duration.ofMillis(500), url))
                .hasMessageContaining("took longer");
    }

    @Test
    void shouldFindPgbench() {
        var pgbench = PgTools.pgbench();
        assumeTrue(pgbench.isPresent(), PgTools.MISSING);

        assertThat(pgbench.get().version()).startsWith("pgbench (PostgreSQL)");
    }
}
