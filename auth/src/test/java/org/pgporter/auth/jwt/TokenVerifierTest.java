package org.pgporter.auth.jwt;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.pgporter.auth.Secret;

class TokenVerifierTest {
    private static final String ISSUER = "https://issuer.example/realm";
    private static final Instant NOW = Instant.parse("2026-11-26T10:00:00Z");
    private static final Duration LEEWAY = Duration.ofSeconds(30);
    private static final TokenPolicy POLICY = new TokenPolicy(
            Optional.of(ISSUER),
            List.of("pgporter"),
            List.of(),
            List.of(),
            EnumSet.allOf(TokenAlgorithm.class),
            false,
            LEEWAY,
            Optional.empty(),
            TokenPolicy.DEFAULT_MAX_LENGTH);

    private final AtomicReference<Instant> now = new AtomicReference<>(NOW);
    private final AtomicInteger checked = new AtomicInteger();
    private KeySet keys = new KeySet(List.of(
            VerificationKey.unnamed(TestTokens.RSA.getPublic()).named("rsa"),
            VerificationKey.unnamed(TestTokens.P256.getPublic()).named("p256"),
            VerificationKey.unnamed(TestTokens.P384.getPublic()).named("p384"),
            VerificationKey.unnamed(TestTokens.ED25519.getPublic()).named("ed")));

    private static String keyId(String algorithm) {
        return switch (algorithm) {
            case "ES256" -> "p256";
            case "ES384" -> "p384";
            case "EdDSA" -> "ed";
            default -> "rsa";
        };
    }

    private static Map<String, Object> claims() {
        Map<String, Object> claims = new LinkedHashMap<>();
        claims.put("iss", ISSUER);
        claims.put("aud", "pgporter");
        claims.put("sub", "alice");
        claims.put("iat", NOW.getEpochSecond());
        claims.put("exp", NOW.getEpochSecond() + 300);
        return claims;
    }

    private static Map<String, Object> claims(String name, Object value) {
        Map<String, Object> claims = claims();
        claims.put(name, value);
        return claims;
    }

    private static String token(Map<String, Object> claims) {
        return TestTokens.signed(header("RS256", "rsa"), TestTokens.json(claims), "RS256", TestTokens.RSA);
    }

    private static String header(String algorithm, String keyId) {
        return "{\"alg\":\"" + algorithm + "\",\"kid\":\"" + keyId + "\"}";
    }

    private TokenVerifier verifier(TokenPolicy policy) {
        return new TokenVerifier(
                policy,
                (keyId, algorithm) -> CompletableFuture.completedStage(TokenKeys.answer(keys, keyId, algorithm)),
                task -> {
                    checked.incrementAndGet();
                    task.run();
                },
                now::get);
    }

    private TokenVerdict verdict(String token) {
        return verdict(POLICY, token);
    }

    private TokenVerdict verdict(TokenPolicy policy, String token) {
        return verifier(policy).verify(Secret.of(token)).toCompletableFuture().join();
    }

    private void assertAccepted(String token) {
        assertThat(verdict(token)).isInstanceOf(TokenVerdict.Accepted.class);
    }

    private void assertRefused(String token, String reason) {
        assertThat(verdict(token))
                .isInstanceOfSatisfying(
                        TokenVerdict.Refused.class,
                        refused -> assertThat(refused.reason()).contains(reason));
    }

    // ---- algorithms and keys

    @ParameterizedTest
    @EnumSource(TokenAlgorithm.class)
    void shouldAcceptEachAlgorithmWithItsKindOfKey(TokenAlgorithm algorithm) {
        String word = algorithm.toString();
        String token =
                TestTokens.signed(header(word, keyId(word)), TestTokens.json(claims()), word, TestTokens.keyFor(word));
        assertThat(verdict(token)).isInstanceOfSatisfying(TokenVerdict.Accepted.class, accepted -> {
            assertThat(accepted.claims().text("sub")).hasValue("alice");
            assertThat(accepted.expires()).isEqualTo(NOW.plusSeconds(300));
        });
    }

    @ParameterizedTest
    @EnumSource(TokenAlgorithm.class)
    void shouldRefuseEachAlgorithmThatIsNotAllowed(TokenAlgorithm algorithm) {
        String word = algorithm.toString();
        String token =
                TestTokens.signed(header(word, keyId(word)), TestTokens.json(claims()), word, TestTokens.keyFor(word));
        EnumSet<TokenAlgorithm> others = EnumSet.complementOf(EnumSet.of(algorithm));
        TokenPolicy policy = new TokenPolicy(
                POLICY.issuer(),
                POLICY.audiences(),
                List.of(),
                List.of(),
                others,
                false,
                LEEWAY,
                Optional.empty(),
                POLICY.maxLength());
        assertThat(verdict(policy, token))
                .isInstanceOfSatisfying(
                        TokenVerdict.Refused.class,
                        refused -> assertThat(refused.reason()).contains("not allowed"));
    }

