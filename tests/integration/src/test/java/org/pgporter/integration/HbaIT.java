package org.pgporter.integration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.pgporter.auth.Secret;
import org.pgporter.auth.credential.StoredCredential;
import org.pgporter.auth.hba.HbaRules;
import org.pgporter.config.AccessOptions;
import org.pgporter.config.RuleSource;
import org.pgporter.config.UserConfig;
import org.pgporter.node.NodeStartFailure;
import org.pgporter.support.PostgresMajor;
import org.pgporter.support.RawClient;
import org.pgporter.support.TestPki;
import org.pgporter.support.TestPostgres;

/// The same rules and the same attempts at PostgreSQL and at a node: both let the same clients in, and tell
/// the others the same. Nobody writes down who that is.
class HbaIT {
    private static final String PASSWORD = "secret";
    private static final List<String> DATABASES = List.of("shop", "alice", "all", "staff", "my db", "replication");
    private static final Map<String, String> USERS =
            Map.of("alice", "scram-sha-256", "bob", "md5", "carol", "scram-sha-256", "all", "scram-sha-256");
    private static final Map<String, List<String>> ROLES = Map.of("alice", List.of("staff", "company"));
    private static final String REPLICATION_OF_THE_NODE = "host replication postgres 127.0.0.1/32 trust";

    /// Every way in for the two ordinary users, and what the rules are often about.
    private static final String USUAL = """
            alice@shop tcp
            alice@shop tls
            alice@shop local
            bob@shop tcp
            carol@alice tls
            alice@alice tcp
            """;

    private static final Map<PostgresMajor, TestPostgres> SERVERS = new EnumMap<>(PostgresMajor.class);

    @TempDir
    private static Path folder = Path.of("");

    private static TestPki pki;
    private static Path rules;
    private static TestNode node;

    /// @param lines of `pg_hba.conf`
    /// @param attempts one in each line: `user@database`, how it comes in (`tcp`, `tls`, `local`),
    ///     then `wrong` for a wrong password, and `physical` or `logical` for replication
    /// @param newest whether it needs the language of PostgreSQL 16 or newer
    private record Row(String lines, String attempts, boolean newest) {
        @Override
        public String toString() {
            return lines.strip().replace("\n", "; ");
        }
    }

    @BeforeAll
    static void start() throws Exception {
        pki = TestPki.in(folder.resolve("pki"));
        TestPki.Identity identity = pki.server("localhost", "127.0.0.1");
        for (PostgresMajor major : PostgresMajor.values()) {
            TestPostgres postgres = TestPostgres.of(major).tls(identity).start();
            USERS.forEach((user, encryption) -> postgres.createUser(user, PASSWORD, encryption));
            DATABASES.forEach(database -> postgres.createDatabase(database, "postgres"));
            postgres.sql(
                    "create role company",
                    "create role staff in role company",
                    "grant staff to alice",
                    "alter role alice replication",
                    "alter role bob replication");
            SERVERS.put(major, postgres);
        }
        rules = Files.writeString(folder.resolve("pg_hba.conf"), "local all all reject");
        node = nodeWith(AccessOptions.defaults().withPgHba(RuleSource.of(rules)), identity);
    }

    private static TestPostgres newest() {
        return Objects.requireNonNull(SERVERS.get(PostgresMajor.NEWEST));
    }

    private static TestNode nodeWith(AccessOptions access, TestPki.Identity identity) {
        TestPostgres postgres = newest();
        TestNode.Builder builder = TestNode.inFrontOf(postgres.host(), postgres.port())
                .unixSocketIn(folder)
                .general(general -> general.withAccess(access)
                        .withClientTls(general.clientTls()
                                .withIdentity(identity.certificate(), identity.key())
                                .withTlsCaCert(identity.authority())));
        for (String database : DATABASES) {
            USERS.keySet().forEach(user -> {
                // The rules are about clients; the backend connections come as somebody whom they leave alone.
                UserConfig config = UserConfig.of(user, StoredCredential.parse(postgres.secretOf(user)))
                        .withServerLogin("postgres", Secret.of("nobody asks"));
                builder.user(database, config.withRoles(ROLES.getOrDefault(user, List.of())));
            });
        }
        return builder.start();
    }

