package org.pgporter.auth.credential;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.util.Arrays;
import java.util.Base64;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.pgporter.auth.Secret;

class StoredCredentialTest {
    private static final String KEY = Base64.getEncoder().encodeToString(filled(32, 7));
    private static final String SCRAM = "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$" + KEY + ":" + KEY;
    private static final String MD5 = "md53175bce1d3201d16594cebf9d7eb3f9d";

    @Test
    void shouldReadAScramSecretAndWriteItBack() {
        StoredCredential parsed = StoredCredential.parse(SCRAM);

        assertThat(parsed).isInstanceOfSatisfying(ScramSecret.class, secret -> {
            assertThat(secret.iterations()).isEqualTo(4096);
            assertThat(secret.salt()).isEqualTo(Base64.getDecoder().decode("W22ZaJ0SNY7soEsUEjb6gQ=="));
            assertThat(secret.storedKey()).isEqualTo(filled(32, 7));
            assertThat(secret.serverKey()).isEqualTo(filled(32, 7));
        });
        assertThat(parsed.format()).isEqualTo(SCRAM);
        assertThat(parsed).isEqualTo(StoredCredential.parse(SCRAM)).hasSameHashCodeAs(StoredCredential.parse(SCRAM));
    }

    @Test
    void shouldReadAnMd5SecretAndWriteItBack() {
        StoredCredential parsed = StoredCredential.parse(MD5);

        assertThat(parsed).isInstanceOf(Md5Secret.class).isEqualTo(StoredCredential.parse(MD5));
        assertThat(parsed.format()).isEqualTo(MD5);
    }

    @ParameterizedTest
    @ValueSource(strings = {"pencil", "MD5 upper case", "SCRAM", "scram-sha-256$1:a$b:c", " ", "m", "пароль"})
    void shouldTakeEverythingElseForAPlainPassword(String text) {
        assertThat(StoredCredential.parse(text)).isEqualTo(new PlainPassword(Secret.of(text)));
        assertThat(StoredCredential.parse(text).format()).isEqualTo(text);
    }