    @ParameterizedTest
    @CsvSource({"ES256, rsa", "RS256, p256", "EdDSA, rsa", "ES384, p256", "ES256, p384", "PS256, ed"})
    void shouldNotTakeAKeyOfAnotherKind(String algorithm, String keyId) {
        String token = TestTokens.signed(
                header(algorithm, keyId), TestTokens.json(claims()), algorithm, TestTokens.keyFor(algorithm));
        assertRefused(token, "unknown key");
    }

    @ParameterizedTest
    @ValueSource(strings = {"none", "None", "NONE", "nOnE", "", "HS256", "HS384", "HS512", "rs256", "ES256K", "dir"})
    void shouldNotKnowOtherAlgorithms(String algorithm) {
        String header = header(algorithm, "rsa");
        String unsigned = TestTokens.encoded(header) + "." + TestTokens.encoded(TestTokens.json(claims())) + ".";
        assertRefused(unsigned, "algorithm");
        assertRefused(unsigned + "AAAA", "algorithm");
        assertRefused(TestTokens.signed(header, TestTokens.json(claims()), "RS256", TestTokens.RSA), "algorithm");
    }

    /// The oldest trick: the public key is not secret, so it must not be taken for one.
    @Test
    void shouldNotTakeThePublicKeyForASharedSecret() {
        byte[] encoded = TestTokens.RSA.getPublic().getEncoded();
        byte[] pem = TestTokens.pem(TestTokens.RSA.getPublic()).getBytes(StandardCharsets.US_ASCII);
        for (byte[] secret : List.of(encoded, pem)) {
            assertRefused(TestTokens.macked(header("HS256", "rsa"), TestTokens.json(claims()), secret), "algorithm");
            assertRefused(TestTokens.macked(header("RS256", "rsa"), TestTokens.json(claims()), secret), "signature");
        }
    }

    @Test
    void shouldRefuseAnEmptyEllipticSignature() { // CVE-2022-21449
        String signed =
                TestTokens.encoded(header("ES256", "p256")) + "." + TestTokens.encoded(TestTokens.json(claims()));
        assertRefused(signed + "." + TestTokens.base64(new byte[64]), "signature");
    }

    @Test
    void shouldRefuseWhatSomebodyElseHasSigned() {
        assertRefused(
                TestTokens.signed(header("RS256", "rsa"), TestTokens.json(claims()), "RS256", TestTokens.OTHER_RSA),
                "signature");
        assertRefused(
                TestTokens.signed(header("RS256", "other"), TestTokens.json(claims()), "RS256", TestTokens.OTHER_RSA),
                "unknown key");
    }

    @Test
    void shouldRefuseEveryTokenThatWasTouched() {
        String token = token(claims());
        assertAccepted(token);
        List<Integer> untouched = new ArrayList<>();
        for (int i = 0; i < token.length(); i++) {
            char other = token.charAt(i) == 'A' ? 'B' : 'A';
            String touched = token.substring(0, i) + other + token.substring(i + 1);
            if (!(verdict(touched) instanceof TokenVerdict.Refused)) {
                untouched.add(i);
            }
        }
        assertThat(untouched).as("places that may be changed").isEmpty();
    }

    @Test
    void shouldTakeATokenWithoutKeyIdOnlyWhereOneKeyFits() {
        String token = TestTokens.signed("{\"alg\":\"RS256\"}", TestTokens.json(claims()), "RS256", TestTokens.RSA);
        assertAccepted(token);
        keys = new KeySet(List.of(
                VerificationKey.unnamed(TestTokens.RSA.getPublic()).named("one"),
                VerificationKey.unnamed(TestTokens.OTHER_RSA.getPublic()).named("two")));
        assertRefused(token, "unknown key");
    }

    @Test
    void shouldTryTheKeysOfAFileOneAfterTheOther() {
        keys = new KeySet(PublicKeys.fromPem(TestTokens.pem(TestTokens.OTHER_RSA.getPublic())
                + TestTokens.pem(TestTokens.P256.getPublic())
                + TestTokens.pem(TestTokens.RSA.getPublic())));
        assertAccepted(token(claims()));
    }

    @Test
    void shouldDemandAKeyIdWhereThePolicyDoes() {
        TokenPolicy talos = TokenPolicy.ofKey(EnumSet.of(TokenAlgorithm.RS256), true, Duration.ZERO);
        assertThat(verdict(
                        talos,
                        TestTokens.signed("{\"alg\":\"RS256\"}", TestTokens.json(claims()), "RS256", TestTokens.RSA)))
                .isInstanceOf(TokenVerdict.Refused.class);
        assertThat(verdict(talos, token(claims()))).isInstanceOf(TokenVerdict.Accepted.class);
    }