    @AfterAll
    static void stop() {
        node.close();
        SERVERS.values().forEach(TestPostgres::close);
        SERVERS.clear();
    }

    static Stream<Row> rows() {
        return Stream.of(
                // Types and addresses.
                row("host all all 127.0.0.1/32 trust", USUAL),
                row("local all all trust", USUAL),
                row("hostssl all all 127.0.0.1/32 scram-sha-256", USUAL),
                row("hostnossl all all 127.0.0.1/32 md5\nlocal all all md5", USUAL),
                row("hostnogssenc all all 127.0.0.1/32 trust", USUAL),
                row("hostssl all all all reject\nhost all all all trust", USUAL),
                row("host all all 127.0.0.0 255.255.255.0 trust", USUAL),
                row("host all all 127.0.0.1 255.255.255.254 trust", USUAL),
                row("host all all 127.1.0.0 255.255.0.0 trust", USUAL),
                row("host all all 126.0.0.1 254.0.0.255 trust", USUAL),
                row("host all all 0.0.0.0/0 trust", USUAL),
                row("host all all ::/0 trust\nhost all all 127.0.0.1/32 reject", USUAL),
                row("host all all ::ffff:127.0.0.1/128 trust", USUAL),
                row("host all all 10.0.0.0/8 trust", USUAL),
                row("host all all samehost trust", USUAL),
                row("host all all samenet trust", USUAL),
                row("host all all localhost trust", USUAL),
                row("host all all .example.com trust\nhost all all all reject", USUAL),
                row("host all all \"all\" trust", USUAL),
                // Databases and users.
                row("host shop,\"my db\" all all trust", USUAL + "carol@my_db tcp\nalice@my%20db tcp\n"),
                row("host \"shop,alice\" all all trust", USUAL),
                row("host all \"all\" all trust", USUAL + "all@shop tcp\n"),
                row("host \"all\" all all trust", USUAL + "alice@all tcp\n"),
                row("host a\"ll\" all all trust", USUAL),
                row("host sameuser all all trust\nlocal \"sameuser\" all trust", USUAL + "alice@alice local\n"),
                row("host all +staff all trust", USUAL),
                row("host all +company all trust", USUAL),
                row("host all \"+staff\",bob all trust", USUAL),
                row("host all +alice all trust", USUAL),
                row("host samerole all all trust", USUAL + "alice@staff tcp\ncarol@staff tcp\n"),
                row("host samegroup all all trust", USUAL + "alice@staff tcp\ncarol@staff tcp\n"),
                row("host all bob,carol,alice all trust", USUAL),
                row("host all bob, alice all trust # with a blank", USUAL),
                row("host /^sh,alice$ all all trust", USUAL, true),
                row("host \"/^(shop|x)$\" /^(a|b) all trust", USUAL, true),
                row("host all /li all trust\nhost all \"/^b.{2}$\" all reject", USUAL, true),
                row("host \\\nall \\\nall all trust", USUAL),
                // The first that fits decides.
                row("host all alice all reject\nhost all all all trust", USUAL),
                row("host all all 0.0.0.0/0 reject\nhost all all 127.0.0.1/32 trust", USUAL),
                row("host all alice all md5\nhost all all all trust", "alice@shop tcp wrong\nbob@shop tcp wrong\n"),
                row("local shop all scram-sha-256\nlocal all all reject", USUAL),
                // Methods.
                row("host all all all md5", USUAL + "alice@shop tcp wrong\nbob@shop tcp wrong\nnobody@shop tcp\n"),
                row("host all all all scram-sha-256", USUAL + "alice@shop tcp wrong\nnobody@shop tcp\n"),
                row("host all all all password", USUAL + "alice@shop tcp wrong\nbob@shop tcp wrong\nnobody@shop tcp\n"),
                row("host all all all trust", USUAL + "nobody@shop tcp\nalice@nowhere tcp\n"),
                row("host shop all all trust", "alice@nowhere tcp\nnobody@nowhere tls\n"),
                // Replication.
                row(
                        "host all all all trust",
                        "alice@shop tcp physical\nalice@replication tcp physical\nalice@shop tcp logical\n"),
                row(
                        "host replication alice all trust",
                        "alice@shop tcp physical\nbob@shop tls physical\nalice@shop tcp logical\nalice@replication tcp\n"),
                row(
                        "host \"replication\" all all trust",
                        "alice@replication tcp physical\nalice@replication tcp\nalice@replication tcp logical\n"),
                row(
                        "host replication all all reject\nhost all all all trust",
                        "alice@shop tcp physical\nalice@shop tls physical\nalice@shop local physical\nalice@shop tcp\n"));
    }

