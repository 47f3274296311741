package org.pgporter.integration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.pgporter.config.PoolMode;
import org.pgporter.support.PgTools;
import org.pgporter.support.PostgresMajor;

/// What psql prints through the node is, byte for byte, what it prints when it talks to PostgreSQL itself.
class PsqlIT {
    private static final String CASES = "org.pgporter.integration.Proxied#majorsAndModes";
    private static final Duration SCRIPT = Duration.ofSeconds(60);
    private static final Map<String, Proxied> STARTED = new ConcurrentHashMap<>();

    @AfterAll
    static void stopNodes() {
        STARTED.values().forEach(Proxied::close);
        STARTED.clear();
    }

    /// The node for this case, with the fixture in its database: loaded through the node itself.
    private static Proxied given(PostgresMajor major, PoolMode mode) {
        assumeTrue(PgTools.psql().isPresent(), PgTools.MISSING);
        return STARTED.computeIfAbsent(major + " " + mode, _ -> {
            Proxied proxied = Proxied.start(major, mode, "psql", 3);
            var outcome = psql(proxied.throughNode(), "\\i " + script("fixture.sql"), "-v", "ON_ERROR_STOP=1");
            assertThat(outcome.stderr()).doesNotContain("ERROR");
            assertThat(outcome.exitCode()).isZero();
            return proxied;
        });
    }

