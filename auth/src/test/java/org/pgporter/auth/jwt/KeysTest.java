package org.pgporter.auth.jwt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.EdECPublicKey;
import java.security.interfaces.RSAPublicKey;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Keys in files and in the sets of issuers.
class KeysTest {
    private static final String RSA = rsa(TestTokens.RSA.getPublic(), "rsa");

    private static String rsa(java.security.PublicKey key, String name) {
        RSAPublicKey rsa = (RSAPublicKey) key;
        return "{\"kty\":\"RSA\",\"kid\":\"" + name + "\",\"n\":\"" + number(rsa.getModulus(), 0) + "\",\"e\":\""
                + number(rsa.getPublicExponent(), 0) + "\"}";
    }

    private static String number(BigInteger value, int length) {
        byte[] bytes = value.toByteArray();
        int skip = bytes[0] == 0 && bytes.length > 1 ? 1 : 0;
        int size = Math.max(length, bytes.length - skip);
        byte[] padded = new byte[size];
        System.arraycopy(bytes, skip, padded, size - bytes.length + skip, bytes.length - skip);
        return TestTokens.base64(padded);
    }

    private static String curve(String name, ECPublicKey key) {
        int length = (TestTokens.bits(key) + 7) / 8;
        return "{\"kty\":\"EC\",\"crv\":\"" + name + "\",\"x\":\""
                + number(key.getW().getAffineX(), length) + "\",\"y\":\""
                + number(key.getW().getAffineY(), length) + "\"}";
    }

    private static KeySet set(String... keys) throws Json.Malformed {
        return JwkSets.parse(("{\"keys\":[" + String.join(",", keys) + "]}").getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void shouldReadTheKeysOfAnIssuer() throws Json.Malformed {
        EdECPublicKey edwards = (EdECPublicKey) TestTokens.ED25519.getPublic();
        byte[] point = new byte[32];
        byte[] y = edwards.getPoint().getY().toByteArray();
        for (int i = 0; i < y.length && i < 32; i++) {
            point[i] = y[y.length - 1 - i];
        }
        if (edwards.getPoint().isXOdd()) {
            point[31] |= (byte) 0x80;
        }
        String okp = "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"ed\",\"x\":\"" + TestTokens.base64(point) + "\"}";
        KeySet set = set(
                RSA,
                curve("P-256", (ECPublicKey) TestTokens.P256.getPublic()),
                curve("P-384", (ECPublicKey) TestTokens.P384.getPublic()),
                okp);
        assertThat(set.keys())
                .extracting(VerificationKey::key)
                .containsExactly(
                        TestTokens.RSA.getPublic(),
                        TestTokens.P256.getPublic(),
                        TestTokens.P384.getPublic(),
                        TestTokens.ED25519.getPublic());
        assertThat(set.keys().getFirst().keyId()).hasValue("rsa");
    }

    /// One key that cannot be used must not lock out everybody else.
    @Test
    void shouldLeaveOutKeysThatAreNotForThis() throws Json.Malformed {
        String x = number(((ECPublicKey) TestTokens.P256.getPublic()).getW().getAffineX(), 32);
        KeySet set = set(
                "{\"kty\":\"oct\",\"k\":\"c2VjcmV0\",\"kid\":\"shared\"}",
                RSA.replace("{", "{\"use\":\"enc\","),
                RSA.replace("{", "{\"key_ops\":[\"encrypt\"],"),
                RSA.replace("{", "{\"alg\":\"RSA-OAEP\","),
                RSA.replace("{", "{\"alg\":\"ES256\","),
                rsa(TestTokens.rsa(1024).getPublic(), "short"),
                "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" + x + "\",\"y\":\"" + x + "\"}",
                "{\"kty\":\"OKP\",\"crv\":\"Ed448\",\"x\":\"AAAA\"}",
                "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAA\"}",
                "{\"kty\":\"MARS\"}",
                "{}",
                "7",
                RSA);
        assertThat(set.keys()).hasSize(1);
    }

    @Test
    void shouldBindAKeyToTheAlgorithmItNames() throws Json.Malformed {
        KeySet set = set(RSA.replace("{", "{\"alg\":\"PS256\","));
        assertThat(set.candidates(Optional.of("rsa"), TokenAlgorithm.PS256)).hasSize(1);
        assertThat(set.candidates(Optional.of("rsa"), TokenAlgorithm.RS256)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "[]", "{}", "{\"keys\":{}}", "{\"keys\":[]}x", "{\"keys\":[],\"keys\":[]}", "<html>"})
    void shouldRefuseWhatIsNoSet(String text) {
        assertThatThrownBy(() -> JwkSets.parse(text.getBytes(StandardCharsets.UTF_8)))
                .isInstanceOf(Json.Malformed.class);
    }

    @Test
    void shouldRefuseASetWithoutEnd() {
        assertThatThrownBy(() -> set(java.util.Collections.nCopies(JwkSets.MOST_KEYS + 1, "{}")
                        .toArray(String[]::new)))
                .isInstanceOf(Json.Malformed.class);
    }

    @Test
    void shouldReadKeysOfFiles() {
        for (var pair : List.of(TestTokens.RSA, TestTokens.P256, TestTokens.P384, TestTokens.ED25519)) {
            assertThat(PublicKeys.fromPem("# ours\n" + TestTokens.pem(pair.getPublic())))
                    .extracting(VerificationKey::key)
                    .containsExactly(pair.getPublic());
        }
    }

    @Test
    void shouldReadTheOldFormOfRsaKeys() {
        byte[] whole = TestTokens.RSA.getPublic().getEncoded();
        byte[] bare = java.util.Arrays.copyOfRange(whole, 24, whole.length); // what the bit string holds
        assertThat(PublicKeys.fromPem("-----BEGIN RSA PUBLIC KEY-----\n"
                        + Base64.getMimeEncoder().encodeToString(bare) + "\n-----END RSA PUBLIC KEY-----"))
                .extracting(VerificationKey::key)
                .containsExactly(TestTokens.RSA.getPublic());
    }

    @Test
    void shouldSayWhatIsWrongWithAFile() {
        assertWrong("nothing", "no public key");
        assertWrong("-----BEGIN PUBLIC KEY-----\n!!\n-----END PUBLIC KEY-----", "not base64");
        assertWrong("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", "neither RSA nor EC");
        assertWrong("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", "private key");
        assertWrong("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "certificate");
        assertWrong(TestTokens.pem(TestTokens.rsa(1024).getPublic()), "2048");
    }

    private static void assertWrong(String pem, String words) {
        assertThatThrownBy(() -> PublicKeys.fromPem(pem))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(words);
    }
}