    private static Row row(String lines, String attempts) {
        return new Row(lines, attempts, false);
    }

    private static Row row(String lines, String attempts, boolean newest) {
        return new Row(lines, attempts, newest);
    }

    @ParameterizedTest
    @MethodSource("rows")
    void shouldDecideAsPostgresDoes(Row row) throws IOException { // checklist 38, checklist 41
        String[] lines = (REPLICATION_OF_THE_NODE + "\n" + row.lines()).split("\n");
        Files.write(rules, List.of(lines));
        assertThat(node.node().accessRules().reload()).isEmpty();
        List<String> attempts = row.attempts().lines().toList();
        List<String> ours = new ArrayList<>();
        for (Map.Entry<PostgresMajor, TestPostgres> server : SERVERS.entrySet()) {
            if (row.newest() && server.getKey() == PostgresMajor.OLDEST) {
                continue;
            }
            server.getValue().useHba(lines);
            if (ours.isEmpty()) {
                attempts.forEach(attempt -> ours.add(attempt + ": " + outcome(attempt, HbaIT::toNode)));
            }
            List<String> theirs = attempts.stream()
                    .map(attempt -> attempt + ": " + outcome(attempt, kind -> toServer(server.getValue(), kind)))
                    .toList();
            assertThat(ours).as("PostgreSQL %s", server.getKey()).isEqualTo(theirs);
        }
    }

    private interface Connects {
        RawClient by(String kind);
    }

    private static RawClient toNode(String kind) {
        return kind.equals("local")
                ? RawClient.connects(folder, 0) // as in the configuration
                : RawClient.connects(node.host(), node.port());
    }

    private static RawClient toServer(TestPostgres postgres, String kind) {
        return kind.equals("local")
                ? RawClient.connects(postgres.socketDirectory(), postgres.port())
                : RawClient.connects(postgres);
    }

    /// `in`, or the error with what PostgreSQL says about rules.
    private static String outcome(String attempt, Connects connects) {
        String[] words = attempt.split(" ");
        Set<String> flags = Set.of(words);
        String[] who = words[0].split("@");
        String password = flags.contains("wrong") ? "wrong" : PASSWORD;
        String[] parameters = flags.contains("physical")
                ? new String[] {"replication", "true"}
                : flags.contains("logical") ? new String[] {"replication", "database"} : new String[0];
        try (RawClient client = connects.by(words[1])) {
            if (words[1].equals("tls")) {
                client.encrypts(pki.trusting());
            }
            return client.triesToLogIn(who[0], password, who[1].replace("%20", " "), parameters)
                    .map(error -> error.sqlState().code()
                            + (error.sqlState().code().equals("28000") ? " " + error.message() : ""))
                    .orElse("in");
        }
    }

    // ---- the configuration

    @Test
    void shouldKeepTheOldRulesWhileTheNewOnesAreBroken() throws IOException { // checklist 41
        // Given
        reload("host all alice all trust", "host all all all reject");
        assertThat(outcome("alice@shop tcp", HbaIT::toNode)).isEqualTo("in");

        // When
        Files.writeString(rules, "host all alice all reject\nhots all all all trust\n");
        assertThat(node.node().accessRules().reload())
                .singleElement()
                .asString()
                .isEqualTo(rules + ":2: invalid connection type \"hots\"");

        // Then
        assertThat(outcome("alice@shop tcp", HbaIT::toNode)).isEqualTo("in");
        Files.delete(rules);
        assertThat(node.node().accessRules().reload())
                .singleElement()
                .asString()
                .contains("does not exist");
        assertThat(outcome("alice@shop tcp", HbaIT::toNode)).isEqualTo("in");
        reload("host all alice all reject");
        assertThat(outcome("alice@shop tcp", HbaIT::toNode)).startsWith("28000 pg_hba.conf rejects connection");
    }

