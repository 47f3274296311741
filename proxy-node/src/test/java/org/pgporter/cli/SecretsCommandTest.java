package org.pgporter.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pgporter.auth.Secret;
import org.pgporter.config.Loaded;
import org.pgporter.config.ProxyConfigLoader;

class SecretsCommandTest {
    private static final String HIDDEN = "hunter2";

    @TempDir
    private Path folder = Path.of("");

    private final StringWriter said = new StringWriter();

    @BeforeEach
    void makeKeyAndConfiguration() throws IOException {
        assertThat(run("", "new-key", path("key"))).isZero();
        Files.writeString(folder.resolve("pgporter.yaml"), """
                general: {secrets_file: its.secrets, secrets_key_file: key}
                pools:
                  app:
                    users: [{username: app, password: "${secret:app}"}]
                """);
    }

    @Test
    void shouldPutIntoAConfigurationWhatItWasGiven() throws IOException {
        assertThat(run(HIDDEN + "\n", "set", "-c", path("pgporter.yaml"), "app"))
                .isZero();
        assertThat(run("other", "set", "-c", path("pgporter.yaml"), "zebra")).isZero();

        assertThat(ProxyConfigLoader.load(folder.resolve("pgporter.yaml")))
                .isInstanceOfSatisfying(
                        Loaded.Valid.class,
                        valid -> assertThat(valid.config()
                                        .settings("app", "app")
                                        .orElseThrow()
                                        .serverPassword())
                                .contains(Secret.of(HIDDEN)));
        assertThat(run("", "get-names", "-c", path("pgporter.yaml"))).isZero();
        assertThat(said.toString().lines()).containsExactly("app", "zebra");
    }

    @Test
    void shouldKeepItsFilesToTheirOwner() throws IOException {
        run(HIDDEN, "set", "-c", path("pgporter.yaml"), "app");
        run(HIDDEN, "set", "-c", path("pgporter.yaml"), "app");

        for (String file : List.of("key", "its.secrets")) {
            assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(folder.resolve(file))))
                    .isEqualTo("rw-------");
        }
        try (var files = Files.list(folder)) {
            assertThat(files.map(file -> file.getFileName().toString()))
                    .containsExactlyInAnyOrder("key", "its.secrets", "pgporter.yaml");
        }
    }

    @Test
    void shouldForgetASecret() {
        String[] place = {"--secrets-file", path("its.secrets"), "--key-file", path("key")};
        run(HIDDEN, "set", place[0], place[1], place[2], place[3], "one");
        assertThat(run("", "remove", place[0], place[1], place[2], place[3], "one"))
                .isZero();
        assertThat(run("", "remove", place[0], place[1], place[2], place[3], "one"))
                .isEqualTo(ExitCodes.FAILED);
        assertThat(said.toString()).contains("there is no secret one");
    }

    @Test
    void shouldChangeTheKey() {
        run(HIDDEN, "set", "-c", path("pgporter.yaml"), "app");
        run("", "new-key", path("key2"));
        assertThat(run("", "rekey", "-c", path("pgporter.yaml"), "--new-key-file", path("key2")))
                .isZero();

        assertThat(run("", "get-names", "-c", path("pgporter.yaml"))).isEqualTo(ExitCodes.FAILED);
        assertThat(said.toString()).contains("made with another key");
        assertThat(run("", "get-names", "-c", path("pgporter.yaml"), "--key-file", path("key2")))
                .isZero();
        assertThat(said.toString()).contains("app");
    }

    @Test
    void shouldNeverPutAKeyInPlaceOfAnother() throws IOException {
        String key = Files.readString(folder.resolve("key"));
        assertThat(run("", "new-key", path("key"))).isEqualTo(ExitCodes.FAILED);
        assertThat(Files.readString(folder.resolve("key"))).isEqualTo(key);
    }

    @Test
    void shouldRefuseWhatCannotBeASecret() {
        assertThat(run("", "set", "-c", path("pgporter.yaml"), "app")).isEqualTo(ExitCodes.FAILED);
        assertThat(run("\n", "set", "-c", path("pgporter.yaml"), "app")).isEqualTo(ExitCodes.FAILED);
        assertThat(run("x".repeat(65_537), "set", "-c", path("pgporter.yaml"), "app"))
                .isEqualTo(ExitCodes.FAILED);
        assertThat(run(HIDDEN, "set", "-c", path("pgporter.yaml"), "a}b")).isEqualTo(ExitCodes.USAGE);
        assertThat(run(HIDDEN, "set", "app")).isEqualTo(ExitCodes.USAGE);
        assertThat(run("")).isEqualTo(ExitCodes.USAGE);
        assertThat(folder.resolve("its.secrets")).doesNotExist();
    }

    /// Whatever happens, no value is shown.
    private int run(String input, String... arguments) {
        InputStream before = System.in;
        System.setIn(new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8)));
        try {
            said.getBuffer().setLength(0);
            var all = new java.util.ArrayList<>(List.of("secrets"));
            all.addAll(List.of(arguments));
            int code = PgPorter.commandLine()
                    .setOut(new PrintWriter(said))
                    .setErr(new PrintWriter(said))
                    .execute(all.toArray(String[]::new));
            assertThat(said.toString()).doesNotContain(HIDDEN);
            return code;
        } finally {
            System.setIn(before);
        }
    }

    private String path(String name) {
        return folder.resolve(name).toString();
    }
}
