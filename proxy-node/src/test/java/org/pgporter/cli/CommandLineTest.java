package org.pgporter.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.pgporter.support.TestPki;

class CommandLineTest {
    private static final String GOOD = """
            general:
              port: 6432
            pools:
              shop:
                server_host: 127.0.0.1
                users:
                  - username: alice
                    password: in-plain-text
                    pool_size: 5
            """;

    private static final String BAD = """
            general:
              prot: 6432
            pools:
              shop:
                users:
                  - username: alice
                    password: in-plain-text
                    pool_size: many
            """;

    @TempDir
    private Path directory = Path.of("");

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @Test
    void shouldAcceptAGoodFile() throws Exception {
        var file = write(GOOD);

        assertThat(run("check", "--config", file)).isZero();
        assertThat(out.toString()).isEqualToNormalizingNewlines(file + ": no problems\n");
    }

    @Test
    void shouldListEveryProblemWithFileLineAndKey() throws Exception {
        var file = write(BAD);

        assertThat(run("check", "--config", file)).isEqualTo(ExitCodes.FAILED);
        assertThat(out.toString().lines())
                .hasSize(2)
                .satisfiesExactly(
                        first -> assertThat(first).startsWith(file + ":2: general.prot: "),
                        second -> assertThat(second).startsWith(file + ":8: pools.shop.users[0].pool_size: "));
        assertThat(out.toString()).doesNotContain("in-plain-text");
    }

    @Test
    void shouldNameCertificatesThatCannotBeUsed() throws Exception {
        var pki = TestPki.in(directory.resolve("pki"));
        var one = pki.server("localhost");
        var other = pki.server("localhost");
        var file = write("general:\n  tls_certificate: " + one.certificate() + "\n  tls_private_key: " + other.key()
                + "\npools:\n  shop:\n    server_tls_mode: verify-full\n    server_tls_ca_cert: /nowhere.pem\n"
                + "    users: [{username: app, password: in-plain-text}]\n");

        assertThat(run("check", "--config", file)).isEqualTo(ExitCodes.FAILED);
        assertThat(out.toString().lines())
                .containsExactly(
                        file + ": general.tls_private_key: " + other.key()
                                + " is not the key of the first certificate in " + one.certificate(),
                        file + ": pools.shop.server_tls_ca_cert: /nowhere.pem does not exist");
    }

    @Test
    void shouldNameKeysForTokensThatCannotBeUsed() throws Exception {
        var broken = write("not a key\n");
        var key = directory.resolve("broken.pem");
        java.nio.file.Files.copy(java.nio.file.Path.of(broken), key);
        var file = write("issuers:\n  corp: {issuer: x, audience: y, public_key_file: " + key + "}\n"
                + "talos: {keys: [/nowhere.pem], databases: [shop]}\n"
                + "pools:\n  shop:\n    users: [{username: app, password: 'jwt-pkey-fpath:/nowhere-else.pem'}]\n");

        assertThat(run("check", "--config", file)).isEqualTo(ExitCodes.FAILED);
        assertThat(out.toString().lines())
                .containsExactly(
                        file + ": issuers.corp.public_key_file: " + key
                                + " holds no public key (PEM, BEGIN PUBLIC KEY)",
                        file + ": pools.shop.users (app).password: /nowhere-else.pem does not exist",
                        file + ": talos.keys: /nowhere.pem does not exist");
    }

    // ---- rules for logins

    private static final String RULES = """
            general:
              pg_hba: |
                # who comes from where
                local all all peer
                host all mallory all reject
                hostssl shop alice 10.0.0.0/8 scram-sha-256
                host shop all 10.0.0.0/8 md5
                host all +staff 192.168.0.0/16 trust
                host replication all 10.0.0.0/8 trust
                host all all 0.0.0.0/0 reject
                host all all 127.0.0.1/32 trust
            pools:
              shop:
                users:
                  - {username: alice, password: in-plain-text, roles: [staff]}
                  - {username: hashed, password: md5%s}
                  - {username: service, auth_pam_service: login}
                  - {username: mallory, password: in-plain-text}
            """.formatted("a".repeat(32));

    @Test
    void shouldWarnOfARuleThatCanNeverMatch() throws Exception {
        var file = write(RULES.replace("hostssl", "host"));

        assertThat(run("check", "--config", file)).isZero();
        assertThat(err.toString().lines())
                .containsExactly("warning: " + file + ":11: can never match: " + file
                        + ":10 takes all its connections (host all all 0.0.0.0/0 reject)");
    }