    @Test
    void shouldLeaveSessionsAloneThatAreThere() {
        reload("host all all all trust");
        try (RawClient client = toNode("tcp")) {
            client.logsIn("alice", PASSWORD, "shop");
            reload("host all all all reject");
            assertThat(client.query("select 1")).containsExactly(List.of("1"));
        }
    }

    @Test
    void shouldCountWhatEachRuleHasDecided() {
        reload("host all alice all trust", "host all bob all reject", "host all all all reject");
        outcome("alice@shop tcp", HbaIT::toNode);
        outcome("bob@shop tcp", HbaIT::toNode);
        outcome("bob@shop tls", HbaIT::toNode);
        outcome("bob@shop local", HbaIT::toNode);
        assertThat(node.node().accessRules().counts())
                .extracting(HbaRules.Counted::matches)
                .containsExactly(1L, 2L, 0L);
    }

    @Test
    void shouldLetNobodyInWhoseMembershipsAreNotKnown() {
        reload("host all +staff all reject", "host all all all trust");
        assertThat(outcome("carol@shop tcp", HbaIT::toNode)).isEqualTo("in");
        assertThat(outcome("nobody@shop tcp", HbaIT::toNode)).isEqualTo("58000");
    }

    @Test
    void shouldSeeTheNameThatPostgresWouldSee() { // checklist 6
        String longest = "a".repeat(63);
        reload("host all " + longest + " all reject", "host all all all trust");
        assertThat(outcome(longest + "bcd@shop tcp", HbaIT::toNode))
                .isEqualTo("28000 pg_hba.conf rejects connection for host \"127.0.0.1\", user \"" + longest
                        + "\", database \"shop\", no encryption");
    }

    @Test
    void shouldTakePgDoormansPlainList() {
        try (TestNode inside = otherNode(AccessOptions.defaults().withHba(List.of("127.0.0.0/8")));
                TestNode outside = otherNode(AccessOptions.defaults().withHba(List.of("10.0.0.0/8", "::1")))) {
            assertThat(loginAt(inside, "secret")).isEmpty();
            assertThat(loginAt(inside, "wrong")).hasValue("28P01");
            assertThat(loginAt(outside, "secret")).hasValue("28000");
        }
    }

    @Test
    void shouldNotStartWithRulesThatCannotBeUnderstood() {
        assertThatThrownBy(() -> otherNode(AccessOptions.defaults()
                        .withPgHba(RuleSource.of("host all all localhost/8 trust\nlocal all all gss", "node.yaml"))))
                .isInstanceOf(NodeStartFailure.class)
                .hasMessageContaining("node.yaml:1: specifying both host name and CIDR mask is invalid")
                .hasMessageContaining("node.yaml:2: authentication method \"gss\" is not supported");
    }

    private static TestNode otherNode(AccessOptions access) {
        TestPostgres postgres = newest();
        return TestNode.inFrontOf(postgres.host(), postgres.port())
                .user(
                        "shop",
                        UserConfig.of("alice", StoredCredential.parse(postgres.secretOf("alice")))
                                .withServerLogin("postgres", Secret.of("nobody asks")))
                .general(general -> general.withAccess(access))
                .start();
    }

    private static Optional<String> loginAt(TestNode other, String password) {
        try (RawClient client = RawClient.connects(other.host(), other.port())) {
            return client.triesToLogIn("alice", password, "shop")
                    .map(error -> error.sqlState().code());
        }
    }

    private static void reload(String... lines) {
        try {
            Files.write(rules, List.of(lines));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        assertThat(node.node().accessRules().reload()).isEmpty();
    }
}