    @Test
    void shouldRefuseAnEmptyPassword() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> StoredCredential.parse(""))
                .withMessage("the password is empty");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ScramSecret.fromPassword(Secret.of(""), new byte[16], 1))
                .withMessage("the password is empty");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "md5",
                "md5isweak",
                "md53175bce1d3201d16594cebf9d7eb3f9",
                "md53175bce1d3201d16594cebf9d7eb3f9d0",
                "md53175BCE1D3201D16594CEBF9D7EB3F9D",
                "md53175bce1d3201d16594cebf9d7eb3f9g",
                "md53175bce1d3201d16594cebf9d7eb3f9d\n"
            })
    void shouldRefuseWhatBeginsLikeMd5AndIsNot(String text) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> StoredCredential.parse(text))
                .withMessage("malformed MD5 password: expected md5 and 32 lowercase hexadecimal digits"
                        + " (a plain password cannot begin with md5)");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SCRAM-",
                "SCRAM-SHA-1$4096:AAAA$KEY:KEY",
                "SCRAM-SHA-512$4096:AAAA$KEY:KEY",
                "SCRAM-SHA-256",
                "SCRAM-SHA-256$",
                "SCRAM-SHA-256$4096",
                "SCRAM-SHA-256$4096:AAAA",
                "SCRAM-SHA-256$4096:AAAA$KEY",
                "SCRAM-SHA-256$4096:AAAA$KEY:",
                "SCRAM-SHA-256$4096:AAAA$:KEY",
                "SCRAM-SHA-256$4096:$KEY:KEY",
                "SCRAM-SHA-256$:AAAA$KEY:KEY",
                "SCRAM-SHA-256$0:AAAA$KEY:KEY",
                "SCRAM-SHA-256$-1:AAAA$KEY:KEY",
                "SCRAM-SHA-256$2000001:AAAA$KEY:KEY",
                "SCRAM-SHA-256$2147483648:AAAA$KEY:KEY",
                "SCRAM-SHA-256$4294967297:AAAA$KEY:KEY",
                "SCRAM-SHA-256$99999999999999999999:AAAA$KEY:KEY",
                "SCRAM-SHA-256$4096:AAA$KEY:KEY",
                "SCRAM-SHA-256$4096:A*AA$KEY:KEY",
                "SCRAM-SHA-256$4096:AAAA$AAAA:KEY",
                "SCRAM-SHA-256$4096:AAAA$KEY:AAAA",
                "SCRAM-SHA-256$4096:AAAA$KEY:KEY:KEY",
                "SCRAM-SHA-256$4096:AAAA$KEY:KEY\n",
                "SCRAM-SHA-256$4096:AAAA$KEY:KEY "
            })
    void shouldRefuseMalformedScramSecretsWithoutShowingThem(String pattern) {
        String text = pattern.replace("KEY", KEY);

        Throwable thrown = catchThrowable(() -> StoredCredential.parse(text));

        assertThat(thrown).isInstanceOf(IllegalArgumentException.class).hasNoCause();
        assertThat(thrown).hasMessageStartingWith("malformed SCRAM secret: ");
        assertThat(thrown.getMessage()).doesNotContain(KEY).doesNotContain("AAAA");
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 8, 16, 32, 128, 1024})
    void shouldTakeSaltsUpToTheLimit(int length) {
        ScramSecret secret = new ScramSecret(1, filled(length, 1), filled(32, 2), filled(32, 3));

        assertThat(StoredCredential.parse(secret.format())).isEqualTo(secret);
    }

    @Test
    void shouldRefuseSaltsAboveTheLimit() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> new ScramSecret(1, filled(1025, 1), filled(32, 2), filled(32, 3)));
    }

    @Test
    void shouldTellSecretsApart() {
        ScramSecret secret = new ScramSecret(2, filled(4, 1), filled(32, 2), filled(32, 3));

        assertThat(secret).isNotEqualTo(new ScramSecret(1, filled(4, 1), filled(32, 2), filled(32, 3)));
        assertThat(secret).isNotEqualTo(new ScramSecret(2, filled(4, 9), filled(32, 2), filled(32, 3)));
        assertThat(secret).isNotEqualTo(new ScramSecret(2, filled(4, 1), filled(32, 9), filled(32, 3)));
        assertThat(secret).isNotEqualTo(new ScramSecret(2, filled(4, 1), filled(32, 2), filled(32, 9)));
    }

    @Test
    void shouldNotBeChangeableFromOutside() {
        byte[] salt = filled(4, 1);
        ScramSecret secret = new ScramSecret(1, salt, filled(32, 2), filled(32, 3));
        String before = secret.format();

        salt[0] = 9;
        secret.salt()[0] = 9;
        secret.storedKey()[0] = 9;
        secret.serverKey()[0] = 9;

        assertThat(secret.format()).isEqualTo(before);
    }

    @Test
    void shouldHideEverything() {
        assertThat(StoredCredential.parse(SCRAM)).hasToString("ScramSecret[***]");
        assertThat(StoredCredential.parse(MD5)).hasToString("Md5Secret[hash=Md5Hash[***]]");
        assertThat(StoredCredential.parse("pencil")).hasToString("PlainPassword[password=Secret[***]]");
    }

    @Test
    void shouldReadOrRefuseWhateverFollowsThePrefix() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        for (int i = 0; i < 20_000; i++) {
            char[] text = SCRAM.toCharArray();
            for (int changes = 1 + random.nextInt(3); changes > 0; changes--) {
                text[6 + random.nextInt(text.length - 6)] = (char) random.nextInt(0x100);
            }
            String mutated = new String(text);
            Throwable thrown = catchThrowable(() -> StoredCredential.parse(mutated));
            if (thrown != null) {
                assertThat(thrown).as("seed %d, round %d", seed, i).isInstanceOf(IllegalArgumentException.class);
            }
        }
    }

    private static byte[] filled(int length, int value) {
        byte[] bytes = new byte[length];
        Arrays.fill(bytes, (byte) value);
        return bytes;
    }
}
