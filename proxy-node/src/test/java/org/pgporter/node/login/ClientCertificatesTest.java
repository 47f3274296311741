package org.pgporter.node.login;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.pkitesting.CertificateBuilder;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.pgporter.auth.AuthenticationExchange;
import org.pgporter.auth.AuthenticationStep;
import org.pgporter.auth.ClientResponse;
import org.pgporter.auth.Identity;
import org.pgporter.auth.PasswordExchange;
import org.pgporter.auth.hba.AuthMethod;
import org.pgporter.auth.hba.HbaRule;
import org.pgporter.auth.hba.IdentityMap;
import org.pgporter.auth.hba.IdentityVerdict;
import org.pgporter.node.tls.TlsSession;

/// What rules demand of certificates beside a method.
class ClientCertificatesTest {
    private static final IdentityMap SAME = (map, system, _, user) -> CompletableFuture.completedStage(
            map.isEmpty() && system.equals(user)
                    ? new IdentityVerdict.Matches()
                    : new IdentityVerdict.NoMatch("not the same"));

    private final ClientCertificates certificates = new ClientCertificates(true, () -> SAME);

    @ParameterizedTest
    @CsvSource({
        "trust, '\"trust\" authentication failed for user \"alice\"'",
        "pam, 'PAM authentication failed for user \"alice\"'",
        "ldap, 'LDAP authentication failed for user \"alice\"'"
    })
    void shouldRefuseAnothersCertificateInTheMethodsWords(String method, String words) throws Exception {
        assertThat(outcome(method, "mallory", "verify-full"))
                .isEqualTo(new AuthenticationStep.Refused(words, "not the same"));
        assertThat(outcome(method, "alice", "verify-full")).isInstanceOf(AuthenticationStep.Authenticated.class);
        assertThat(outcome(method, "mallory", "verify-ca")).isInstanceOf(AuthenticationStep.Authenticated.class);
    }

    @Test
    void shouldRefuseAnothersCertificateAsAPasswordOrAToken() throws Exception {
        assertThat(outcome("scram-sha-256", "mallory", "verify-full"))
                .isEqualTo(new AuthenticationStep.Rejected("not the same"));
        assertThat(outcome("oauth", "mallory", "verify-full"))
                .isEqualTo(new AuthenticationStep.Rejected("not the same", AuthenticationStep.Refusal.BEARER_TOKEN));
    }

    /// An answer that comes later is looked at as well, and a wrong password stays what it is.
    @ParameterizedTest
    @CsvSource({"alice, right, Authenticated", "mallory, right, Rejected", "alice, wrong, Rejected"})
    void shouldLookAtAnAnswerThatComesLater(String shown, String password, String expected) throws Exception {
        LoginMethod asks = (_, _) -> CompletableFuture.completedStage(new LoginDecision.Ask(new PasswordExchange(
                given -> CompletableFuture.completedStage(
                        given.reveal().equals("right")
                                ? new AuthenticationStep.Authenticated(
                                        Identity.of("alice", "password"), Optional.empty())
                                : new AuthenticationStep.Rejected("wrong password")))));
        LoginDecision decision = begin(asks, shown, "verify-full");
        AuthenticationExchange exchange = ((LoginDecision.Ask) decision).exchange();
        exchange.start();
        AuthenticationStep.Waits waits = (AuthenticationStep.Waits)
                exchange.onResponse(new ClientResponse.Password(password.getBytes(StandardCharsets.UTF_8)));
        assertThat(waits.next().toCompletableFuture().join().getClass().getSimpleName())
                .isEqualTo(expected);
    }

    private AuthenticationStep outcome(String method, String shown, String demanded) throws Exception {
        LoginMethod lets = (request, _) -> CompletableFuture.completedStage(new LoginDecision.Known(
                new AuthenticationStep.Authenticated(Identity.of(request.user(), method), Optional.empty())));
        return ((LoginDecision.Known) begin(lets, shown, demanded)).step();
    }

    private LoginDecision begin(LoginMethod method, String shown, String demanded) throws Exception {
        HbaRule rule = new HbaRule("pg_hba", 1, "", AuthMethod.SCRAM_SHA_256, Map.of("clientcert", demanded));
        return certificates
                .besides(method)
                .begin(request(shown), Optional.of(rule))
                .toCompletableFuture()
                .join();
    }

    private static LoginRequest request(String shown) throws Exception {
        X509Certificate certificate = new CertificateBuilder()
                .ecp256()
                .subject("CN=" + shown)
                .setIsCertificateAuthority(true)
                .buildSelfSigned()
                .getCertificate();
        return new LoginRequest(
                "alice",
                "app",
                false,
                new InetSocketAddress("127.0.0.1", 1),
                Optional.of(new TlsSession(
                        "TLSv1.3", "x", Optional.empty(), Optional.empty(), List.of(certificate), Optional.empty())),
                OptionalInt.empty());
    }
}
