package org.pgporter.auth.credential;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.Arrays;
import java.util.Random;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.pgporter.auth.Secret;

class SaltedPasswordsTest {
    private static final byte[] SALT = {1, 2, 3, 4, 5, 6, 7, 8};

    @ParameterizedTest
    @ValueSource(strings = {"pencil", "пароль", "\uD83D\uDD11key", "x\u0007y", "\u0627\u0031"})
    void shouldIterateHmacOverUtf8(String password) throws GeneralSecurityException {
        assertThat(SaltedPasswords.derive(Secret.of(password), SALT, 3)).isEqualTo(hi(password, 3));
    }

    @ParameterizedTest
    @CsvSource({"I\u00ADX,IX", "\u2168,IX", "\u00AA,a", "a\u00A0b,a b"})
    void shouldNormalizeFirst(String password, String normalized) throws GeneralSecurityException {
        assertThat(SaslPrep.prepare(password)).isEqualTo(normalized);
        assertThat(SaltedPasswords.derive(Secret.of(password), SALT, 1)).isEqualTo(hi(normalized, 1));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "plain",
                "ascii\u0007control",
                "\u00E9\u0007", // forbidden: a control character
                "\u0627\u0031", // forbidden: right-to-left that does not end so
                "\u00AD", // nothing would be left
                "\uD800", // half a surrogate pair
                "\u0221" // not assigned in Unicode 3.2
            })
    void shouldKeepWhatCannotBeNormalized(String password) {
        assertThat(SaslPrep.prepare(password)).isEqualTo(password);
    }

    @Test
    void shouldPrepareAnyTextWithoutThrowing() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        for (int i = 0; i < 20_000; i++) {
            char[] text = new char[1 + random.nextInt(6)];
            for (int j = 0; j < text.length; j++) {
                text[j] = (char) random.nextInt(random.nextBoolean() ? 0x800 : 0x10000);
            }
            try {
                assertThat(SaslPrep.prepare(new String(text))).isNotEmpty();
            } catch (RuntimeException e) {
                throw new AssertionError("seed " + seed + ", round " + i, e);
            }
        }
    }

    @Test
    void shouldRefuseWhatIsOutOfBounds() {
        Secret password = Secret.of("pencil");

        assertThatIllegalArgumentException().isThrownBy(() -> SaltedPasswords.derive(password, SALT, 0));
        assertThatIllegalArgumentException().isThrownBy(() -> SaltedPasswords.derive(password, SALT, -1));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> SaltedPasswords.derive(password, SALT, ScramLimits.MAX_ITERATIONS + 1));
        assertThatIllegalArgumentException().isThrownBy(() -> SaltedPasswords.derive(password, new byte[0], 1));
        assertThatIllegalArgumentException().isThrownBy(() -> SaltedPasswords.derive(password, new byte[1025], 1));
    }

    /// `Hi` of RFC 5802, written out.
    private static byte[] hi(String password, int iterations) throws GeneralSecurityException {
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(password.getBytes(StandardCharsets.UTF_8), "HmacSHA256"));
        byte[] first = Arrays.copyOf(SALT, SALT.length + 4);
        first[SALT.length + 3] = 1;
        byte[] u = mac.doFinal(first);
        byte[] result = u.clone();
        for (int i = 1; i < iterations; i++) {
            u = mac.doFinal(u);
            for (int j = 0; j < result.length; j++) {
                result[j] ^= u[j];
            }
        }
        return result;
    }
}