    @Test
    void shouldNameEveryRuleThatCannotBeUnderstood() throws Exception {
        var file = write(RULES.replace("peer", "gss").replace("/32", "/33"));

        assertThat(run("check", "--config", file)).isEqualTo(ExitCodes.FAILED);
        assertThat(out.toString().lines())
                .containsExactly(
                        file + ":4: authentication method \"gss\" is not supported",
                        file + ":11: invalid CIDR mask in address \"127.0.0.1/33\"");
        assertThat(run("serve", "--config", file)).isEqualTo(ExitCodes.FAILED);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            alice@shop   | 10.1.2.3 --tls    | 0 | :6: hostssl shop alice   | scram-sha-256 | a plain password is stored
            alice@shop   | 10.1.2.3          | 0 | :7: host shop all        | scram-sha-256 | under md5 it is the stored
            hashed@shop  | 10.1.2.3          | 0 | :7: host shop all        | md5           | an MD5 hash is stored
            service@shop | 10.1.2.3          | 0 | :7: host shop all        | pam           | the user has auth_pam_service
            nobody@shop  | 10.1.2.3          | 0 | :7: host shop all        | md5           | is not among the users
            alice@shop   | local             | 0 | :4: local all all peer   | peer          | the rule demands peer
            alice@shop   | 192.168.1.1       | 0 | :8: host all +staff      | trust         | nothing is asked
            hashed@shop  | 192.168.1.1       | 4 | none                     |               | it is not known which roles
            mallory@shop | 10.1.2.3 --tls    | 4 | :5: host all mallory     |               | FATAL 28000 pg_hba.conf rejects
            alice@shop   | 127.0.0.1         | 4 | :10: host all all        |               | FATAL 28000 pg_hba.conf rejects
            alice@shop   | ::1               | 4 | none                     |               | FATAL 28000 no pg_hba.conf entry
            alice@x      | 10.1.2.3 --replication | 0 | :9: host replication | trust        | nothing is asked
            alice@shop@x | 11.1.2.3          | 4 | :10: host all all        |               | user "alice@shop", database "x"
            """)
    void shouldSayWhatWouldHappenToAClient(String who, String from, int code, String rule, String method, String reason)
            throws Exception {
        var file = write(RULES);
        var arguments =
                Stream.concat(Stream.of("check", "--config", file, "--who", who, "--from"), Stream.of(from.split(" ")));

        assertThat(run(arguments.toArray(String[]::new))).as(out + "" + err).isEqualTo(code);
        assertThat(out.toString()).contains(rule).contains(reason);
        if (method != null) {
            assertThat(out.toString()).containsPattern("(?m)^method:  " + method + "$");
        } else {
            assertThat(out.toString()).doesNotContain("method:  ").contains("refused: FATAL ");
        }
        assertThat(out.toString()).doesNotContain("in-plain-text");
    }

    @Test
    void shouldSayWhatWouldHappenWithoutRules() throws Exception {
        var file = write(GOOD);

        assertThat(run("check", "--config", file, "--who", "alice@shop", "--from", "10.1.2.3"))
                .isZero();
        assertThat(out.toString().lines())
                .containsExactly(
                        "rule:    none",
                        "method:  scram-sha-256",
                        "because: there are no rules (general.pg_hba)",
                        "because: a plain password is stored");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "--who alice@shop",
                "--from local",
                "--who alice@shop --from localhost",
                "--who @shop --from local",
                "--who alice@ --from local",
                "--who alice@shop --from local --tls"
            })
    void shouldRefuseAClientThatIsNone(String options) throws Exception {
        var arguments = Stream.concat(Stream.of("check", "--config", write(GOOD)), Stream.of(options.split(" ")));

        assertThat(run(arguments.toArray(String[]::new))).isEqualTo(ExitCodes.USAGE);
    }

    @Test
    void shouldNotServeWithABadFile() throws Exception {
        var file = write(BAD);

        assertThat(run("serve", "--config", file)).isEqualTo(ExitCodes.FAILED);
        assertThat(err.toString()).contains(file + ":2: general.prot: ").hasLineCount(2);
        assertThat(out.toString()).isEmpty();
    }

    /// It has a way of its own, because it is quicker; nobody may notice.
    @ParameterizedTest
    @ValueSource(strings = {"--help", "--version", "", "--nonsense", "--config", "--config nowhere.yaml"})
    void shouldReadServeAloneAsItDoesAmongTheOtherCommands(String words) {
        // Given
        var arguments = words.isEmpty() ? new String[0] : words.split(" ", -1);
        var all = Stream.concat(Stream.of("serve"), Stream.of(arguments)).toArray(String[]::new);

        // When
        var code = run(all);
        var aloneOut = new StringWriter();
        var aloneErr = new StringWriter();
        var aloneCode = PgPorter.serveAlone()
                .setOut(new PrintWriter(aloneOut, true))
                .setErr(new PrintWriter(aloneErr, true))
                .execute(arguments);

        // Then
        assertThat(aloneCode).isEqualTo(code);
        assertThat(aloneOut).hasToString(out.toString());
        assertThat(aloneErr).hasToString(err.toString());
        assertThat(out.toString() + err).isNotEmpty().doesNotContain("--beside");
    }

    @Test
    void shouldNameAFileThatIsNotThere() {
        var file = directory.resolve("nowhere.yaml").toString();

        assertThat(run("check", "--config", file)).isEqualTo(ExitCodes.FAILED);
        assertThat(out.toString()).startsWith(file + ": ").hasLineCount(1);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "check", "serve", "chekc --config x", "demo --port 70000", "demo --io smoke", "--unknown"})
    void shouldAnswerAWrongCommandLineWithTwo(String line) {
        assertThat(run(line.isEmpty() ? new String[0] : line.split(" "))).isEqualTo(ExitCodes.USAGE);
        assertThat(err.toString()).containsPattern("Usage: pgporter|Did you mean: pgporter check");
    }

    @Test
    void shouldKnowItsVersion() {
        assertThat(run("--version")).isZero();
        assertThat(out.toString()).matches("(?s)PgPorter \\d+\\.\\d+\\.\\d+\\S*\\RJava .*");
    }

    @Test
    void shouldExplainItself() {
        assertThat(run("--help")).isZero();
        assertThat(out.toString()).contains("serve", "check", "demo");
        assertThat(run("demo", "--help")).isZero();
        assertThat(out.toString().replaceAll("\\s+", " ")).contains("auto, io_uring, epoll, kqueue, nio");
    }

    private int run(String... arguments) {
        return PgPorter.commandLine()
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true))
                .execute(arguments);
    }

    private String write(String content) throws Exception {
        return Files.writeString(directory.resolve("pgporter.yaml"), content).toString();
    }
}