    private static Path script(String name) {
        URL resource = PsqlIT.class.getResource("psql/" + name);
        if (resource == null) {
            throw new IllegalStateException(name + " is missing");
        }
        try {
            return Path.of(resource.toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    private static PgTools.Result psql(Map<String, String> environment, String stdin, String... arguments) {
        String[] all = new String[arguments.length + 2];
        all[0] = "-X";
        all[1] = "-q";
        System.arraycopy(arguments, 0, all, 2, arguments.length);
        return PgTools.psql().orElseThrow().run(environment, stdin, SCRIPT, all);
    }

    private static void printsTheSame(Proxied proxied, String stdin, String... arguments) {
        var direct = psql(proxied.direct(), stdin, arguments);
        var through = psql(proxied.throughNode(), stdin, arguments);
        assertThat(through.stdout()).isEqualTo(direct.stdout());
        assertThat(through.stderr()).isEqualTo(direct.stderr());
        assertThat(through.exitCode()).isEqualTo(direct.exitCode());
        assertThat(through.stdout() + through.stderr()).isNotEmpty();
    }

    private static Map<String, String> with(Map<String, String> environment, String name, String value) {
        Map<String, String> more = new HashMap<>(environment);
        more.put(name, value);
        return more;
    }

    @ParameterizedTest
    @MethodSource(CASES)
    void shouldListTheSame(PostgresMajor major, PoolMode mode) {
        printsTheSame(given(major, mode), "", "-f", script("listings.sql").toString());
    }

    /// The search path comes with the startup packet and belongs to this client alone.
    @ParameterizedTest
    @MethodSource(CASES)
    void shouldListTheSameWithASearchPathFromTheStartupPacket(PostgresMajor major, PoolMode mode) {
        // Given
        Proxied proxied = given(major, mode);
        String options = "-c search_path=shop,public -c work_mem=7MB";
        String script = "\\d\n\\dt+\n\\df\n\\d orders\nshow search_path;\nshow work_mem;\n";
        // When
        var direct = psql(with(proxied.direct(), "PGOPTIONS", options), script);
        var through = psql(with(proxied.throughNode(), "PGOPTIONS", options), script);
        var next = psql(proxied.throughNode(), "show search_path;\nshow work_mem;\n");
        // Then
        assertThat(through).isEqualTo(direct);
        assertThat(through.stdout()).contains("shop,public", "7MB", "orders");
        assertThat(next.stdout()).doesNotContain("shop").doesNotContain("7MB");
    }

    @ParameterizedTest
    @MethodSource(CASES)
    void shouldAnswerCommandsTheSame(PostgresMajor major, PoolMode mode) {
        printsTheSame(given(major, mode), "", "-a", "-f", script("commands.sql").toString());
    }

    @ParameterizedTest
    @MethodSource(CASES)
    void shouldKeepATransactionTogether(PostgresMajor major, PoolMode mode) {
        printsTheSame(
                given(major, mode),
                "",
                "-a",
                "-v",
                "ON_ERROR_STOP=0",
                "-f",
                script("transaction-state.sql").toString());
    }

    @ParameterizedTest
    @MethodSource(CASES)
    void shouldStopAtTheFirstErrorWhenAsked(PostgresMajor major, PoolMode mode) {
        Proxied proxied = given(major, mode);
        String script = "select 1;\ncreate table shop.never (n int);\nselect 1/0;\nselect 'not reached';\n";
        printsTheSame(proxied, script, "-1", "-v", "ON_ERROR_STOP=1");
        assertThat(proxied.postgres().rows("select 1 from pg_class where relname = 'never'"))
                .isEmpty();
        printsTheSame(proxied, "", "-c", "select 1; select 2", "-c", "select 1/0", "-c", "select 'not reached'");
    }

    @ParameterizedTest
    @MethodSource(CASES)
    void shouldRunAFileOfManyStatements(PostgresMajor major, PoolMode mode) {
        // Given
        Proxied proxied = given(major, mode);
        StringBuilder statements = new StringBuilder("create table shop.many (n int);\n");
        for (int i = 0; i < 2_000; i++) {
            statements.append("insert into shop.many values (").append(i).append(");\n");
        }
        statements.append("select count(*), sum(n) from shop.many;\ndrop table shop.many;\n");
        // When, then
        printsTheSame(proxied, statements.toString());
    }

    @ParameterizedTest
    @MethodSource(CASES)
    void shouldCopyFilesOutAndIn(PostgresMajor major, PoolMode mode, @org.junit.jupiter.api.io.TempDir Path folder) {
        // Given
        Proxied proxied = given(major, mode);
        Path direct = folder.resolve("direct");
        Path through = folder.resolve("through");
        String query = "(select n, md5(n::text), repeat('x', n % 500) from generate_series(1, 30000) n)";
        // When
        psql(proxied.direct(), "\\copy " + query + " to '" + direct + "'");
        psql(proxied.throughNode(), "\\copy " + query + " to '" + through + "'");
        var copiedIn = psql(proxied.throughNode(), """
                begin;
                create temporary table copied (n int, hash text, filler text) on commit drop;
                \\copy copied from '%s'
                select count(*), sum(n), sum(length(filler)) from copied;
                commit;
                """.formatted(through), "-At");
        // Then
        assertThat(through).hasSameBinaryContentAs(direct);
        assertThat(copiedIn.stdout().strip()).isEqualTo("30000|450015000|7485000");
    }

    @ParameterizedTest
    @MethodSource(CASES)
    void shouldRepeatAQueryUntilItFails(PostgresMajor major, PoolMode mode) {
        // Given
        Proxied proxied = given(major, mode);
        String script = """
                create sequence shop.round;
                select 100 / (4 - nextval('shop.round')) as hundredth
                \\watch 0.05
                drop sequence shop.round;
                """;
        // When
        var outcome = psql(proxied.throughNode(), script, "-At");
        // Then
        assertThat(outcome.stderr()).contains("division by zero");
        assertThat(outcome.stdout().lines().filter(it -> it.matches("[0-9]+"))).containsExactly("33", "50", "100");
    }

    @ParameterizedTest
    @MethodSource(CASES)
    void shouldTakeTheTime(PostgresMajor major, PoolMode mode) {
        var outcome = psql(given(major, mode).throughNode(), "\\timing on\nselect 1;\nselect 1/0;\n", "-At");
        assertThat(outcome.stdout().lines().filter(it -> it.startsWith("Time: ")))
                .hasSize(2);
    }

    @ParameterizedTest
    @MethodSource(CASES)
    void shouldSayWhereItIsConnected(PostgresMajor major, PoolMode mode) {
        // Given
        Proxied proxied = given(major, mode);
        String other = proxied.name() + "_other";
        // When
        var outcome = psql(
                proxied.throughNode(),
                "\\conninfo\n\\c " + other + "\n\\conninfo\nselect current_database();\n\\c no_such_database\n",
                "-At");
        // Then
        String port = "at port \"" + proxied.node().port() + "\"";
        assertThat(outcome.stdout()).contains("database \"" + proxied.name() + "\"", port, "\n" + other + "\n");
        assertThat(outcome.stderr()).contains("database \"no_such_database\" does not exist");
    }

    /// psql asks the terminal for the passwords, so it must have none; `setsid` sees to that.
    @ParameterizedTest
    @MethodSource(CASES)
    void shouldChangeAPassword(PostgresMajor major, PoolMode mode) {
        // Given
        Proxied proxied = given(major, mode);
        assumeTrue(Program.exists("setsid"), "setsid is not on the PATH: install util-linux");
        String role = proxied.name();
        String before = proxied.postgres().secretOf(role);
        try {
            // When
            try (Program psql = Program.start(
                    proxied.throughNode(), List.of("setsid", "--wait", "psql", "-X", "-q", "-c", "\\password"))) {
                psql.types("another secret\nanother secret\n");
                assertThat(psql.awaitExit()).as(psql::toString).isZero();
            }
            // Then
            assertThat(proxied.postgres().secretOf(role))
                    .startsWith("SCRAM-SHA-256$")
                    .isNotEqualTo(before);
        } finally {
            proxied.sql("alter role " + role + " password '" + before + "'");
        }
    }

    @ParameterizedTest
    @MethodSource(CASES)
    void shouldCancelOnInterrupt(PostgresMajor major, PoolMode mode) {
        // Given
        Proxied proxied = given(major, mode);
        Map<String, String> environment = with(proxied.throughNode(), "PGAPPNAME", "to be cancelled");
        String running =
                "select 1 from pg_stat_activity where datname = ? and state = 'active' and query = 'select pg_sleep(60)'";
        try (Program psql = Program.start(environment, List.of("psql", "-X", "-c", "select pg_sleep(60)"))) {
            await().atMost(Duration.ofSeconds(10))
                    .until(() ->
                            !proxied.postgres().rows(running, proxied.name()).isEmpty());
            // When
            psql.signal("INT");
            // Then
            assertThat(psql.awaitExit()).isEqualTo(1);
            assertThat(psql.stderr()).contains("canceling statement due to user request");
        }
        assertThat(proxied.postgres().rows(running, proxied.name())).isEmpty();
        assertThat(psql(proxied.throughNode(), "select 'works';", "-At").stdout())
                .isEqualTo("works\n");
    }
}
