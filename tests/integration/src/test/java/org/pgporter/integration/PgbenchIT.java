package org.pgporter.integration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.pgporter.config.PoolMode;
import org.pgporter.support.PgTools;
import org.pgporter.support.PostgresMajor;

/// pgbench in all its ways through the node: no transaction fails, and PostgreSQL never sees more backends than
/// the pool may have.
class PgbenchIT {
    private static final int POOL_SIZE = 10;
    private static final String CLIENTS = "200";
    private static final String SECONDS = "2";
    private static final int FIRST_WITH_PIPELINES = 14;
    private static final Map<String, Proxied> STARTED = new ConcurrentHashMap<>();

    @AfterAll
    static void stopNodes() {
        STARTED.values().forEach(Proxied::close);
        STARTED.clear();
    }

    /// The node for this case, with pgbench's tables: made through the node itself.
    private static Proxied given(PostgresMajor major, PoolMode mode) {
        assumeTrue(PgTools.pgbench().isPresent(), PgTools.MISSING);
        return STARTED.computeIfAbsent(major + " " + mode, _ -> {
            Proxied proxied = Proxied.start(major, mode, "pgbench", POOL_SIZE);
            succeeds(proxied, "-i", "-I", "dtGvpf", "--foreign-keys");
            succeeds(proxied, "-i");
            return proxied;
        });
    }

    /// Runs pgbench, and expects everything to be well during and after it.
    private static void succeeds(Proxied proxied, String... arguments) {
        PgTools.Result outcome;
        BackendCensus census = new BackendCensus(proxied.postgres(), proxied.name());
        try (census) {
            outcome = PgTools.pgbench().orElseThrow().run(proxied.throughNode(), arguments);
        }
        assertThat(outcome.exitCode()).as(outcome.toString()).isZero();
        assertThat(outcome.stderr()).doesNotContain("ERROR", "error:", "FATAL", "aborted");
        assertThat(census.most()).as("backends at one moment").isBetween(1, POOL_SIZE);
        if (!arguments[0].equals("-i")) {
            assertThat(outcome.stdout()).contains("number of failed transactions: 0 (0.000%)");
            assertThat(outcome.stdout()).doesNotContain("number of transactions actually processed: 0");
        }
    }

    static Stream<Arguments> waysToQuery() {
        return Stream.of(PostgresMajor.values())
                .flatMap(major -> Stream.of("simple", "extended", "prepared")
                        .flatMap(way ->
                                Stream.of("select-only", "tpcb-like").map(script -> Arguments.of(major, way, script))));
    }

    @ParameterizedTest
    @MethodSource("waysToQuery")
    void shouldServeManyClientsByFewBackends(PostgresMajor major, String way, String script) {
        Proxied proxied = given(major, PoolMode.TRANSACTION);
        succeeds(proxied, "-n", "-c", CLIENTS, "-j", "2", "-T", SECONDS, "-M", way, "-b", script);
    }

    @ParameterizedTest
    @EnumSource(PostgresMajor.class)
    void shouldServeAsManyClientsAsBackendsInSessionMode(PostgresMajor major) {
        Proxied proxied = given(major, PoolMode.SESSION);
        succeeds(proxied, "-n", "-c", "10", "-j", "2", "-T", "1", "-M", "prepared");
        // The statements of the run before must be gone, although they had the same names.
        succeeds(proxied, "-n", "-c", "10", "-j", "2", "-T", "1", "-M", "prepared", "-b", "select-only");
    }

    @ParameterizedTest
    @MethodSource("org.pgporter.integration.Proxied#majorsAndModes")
    void shouldServeClientsThatConnectForEachTransaction(PostgresMajor major, PoolMode mode) {
        Proxied proxied = given(major, mode);
        succeeds(proxied, "-n", "-C", "-c", "20", "-j", "2", "-T", "1", "-M", "extended", "-b", "select-only");
    }

    @ParameterizedTest
    @EnumSource(PostgresMajor.class)
    void shouldServePipelines(PostgresMajor major, @TempDir Path folder) throws IOException {
        // Given
        Proxied proxied = given(major, PoolMode.TRANSACTION);
        String version = PgTools.pgbench().orElseThrow().version();
        int pgbenchMajor = Integer.parseInt(version.replaceAll("^\\D*(\\d+).*$", "$1"));
        assumeTrue(pgbenchMajor >= FIRST_WITH_PIPELINES, version + " has no pipelines");
        Path script = folder.resolve("pipeline.sql");
        Files.write(
                script,
                List.of(
                        "\\set aid random(1, 100000)",
                        "\\startpipeline",
                        "begin;",
                        "update pgbench_accounts set abalance = abalance + 1 where aid = :aid;",
                        "select abalance from pgbench_accounts where aid = :aid;",
                        "insert into pgbench_history (tid, bid, aid, delta, mtime) values (1, 1, :aid, 1, now());",
                        "end;",
                        "select 1;",
                        "select :aid;",
                        "\\endpipeline"));
        // When, then
        for (String way : List.of("extended", "prepared")) {
            succeeds(proxied, "-n", "-c", CLIENTS, "-j", "2", "-T", SECONDS, "-M", way, "-f", script.toString());
        }
    }

    /// Each client of pgbench gives its statements the same names, `P0_1` and so on, whatever they are.
    @ParameterizedTest
    @EnumSource(PostgresMajor.class)
    void shouldKeepEqualNamesOfDifferentStatementsApart(PostgresMajor major) {
        Proxied proxied = given(major, PoolMode.TRANSACTION);
        succeeds(
                proxied,
                "-n",
                "-c",
                "100",
                "-j",
                "2",
                "-T",
                SECONDS,
                "-M",
                "prepared",
                "-b",
                "select-only@3",
                "-b",
                "simple-update@2",
                "-b",
                "tpcb-like@1");
    }
}
