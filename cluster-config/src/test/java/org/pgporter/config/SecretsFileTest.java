package org.pgporter.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Base64;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pgporter.auth.Secret;

class SecretsFileTest {
    private static final SecureRandom RANDOM = new SecureRandom();
    private static final byte[] KEY = new byte[SecretsFile.KEY_LENGTH];
    private static final SecretsFile SECRETS = SecretsFile.empty()
            .with("app", Secret.of("pässword of app"))
            .with("reader.v2", Secret.of("line one\nline two"));

    @TempDir
    private Path folder = Path.of("");

    // ---- the file

    @Test
    void shouldGiveBackWhatWasPutIn() throws Exception {
        SecretsFile opened = SecretsFile.open(SECRETS.seal(KEY, RANDOM), KEY);

        assertThat(opened.names()).containsExactly("app", "reader.v2");
        assertThat(opened.get("app")).contains(Secret.of("pässword of app"));
        assertThat(opened.get("reader.v2")).contains(Secret.of("line one\nline two"));
        assertThat(opened.get("other")).isEmpty();
        assertThat(opened.without("app").names()).containsExactly("reader.v2");
    }

    @Test
    void shouldShowNothingAndNeverWriteTheSameTwice() {
        byte[] one = SECRETS.seal(KEY, RANDOM);

        assertThat(new String(one, StandardCharsets.ISO_8859_1))
                .startsWith("pgporter-secrets 1\n")
                .doesNotContain("app", "reader");
        assertThat(Base64.getMimeDecoder().decode(Arrays.copyOfRange(one, 19, one.length)))
                .isNotEqualTo(
                        Base64.getMimeDecoder().decode(Arrays.copyOfRange(SECRETS.seal(KEY, RANDOM), 19, one.length)));
        assertThat(SECRETS.toString()).doesNotContain("pässword");
    }

    @Test
    void shouldNoticeEveryChange() {
        byte[] sealed = SECRETS.seal(KEY, RANDOM);
        String text = new String(sealed, StandardCharsets.ISO_8859_1);
        byte[] body = Base64.getMimeDecoder().decode(text.substring(19));
        for (int i = 0; i < body.length; i++) {
            byte[] changed = body.clone();
            changed[i] ^= 1;
            assertUnreadable(
                    ("pgporter-secrets 1\n" + Base64.getEncoder().encodeToString(changed))
                            .getBytes(StandardCharsets.ISO_8859_1),
                    KEY,
                    "made with another key, or has been changed");
        }
        assertUnreadable(
                ("pgporter-secrets 1\n" + Base64.getEncoder().encodeToString(Arrays.copyOf(body, body.length - 1)))
                        .getBytes(StandardCharsets.ISO_8859_1),
                KEY,
                "has been changed");
    }

    @Test
    void shouldOpenToItsOwnKeyOnly() {
        byte[] other = KEY.clone();
        other[31] = 1;
        assertUnreadable(SECRETS.seal(KEY, RANDOM), other, "made with another key");
    }

    @Test
    void shouldKnowItsVersion() {
        String text = new String(SECRETS.seal(KEY, RANDOM), StandardCharsets.ISO_8859_1);
        assertUnreadable(text.replace(" 1\n", " 2\n").getBytes(StandardCharsets.ISO_8859_1), KEY, "version");
        assertUnreadable("app: password".getBytes(StandardCharsets.ISO_8859_1), KEY, "no file of secrets");
        assertUnreadable(new byte[0], KEY, "no file of secrets");
        assertUnreadable("pgporter-secrets 1\nAAAA\n".getBytes(StandardCharsets.ISO_8859_1), KEY, "damaged");
    }

    @Test
    void shouldTakeKeysOfOneLengthOnly() throws Exception {
        String key = SecretsFile.newKey(RANDOM);
        assertThat(SecretsFile.key(key + "\n")).hasSize(32);
        for (String wrong : new String[] {"", "short", key + "AAAA", "!" + key.substring(1)}) {
            assertThatThrownBy(() -> SecretsFile.key(wrong))
                    .isInstanceOf(SecretsFile.Unreadable.class)
                    .hasMessage("is no key: expected 32 bytes in Base64");
        }
    }

