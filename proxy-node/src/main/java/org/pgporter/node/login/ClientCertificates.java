package org.pgporter.node.login;

import java.security.cert.X509Certificate;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.pgporter.auth.AuthenticationExchange;
import org.pgporter.auth.AuthenticationStep;
import org.pgporter.auth.ClientResponse;
import org.pgporter.auth.Identity;
import org.pgporter.auth.hba.AuthMethod;
import org.pgporter.auth.hba.HbaRule;
import org.pgporter.auth.hba.IdentityMap;
import org.pgporter.auth.hba.IdentityVerdict;
import org.pgporter.node.error.ProxyError;
import org.pgporter.node.tls.CertificateName;
import org.pgporter.node.tls.TlsSession;

/// What rules say about the certificate of a client: the method `cert`, and the option `clientcert` of the others. The
/// certificate itself has been verified in the handshake, if the client has shown one.
public final class ClientCertificates {
    private static final String OPTION = "clientcert";
    private static final String VERIFY_FULL = "verify-full";

    private final boolean asked;
    private final Supplier<IdentityMap> maps;

    /// @param asked whether clients are asked for a certificate at all: there is a `tls_ca_cert`
    /// @param maps those that hold at this moment
    public ClientCertificates(boolean asked, Supplier<IdentityMap> maps) {
        this.asked = asked;
        this.maps = maps;
    }

    /// The certificate is all that is needed.
    public CompletionStage<LoginDecision> cert(LoginRequest request, Optional<HbaRule> rule) {
        Optional<LoginDecision> missing = missing(request);
        if (missing.isPresent()) {
            return CompletableFuture.completedStage(missing.get());
        }
        String words = "certificate authentication failed for user \"" + request.user() + "\"";
        Identity identity = certificate(request)
                .flatMap(CertificateName::subjectOf)
                .map(name ->
                        Identity.of(request.user(), AuthMethod.CERT.word()).withPrincipal(name.distinguishedName()))
                .orElseGet(() -> Identity.of(request.user(), AuthMethod.CERT.word()));
        return verdict(request, rule).thenApply(verdict -> switch (verdict) {
            case IdentityVerdict.Matches _ ->
                new LoginDecision.Known(new AuthenticationStep.Authenticated(identity, Optional.empty()));
            case IdentityVerdict.NoMatch(var reason) ->
                new LoginDecision.Known(new AuthenticationStep.Refused(words, reason));
            case IdentityVerdict.Undecided(var cause) ->
                new LoginDecision.Known(new AuthenticationStep.Unavailable(cause));
        });
    }

    /// The method, with what the rule's `clientcert` demands beside it.
    public LoginMethod besides(LoginMethod method) {
        return (request, rule) -> {
            Optional<String> demanded = rule.map(it -> it.options().get(OPTION));
            if (demanded.isEmpty()
                    || rule.filter(it -> it.method() == AuthMethod.CERT).isPresent()) {
                return method.begin(request, rule);
            }
            Optional<LoginDecision> missing = missing(request);
            if (missing.isPresent()) {
                return CompletableFuture.completedStage(missing.get());
            }
            if (!demanded.get().equals(VERIFY_FULL)) {
                return method.begin(request, rule);
            }
            return verdict(request, rule)
                    .thenCompose(verdict ->
                            method.begin(request, rule).thenApply(decision -> both(request, decision, verdict)));
        };
    }

    /// As PostgreSQL, which looks at the name in the certificate last: until then nothing is given away.
    private static LoginDecision both(LoginRequest request, LoginDecision decision, IdentityVerdict verdict) {
        if (verdict instanceof IdentityVerdict.Matches) {
            return decision;
        }
        return switch (decision) {
            case LoginDecision.Ask(var exchange) ->
                new LoginDecision.Ask(new WithCertificate(exchange, request, verdict));
            case LoginDecision.Known(var step) -> new LoginDecision.Known(afterwards(request, step, verdict));
            case LoginDecision.Refused refused -> refused;
        };
    }

    private static AuthenticationStep afterwards(
            LoginRequest request, AuthenticationStep step, IdentityVerdict verdict) {
        if (!(step instanceof AuthenticationStep.Authenticated(var identity, var _))) {
            return step;
        }
        return switch (verdict) {
            case IdentityVerdict.Matches _ -> step;
            case IdentityVerdict.Undecided(var cause) -> new AuthenticationStep.Unavailable(cause);
            case IdentityVerdict.NoMatch(var reason) -> failed(request, identity.method(), reason);
        };
    }

    /// In the words of the method that has let the client in (`auth_failed` in `libpq/auth.c`).
    private static AuthenticationStep failed(LoginRequest request, String method, String reason) {
        String behind = " authentication failed for user \"" + request.user() + "\"";
        return switch (method) {
            case "trust" -> new AuthenticationStep.Refused("\"trust\"" + behind, reason);
            case "pam" -> new AuthenticationStep.Refused("PAM" + behind, reason);
            case "ldap" -> new AuthenticationStep.Refused("LDAP" + behind, reason);
            case "oauth" -> new AuthenticationStep.Rejected(reason, AuthenticationStep.Refusal.BEARER_TOKEN);
            default -> new AuthenticationStep.Rejected(reason);
        };
    }

    /// An exchange whose good end is none, because the certificate is somebody else's.
    private record WithCertificate(AuthenticationExchange exchange, LoginRequest request, IdentityVerdict verdict)
            implements AuthenticationExchange {
        @Override
        public AuthenticationStep start() {
            return checked(exchange.start());
        }

        @Override
        public AuthenticationStep onResponse(ClientResponse response) {
            return checked(exchange.onResponse(response));
        }

        @Override
        public int maxResponseLength() {
            return exchange.maxResponseLength();
        }

        private AuthenticationStep checked(AuthenticationStep step) {
            return step instanceof AuthenticationStep.Waits(var next)
                    ? new AuthenticationStep.Waits(next.thenApply(this::checked))
                    : afterwards(request, step, verdict);
        }
    }

    /// The words of PostgreSQL.
    private Optional<LoginDecision> missing(LoginRequest request) {
        if (!asked) {
            return Optional.of(new LoginDecision.Refused(
                    ProxyError.noCertificateAuthority(),
                    "the rule demands a certificate, and there is no general.tls_ca_cert"));
        }
        return certificate(request).isPresent()
                ? Optional.empty()
                : Optional.of(new LoginDecision.Refused(
                        ProxyError.refused("connection requires a valid client certificate"),
                        "the client has shown no certificate"));
    }

    private CompletionStage<IdentityVerdict> verdict(LoginRequest request, Optional<HbaRule> rule) {
        boolean whole = rule.map(it -> it.options().get("clientname"))
                .filter("DN"::equals)
                .isPresent();
        Optional<String> name = certificate(request)
                .flatMap(CertificateName::subjectOf)
                .flatMap(it -> whole ? Optional.of(it.distinguishedName()) : it.commonName())
                .filter(it -> !it.isEmpty());
        return name.isEmpty()
                ? CompletableFuture.completedStage(
                        new IdentityVerdict.NoMatch("client certificate contains no user name"))
                : maps.get()
                        .matches(
                                rule.map(it -> it.options().get("map")),
                                name.get(),
                                request.database(),
                                request.user());
    }

    private static Optional<X509Certificate> certificate(LoginRequest request) {
        return request.tls().map(TlsSession::peerCertificates).stream()
                .flatMap(chain -> chain.stream().limit(1))
                .findFirst();
    }
}
