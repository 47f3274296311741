package org.pgporter.node.login;

import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.pgporter.auth.AuthenticationStep;
import org.pgporter.auth.AuthenticationStep.Rejected;
import org.pgporter.auth.Identity;
import org.pgporter.auth.PasswordExchange;
import org.pgporter.auth.hba.HbaRule;
import org.pgporter.auth.jwt.Claims;
import org.pgporter.auth.jwt.TalosRole;
import org.pgporter.auth.jwt.TokenVerdict;
import org.pgporter.auth.jwt.TokenVerifier;
import org.pgporter.config.ProxyConfig;
import org.pgporter.config.TalosConfig;
import org.pgporter.node.error.ProxyError;

/// Who connects as `talos` shows a token that says which role he has, and goes on as the user of that
/// name. The role is that of the database that he asks for, and of no other.
public final class TalosLogin implements LoginMethod {
    private static final String METHOD = "talos";
    private static final String CLIENT = "clientId";

    /// The longest `application_name` that PostgreSQL keeps, in bytes: `NAMEDATALEN - 1`.
    private static final int MOST_NAME = 63;

    private final ProxyConfig config;
    private final TalosConfig talos;
    private final TokenVerifier verifier;

    public TalosLogin(ProxyConfig config, TalosConfig talos, TokenVerifier verifier) {
        this.config = config;
        this.talos = talos;
        this.verifier = verifier;
    }

    @Override
    public CompletionStage<LoginDecision> begin(LoginRequest request, Optional<HbaRule> rule) {
        boolean confidential = request.tls().isPresent() || request.address().isEmpty();
        if (!confidential && !config.general().jwt().jwtAllowPlaintext()) {
            return CompletableFuture.completedStage(
                    new LoginDecision.Refused(ProxyError.tokenNeedsEncryption(), "a Talos token without TLS"));
        }
        return CompletableFuture.completedStage(new LoginDecision.Ask(new PasswordExchange(token -> verifier.verify(
                        token)
                .thenApply(verdict -> switch (verdict) {
                    case TokenVerdict.Accepted accepted -> admitted(accepted, request.database());
                    case TokenVerdict.Refused(var reason) -> new Rejected(reason);
                    case TokenVerdict.Unavailable(var cause) -> new AuthenticationStep.Unavailable(cause);
                }))));
    }

    private AuthenticationStep admitted(TokenVerdict.Accepted accepted, String database) {
        Claims claims = accepted.claims();
        Optional<String> client = claims.text(CLIENT).filter(name -> !name.isBlank());
        if (client.isEmpty()) {
            return new Rejected("the token has no `" + CLIENT + "`");
        }
        if (!talos.databases().contains(database)) {
            return new Rejected("the database is not one of talos.databases");
        }
        Optional<TalosRole> role = TalosRole.of(claims, database);
        if (role.isEmpty()) {
            return new Rejected("the token has no role in this database");
        }
        String user = role.get().word();
        if (config.settings(database, user).isEmpty()) {
            return new Rejected("the pool has no user for the role of the token");
        }
        return new AuthenticationStep.Authenticated(
                Identity.of(user, METHOD)
                        .withPrincipal(client.get())
                        .withApplicationName(printable(client.get()))
                        .withExpiry(accepted.expires()),
                Optional.empty());
    }

    /// As PostgreSQL makes it of an application's name (`pg_clean_ascii`).
    private static String printable(String name) {
        StringBuilder clean = new StringBuilder();
        name.codePoints().limit(MOST_NAME).forEach(c -> clean.append(c >= 0x20 && c < 0x7f ? (char) c : '?'));
        return clean.toString();
    }
}