    // ---- the header

    @ParameterizedTest
    @ValueSource(
            strings = {
                "\"crit\":[\"exp\"]",
                "\"jku\":\"https://evil.example/jwks\"",
                "\"x5u\":\"https://evil.example/cert\"",
                "\"x5c\":[\"MIIB\"]",
                "\"jwk\":{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}",
                "\"b64\":false",
                "\"zip\":\"DEF\"",
                "\"enc\":\"A256GCM\"",
                "\"kid\":\"rsa\",\"kid\":\"rsa\"",
                "\"alg\":\"none\"",
                "\"typ\":\"logout+jwt\"",
                "\"typ\":3",
                "\"kid\":7",
                "\"kid\":\"\""
            })
    void shouldRefuseWhatAHeaderMustNotHave(String member) {
        String token = TestTokens.signed(
                "{\"alg\":\"RS256\"," + member + "}", TestTokens.json(claims()), "RS256", TestTokens.RSA);
        assertThat(verdict(token)).isInstanceOf(TokenVerdict.Refused.class);
    }

    @Test
    void shouldRefuseANameThatStandsTwiceAmongTheClaims() {
        String claims = TestTokens.json(claims()).replaceFirst("}$", ",\"sub\":\"root\"}");
        assertRefused(TestTokens.signed(header("RS256", "rsa"), claims, "RS256", TestTokens.RSA), "twice");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "x", "a.b", "a.b.c.d", "..", "a..c", "e30.e30.", "e30=.e30.AA", "e30.e30 .AA"})
    void shouldRefuseWhatIsNoToken(String text) {
        assertThat(verdict(text)).isInstanceOf(TokenVerdict.Refused.class);
    }

    @Test
    void shouldRefuseATokenThatIsTooLong() {
        String token = token(claims("filler", "x".repeat(TokenPolicy.DEFAULT_MAX_LENGTH)));
        assertRefused(token, "longer than 16384");
        assertThat(checked.get()).isEqualTo(1);
    }

    // ---- the claims

    @Test
    void shouldRefuseAnotherIssuer() {
        assertRefused(token(claims("iss", ISSUER + "/")), "another issuer");
        assertRefused(token(claims("iss", ISSUER.toUpperCase(java.util.Locale.ROOT))), "another issuer");
        assertRefused(token(claims("iss", List.of("\"" + ISSUER + "\""))), "another issuer");
        Map<String, Object> without = claims();
        without.remove("iss");
        assertRefused(token(without), "another issuer");
    }

    @Test
    void shouldRefuseATokenWithoutAudience() {
        Map<String, Object> without = claims();
        without.remove("aud");
        assertRefused(token(without), "no `aud`");
    }

    @Test
    void shouldRefuseATokenForSomebodyElse() {
        assertRefused(token(claims("aud", "shop")), "somebody else");
        assertRefused(token(claims("aud", List.of())), "somebody else");
        assertRefused(token(claims("aud", List.of("\"shop\"", 7))), "somebody else");
        assertRefused(token(claims("aud", 7)), "somebody else");
        assertRefused(token(claims("aud", "pgporter ")), "somebody else");
        assertAccepted(token(claims("aud", List.of("\"shop\"", "\"pgporter\""))));
    }

    @Test
    void shouldRefuseAnExpiredToken() {
        String token = token(claims());
        now.set(NOW.plusSeconds(329));
        assertAccepted(token);
        now.set(NOW.plusSeconds(330));
        assertRefused(token, "expired");
    }

    @ParameterizedTest
    @ValueSource(strings = {"\"1\"", "null", "-1", "1e400", "true", "253402300800", "[]"})
    void shouldRefuseWhatIsNoDate(String value) {
        for (String name : List.of("exp", "nbf", "iat")) {
            Map<String, Object> claims = claims(name, "@");
            String json = TestTokens.json(claims).replace("\"@\"", value);
            assertThat(verdict(TestTokens.signed(header("RS256", "rsa"), json, "RS256", TestTokens.RSA)))
                    .as(name + " " + value)
                    .isInstanceOf(TokenVerdict.Refused.class);
        }
    }

    @Test
    void shouldRefuseATokenThatNeverExpires() {
        Map<String, Object> without = claims();
        without.remove("exp");
        assertRefused(token(without), "no `exp`");
    }

    @Test
    void shouldRefuseATokenOfTheFuture() {
        assertAccepted(token(claims("nbf", NOW.getEpochSecond() + 30)));
        assertRefused(token(claims("nbf", NOW.getEpochSecond() + 31)), "not valid yet");
        assertAccepted(token(claims("iat", NOW.getEpochSecond() + 30)));
        assertRefused(token(claims("iat", NOW.getEpochSecond() + 31)), "future");
    }

    @Test
    void shouldRefuseATokenThatIsTooOld() {
        TokenPolicy policy = new TokenPolicy(
                POLICY.issuer(),
                POLICY.audiences(),
                List.of("psql"),
                List.of("db"),
                POLICY.algorithms(),
                false,
                LEEWAY,
                Optional.of(Duration.ofMinutes(1)),
                POLICY.maxLength());
        Map<String, Object> good = claims("azp", "psql");
        good.put("scope", "openid db");
        assertThat(verdict(policy, token(good))).isInstanceOf(TokenVerdict.Accepted.class);
        now.set(NOW.plusSeconds(91));
        assertThat(verdict(policy, token(good))).isInstanceOf(TokenVerdict.Refused.class);
        now.set(NOW);
        for (String missing : List.of("iat", "azp", "scope")) {
            Map<String, Object> less = new LinkedHashMap<>(good);
            less.remove(missing);
            assertThat(verdict(policy, token(less))).as(missing).isInstanceOf(TokenVerdict.Refused.class);
        }
        good.put("scope", "dbx");
        assertThat(verdict(policy, token(good))).isInstanceOf(TokenVerdict.Refused.class);
        good.remove("scope");
        good.put("scp", List.of("\"db\""));
        assertThat(verdict(policy, token(good))).isInstanceOf(TokenVerdict.Accepted.class);
    }

    // ---- the cache

    @Test
    void shouldCheckASignatureOnceAMinute() {
        TokenVerifier verifier = verifier(POLICY);
        Secret token = Secret.of(token(claims()));
        for (int i = 0; i < 3; i++) {
            assertThat(verifier.verify(token).toCompletableFuture().join()).isInstanceOf(TokenVerdict.Accepted.class);
        }
        assertThat(checked.get()).as("three times read, one signature").isEqualTo(4);
        now.set(NOW.plusSeconds(60));
        verifier.verify(token).toCompletableFuture().join();
        assertThat(checked.get()).isEqualTo(6);
    }

    @Test
    void shouldNotRememberATokenBeyondItsEndNorItsKey() {
        TokenVerifier verifier = verifier(POLICY);
        Secret token = Secret.of(token(claims("exp", NOW.getEpochSecond() + 5)));
        assertThat(verifier.verify(token).toCompletableFuture().join()).isInstanceOf(TokenVerdict.Accepted.class);
        now.set(NOW.plusSeconds(35));
        assertThat(verifier.verify(token).toCompletableFuture().join()).isInstanceOf(TokenVerdict.Refused.class);
        now.set(NOW.plusSeconds(1));
        keys = new KeySet(List.of());
        assertThat(verifier.verify(token).toCompletableFuture().join()).isInstanceOf(TokenVerdict.Refused.class);
    }

    @Test
    void shouldNotBelieveAKeyThatHasChangedUnderItsName() {
        TokenVerifier verifier = verifier(POLICY);
        Secret token = Secret.of(token(claims()));
        assertThat(verifier.verify(token).toCompletableFuture().join()).isInstanceOf(TokenVerdict.Accepted.class);
        keys = new KeySet(List.of(
                VerificationKey.unnamed(TestTokens.OTHER_RSA.getPublic()).named("rsa")));
        assertThat(verifier.verify(token).toCompletableFuture().join()).isInstanceOf(TokenVerdict.Refused.class);
    }

    @Test
    void shouldRememberOnlySoMany() {
        TokenVerifier verifier = verifier(POLICY);
        for (int i = 0; i < TokenCache.MOST_ENTRIES + 10; i++) {
            String token = TestTokens.signed(
                    header("EdDSA", "ed"), TestTokens.json(claims("jti", "t" + i)), "EdDSA", TestTokens.ED25519);
            verifier.verify(Secret.of(token)).toCompletableFuture().join();
        }
        assertThat(verifier.remembered()).isEqualTo(TokenCache.MOST_ENTRIES);
    }

    @Test
    void shouldNotHoldAgainstAnybodyThatItIsBusy() {
        TokenVerifier busy = new TokenVerifier(
                POLICY,
                TokenKeys.fixed(keys),
                _ -> {
                    throw new RejectedExecutionException();
                },
                now::get);
        assertThat(busy.verify(Secret.of(token(claims()))).toCompletableFuture().join())
                .isInstanceOf(TokenVerdict.Unavailable.class);
    }

    @Test
    void shouldShowNothingOfATokenInItsReasons() {
        String secret = "Zm9vYmFyc2VjcmV0";
        for (String text : List.of(
                secret,
                secret + "." + secret + "." + secret,
                token(claims("aud", secret)),
                token(claims("iss", secret)))) {
            assertThat(verdict(text).toString()).doesNotContain(secret);
        }
    }
}
