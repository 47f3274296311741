package org.pgporter.node.token;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.http.HttpClient;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pgporter.auth.jwt.KeySet;
import org.pgporter.config.IssuerConfig;
import org.pgporter.config.IssuerKeys;
import org.pgporter.config.TokenChecks;
import org.pgporter.config.TokenUsers;
import org.pgporter.support.OpenIdProvider;
import org.pgporter.support.TestPki;

class HttpKeySetsTest {
    private final OpenIdProvider provider = OpenIdProvider.start();
    private final HttpClient client = HttpClient.newHttpClient();

    @AfterEach
    void stop() {
        client.shutdownNow();
        provider.close();
    }

    private KeySet fetch(UnaryOperator<IssuerKeys> change) {
        return fetch(client, provider.issuer(), change);
    }

    private static KeySet fetch(HttpClient client, String issuer, UnaryOperator<IssuerKeys> change) {
        IssuerKeys keys = change.apply(IssuerKeys.defaults().withAllowHttp(true).withDiscovery(true));
        IssuerConfig config = new IssuerConfig(
                java.util.Optional.of(issuer),
                keys,
                TokenChecks.defaults().withAudience("pgporter"),
                TokenUsers.defaults());
        return new HttpKeySets(client, config).fetch().toCompletableFuture().join();
    }

    private void assertFails(String words) {
        assertThatThrownBy(() -> fetch(it -> it)).hasMessageContaining(words);
    }

    @Test
    void shouldFindTheKeysByDiscovery() {
        provider.rotates();
        assertThat(fetch(it -> it).keys())
                .hasSize(2)
                .last()
                .satisfies(key -> assertThat(key.key()).isEqualTo(provider.publicKey()));
        assertThat(provider.discoveries()).isEqualTo(1);
    }

    @Test
    void shouldAskForKeysWhereTheConfigurationSays() {
        assertThat(fetch(it -> it.withDiscovery(false).withJwksUrl(provider.keysUrl()))
                        .keys())
                .hasSize(1);
        assertThat(provider.discoveries()).isZero();
    }

    @Test
    void shouldNotBelieveADocumentOfAnotherIssuer() {
        provider.pretendsToBe("https://issuer.example");
        assertFails("of another issuer");
        assertThat(provider.keyFetches()).isZero();
    }

    @Test
    void shouldSayWhatIsWrong() {
        provider.answers(500);
        assertFails("answers 500");
        provider.answers(302);
        assertFails("answers 302");
        provider.answers(200);
        provider.publishes("<html>".getBytes(StandardCharsets.UTF_8));
        assertFails("is not an object");
    }

    @Test
    void shouldNotReadAnAnswerWithoutEnd() {
        provider.publishes(
                ("{\"keys\":[\"" + "x".repeat(HttpKeySets.MOST_BYTES) + "\"]}").getBytes(StandardCharsets.UTF_8));
        assertThatThrownBy(() -> fetch(it -> it)).isNotNull();
    }

    @Test
    void shouldNotWaitForLong() {
        provider.fallsSilent();
        assertThatThrownBy(() -> fetch(it -> it.withJwksTimeout(Duration.ofMillis(500))))
                .hasMessageContaining("no answer within 500 ms");
    }

    @Test
    void shouldNotTrustAServerThatNobodyVouchesFor(@TempDir Path folder) {
        try (OpenIdProvider encrypted = OpenIdProvider.start(TestPki.in(folder).server("localhost"))) {
            assertThatThrownBy(() -> fetch(client, encrypted.issuer(), it -> it.withAllowHttp(false)))
                    .hasMessageContaining("PKIX");
            assertThat(encrypted.discoveries()).isZero();
        }
    }
}
