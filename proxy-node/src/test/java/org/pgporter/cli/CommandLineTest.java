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