    @Test
    void shouldBoundNamesAndValues() {
        for (String name : new String[] {"", ".x", "a b", "a}", "ä", "a".repeat(129)}) {
            assertThatIllegalArgumentException().isThrownBy(() -> SECRETS.with(name, Secret.of("x")));
        }
        assertThatIllegalArgumentException().isThrownBy(() -> SECRETS.with("x", Secret.of("")));
        assertThatIllegalArgumentException().isThrownBy(() -> SECRETS.with("x", Secret.of("y".repeat(65_537))));
        assertThat(SECRETS.with("x", Secret.of("y".repeat(65_536))).names()).contains("x");
    }

    private static void assertUnreadable(byte[] content, byte[] key, String reason) {
        assertThatThrownBy(() -> SecretsFile.open(content, key))
                .isInstanceOf(SecretsFile.Unreadable.class)
                .hasMessageContaining(reason);
    }

    // ---- in a configuration

    @Test
    void shouldStandForValuesOfTheConfiguration() throws IOException {
        String key = Base64.getEncoder().encodeToString(KEY);
        Files.write(folder.resolve("its.secrets"), SECRETS.seal(KEY, RANDOM));
        Files.writeString(folder.resolve("its.key"), key + "\n");

        for (String general : new String[] {
            "{secrets_file: its.secrets, secrets_key_file: its.key}", "{secrets_file: '${env:WHERE}/its.secrets'}",
        }) {
            Loaded loaded =
                    load(general, Map.of("PGPORTER_SECRETS_KEY", key, "WHERE", folder.toString()), "${secret:app}");
            assertThat(loaded)
                    .isInstanceOfSatisfying(
                            Loaded.Valid.class,
                            valid -> assertThat(valid.config()
                                            .settings("app", "alice")
                                            .orElseThrow()
                                            .serverPassword())
                                    .contains(Secret.of("pässword of app")));
        }
    }

    @Test
    void shouldSayWhatIsMissing() throws IOException {
        Files.write(folder.resolve("its.secrets"), SECRETS.seal(KEY, RANDOM));
        Files.writeString(folder.resolve("wrong.key"), SecretsFile.newKey(RANDOM));
        String key = Base64.getEncoder().encodeToString(KEY);

        assertThat(problem("{}", Map.of())).contains("needs general.secrets_file, which is not there");
        assertThat(problem("{secrets_file: its.secrets}", Map.of())).contains("there is no key");
        assertThat(problem("{secrets_file: none.secrets}", Map.of("PGPORTER_SECRETS_KEY", key)))
                .contains("none.secrets does not exist");
        assertThat(problem("{secrets_file: its.secrets, secrets_key_file: none.key}", Map.of()))
                .contains("none.key does not exist");
        assertThat(problem("{secrets_file: its.secrets, secrets_key_file: wrong.key}", Map.of()))
                .contains("made with another key");
        assertThat(problem("{secrets_file: its.secrets}", Map.of("PGPORTER_SECRETS_KEY", "hunter2")))
                .contains("PGPORTER_SECRETS_KEY is no key")
                .doesNotContain("hunter2");
        assertThat(problem("{secrets_key_file: wrong.key}", Map.of())).contains("secrets_key_file");
        assertThat(String.valueOf(
                        load("{secrets_file: its.secrets}", Map.of("PGPORTER_SECRETS_KEY", key), "${secret:nobody}")))
                .contains("needs the secret nobody");
    }

    private String problem(String general, Map<String, String> environment) {
        return String.valueOf(load(general, environment, "${secret:app}"));
    }

    private Loaded load(String general, Map<String, String> environment, String password) {
        return ProxyConfigLoader.parse(
                "general: " + general + "\npools: {app: {users: [{username: alice, password: \"" + password
                        + "\"}]}}\n",
                folder.resolve("pgporter.yaml").toString(),
                name -> Optional.ofNullable(environment.get(name)));
    }
}
