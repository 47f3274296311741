package org.pgporter.auth.oauthbearer;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.pgporter.auth.AuthenticationStep;
import org.pgporter.auth.AuthenticationStep.Refusal;
import org.pgporter.auth.ClientResponse;
import org.pgporter.auth.Identity;
import org.pgporter.auth.ServerChallenge;

class OauthBearerExchangeTest {
    private static final WhereToGetTokens WHERE = new WhereToGetTokens("https://issuer.example", "openid \"db\"");
    private static final String TOLD = "{\"status\":\"invalid_token\",\"openid-configuration\":"
            + "\"https://issuer.example/.well-known/openid-configuration\",\"scope\":\"openid \\\"db\\\"\"}";

    private final List<String> tokens = new ArrayList<>();
    private AuthenticationStep outcome =
            new AuthenticationStep.Authenticated(Identity.of("alice", "oauth"), Optional.of(new byte[] {1}));
    private final OauthBearerExchange exchange = new OauthBearerExchange(WHERE, token -> {
        tokens.add(token.reveal());
        return CompletableFuture.completedStage(outcome);
    });

    private static byte[] bytes(String text) {
        return text.replace('^', '\u0001').getBytes(StandardCharsets.ISO_8859_1);
    }

    private AuthenticationStep first(String message) {
        assertThat(exchange.start())
                .isEqualTo(
                        new AuthenticationStep.Challenge(new ServerChallenge.SaslMechanisms(List.of("OAUTHBEARER"))));
        return now(exchange.onResponse(new ClientResponse.SaslInitial("OAUTHBEARER", Optional.of(bytes(message)))));
    }

    private static AuthenticationStep now(AuthenticationStep step) {
        return step instanceof AuthenticationStep.Waits(var next)
                ? next.toCompletableFuture().join()
                : step;
    }

    private static void assertTold(AuthenticationStep step, String text) {
        assertThat(step)
                .isInstanceOfSatisfying(
                        AuthenticationStep.Challenge.class,
                        challenge -> assertThat(challenge.challenge())
                                .isInstanceOfSatisfying(
                                        ServerChallenge.SaslContinue.class,
                                        data -> assertThat(new String(data.data(), StandardCharsets.UTF_8))
                                                .isEqualTo(text)));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "n,,^auth=Bearer abc.DEF-_~+/9==^^",
                "y,,^auth=Bearer abc.DEF-_~+/9==^^",
                "n,,^auth=bEARER   abc.DEF-_~+/9==^^",
                "n,,^host=db.example^port=5432^auth=Bearer abc.DEF-_~+/9==^^",
                "n,,^auth=Bearer abc.DEF-_~+/9==^host=^^"
            })
    void shouldEndWithoutAFinalMessageForAGoodToken(String message) {
        assertThat(first(message))
                .isEqualTo(new AuthenticationStep.Authenticated(Identity.of("alice", "oauth"), Optional.empty()));
        assertThat(tokens).containsExactly("abc.DEF-_~+/9==");
    }

    @Test
    void shouldTellWhereToGetATokenAndCountNothing() {
        assertTold(first("n,,^auth=^^"), TOLD);
        assertThat(now(exchange.onResponse(new ClientResponse.Sasl(new byte[] {1}))))
                .isInstanceOfSatisfying(AuthenticationStep.Rejected.class, rejected -> {
                    assertThat(rejected.refusal()).isEqualTo(Refusal.DISCOVERY);
                    assertThat(rejected.refusal().counts()).isFalse();
                });
        assertThat(tokens).isEmpty();
    }

    @Test
    void shouldTellWhoShowsABadTokenTheSame() {
        outcome = new AuthenticationStep.Rejected("expired");
        assertTold(first("n,,^auth=Bearer abc^^"), TOLD);
        assertThat(now(exchange.onResponse(new ClientResponse.Sasl(new byte[] {1}))))
                .isEqualTo(new AuthenticationStep.Rejected("expired", Refusal.BEARER_TOKEN));
        assertThat(Refusal.BEARER_TOKEN.counts()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"n,,^auth=Basic abc^^", "n,,^auth=Bearer^^", "n,,^auth=Bearer a b^^", "n,,^auth=abc^^"})
    void shouldTakeWhatIsNoTokenForABadOne(String message) {
        assertTold(first(message), TOLD);
        assertThat(now(exchange.onResponse(new ClientResponse.Sasl(new byte[] {1}))))
                .isInstanceOfSatisfying(
                        AuthenticationStep.Rejected.class,
                        rejected -> assertThat(rejected.refusal()).isEqualTo(Refusal.BEARER_TOKEN));
        assertThat(tokens).isEmpty();
    }

    @Test
    void shouldWaitForWhoBeginsWithNothing() {
        exchange.start();
        AuthenticationStep asked = exchange.onResponse(new ClientResponse.SaslInitial("OAUTHBEARER", Optional.empty()));
        assertTold(asked, "");
        assertThat(now(exchange.onResponse(new ClientResponse.Sasl(bytes("n,,^auth=Bearer abc^^")))))
                .isInstanceOf(AuthenticationStep.Authenticated.class);
    }

    @Test
    void shouldPassOnThatNothingCanBeSaid() {
        outcome = new AuthenticationStep.Unavailable("busy");
        assertThat(first("n,,^auth=Bearer abc^^")).isEqualTo(outcome);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "'' | 08P01",
                "n | 08P01",
                "n,,|08P01",
                "p=tls-server-end-point,,^auth=Bearer abc^^ | 08P01",
                "x,,^auth=Bearer abc^^ | 08P01",
                "n,a=bob,^auth=Bearer abc^^ | 0A000",
                "n,b,^auth=Bearer abc^^ | 08P01",
                "n,,auth=Bearer abc^^ | 08P01",
                "n,,^auth=Bearer abc^ | 08P01",
                "n,,^auth=Bearer abc | 08P01",
                "n,,^auth=Bearer abc^^x | 08P01",
                "n,,^auth=Bearer abc^auth=Bearer abc^^ | 08P01",
                "n,,^host=x^^ | 08P01",
                "n,,^^ | 08P01",
                "n,,^=x^auth=Bearer abc^^ | 08P01",
                "n,,^h1=x^auth=Bearer abc^^ | 08P01",
                "n,,^host^auth=Bearer abc^^ | 08P01",
                "n,,^host=\u00e4^auth=Bearer abc^^ | 08P01",
                "n,,^host=\u0000^auth=Bearer abc^^ | 08P01"
            })
    void shouldRefuseWhatPostgresRefuses(String message, String sqlState) {
        assertThat(first(message))
                .isInstanceOfSatisfying(
                        AuthenticationStep.Malformed.class,
                        malformed -> assertThat(malformed.sqlState().code()).isEqualTo(sqlState));
        assertThat(tokens).isEmpty();
    }

    @Test
    void shouldRefuseAnotherMechanismAndAnotherAnswer() {
        exchange.start();
        assertThat(exchange.onResponse(new ClientResponse.SaslInitial("SCRAM-SHA-256", Optional.of(new byte[0]))))
                .isInstanceOf(AuthenticationStep.Malformed.class);
    }

    @Test
    void shouldRefuseATokenAfterABadOne() {
        outcome = new AuthenticationStep.Rejected("expired");
        first("n,,^auth=Bearer abc^^");
        assertThat(exchange.onResponse(new ClientResponse.Sasl(bytes("n,,^auth=Bearer abc^^"))))
                .isInstanceOf(AuthenticationStep.Malformed.class);
    }

    @Test
    void shouldTakeADiscoveryDocumentAsItIs() {
        String document = "https://issuer.example/.well-known/oauth-authorization-server/tenant";
        assertThat(new WhereToGetTokens(document, "x").discoveryDocument()).isEqualTo(document);
    }
}
