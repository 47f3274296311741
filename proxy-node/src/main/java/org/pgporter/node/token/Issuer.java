package org.pgporter.node.token;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.pgporter.auth.AuthenticationStep;
import org.pgporter.auth.Identity;
import org.pgporter.auth.Secret;
import org.pgporter.auth.TokenGrant;
import org.pgporter.auth.hba.IdentityVerdict;
import org.pgporter.auth.jwt.NameRule;
import org.pgporter.auth.jwt.RoleNames;
import org.pgporter.auth.jwt.TokenVerdict;
import org.pgporter.auth.jwt.TokenVerifier;
import org.pgporter.config.IssuerConfig;
import org.pgporter.config.NameRuleConfig;
import org.pgporter.config.TokenUsers;

/// One issuer of tokens: decides about them, and what they make of their bearer. For many threads.
public final class Issuer {
    private static final String FOR_SOMEBODY_ELSE = "the token is not for this user";

    private final String name;
    private final IssuerConfig config;
    private final TokenVerifier verifier;
    private final List<NameRule> userRules;
    private final List<NameRule> roleRules;

    /// Whom a token may make somebody, where a rule of `pg_hba.conf` has a map for that.
    @FunctionalInterface
    public interface Mapping {
        /// Never blocks; the stage completes normally in all cases.
        ///
        /// @param claimed what the token says
        CompletionStage<IdentityVerdict> allows(String claimed);
    }

    Issuer(String name, IssuerConfig config, TokenVerifier verifier) {
        this.name = name;
        this.config = config;
        this.verifier = verifier;
        this.userRules =
                config.users().userMap().stream().map(NameRuleConfig::rule).toList();
        this.roleRules =
                config.users().roleMap().stream().map(NameRuleConfig::rule).toList();
    }

    /// The name of its section.
    public String name() {
        return name;
    }

    public IssuerConfig config() {
        return config;
    }

    /// Whether this token makes its bearer this user. Never blocks; the stage completes normally in all cases.
    ///
    /// @param user the name in the startup packet: a token is for one that it names, never for the one
    ///     that is asked for
    /// @param scopes that must be in the token beside those of the configuration
    /// @param mapping in place of the issuer's own
    public CompletionStage<AuthenticationStep> admit(
            Secret token, String user, String method, List<String> scopes, Optional<Mapping> mapping) {
        return verifier.verify(token).thenCompose(verdict -> switch (verdict) {
            case TokenVerdict.Accepted accepted -> admitted(accepted, user, method, scopes, mapping);
            case TokenVerdict.Refused(var reason) -> CompletableFuture.completedStage(rejected(reason));
            case TokenVerdict.Unavailable(var cause) ->
                CompletableFuture.completedStage(new AuthenticationStep.Unavailable(cause));
        });
    }

    private CompletionStage<AuthenticationStep> admitted(
            TokenVerdict.Accepted accepted,
            String user,
            String method,
            List<String> scopes,
            Optional<Mapping> mapping) {
        TokenUsers users = config.users();
        if (!accepted.claims().scopes().containsAll(scopes)) {
            return CompletableFuture.completedStage(
                    rejected("the token does not have the scope that the rule demands"));
        }
        Optional<String> claimed = accepted.claims().text(users.usernameClaim());
        if (claimed.isEmpty() || claimed.get().length() > NameRule.MOST_VALUE) {
            return CompletableFuture.completedStage(
                    rejected("the token has no `" + users.usernameClaim() + "`, or one that is not a name"));
        }
        if (mapping.isEmpty()) {
            boolean his = NameRule.apply(userRules, claimed.get())
                    .filter(mapped -> isUser(mapped, user))
                    .isPresent();
            return CompletableFuture.completedStage(
                    his ? granted(accepted, claimed.get(), user, method) : rejected(FOR_SOMEBODY_ELSE));
        }
        return mapping.get().allows(claimed.get()).thenApply(verdict -> switch (verdict) {
            case IdentityVerdict.Matches _ -> granted(accepted, claimed.get(), user, method);
            case IdentityVerdict.NoMatch(var reason) -> rejected(FOR_SOMEBODY_ELSE + ": " + reason);
            case IdentityVerdict.Undecided(var cause) -> new AuthenticationStep.Unavailable(cause);
        });
    }

    private AuthenticationStep granted(TokenVerdict.Accepted accepted, String claimed, String user, String method) {
        TokenUsers users = config.users();
        if (!RoleNames.usable(user)) {
            return rejected("nobody can go by this name");
        }
        Optional<String> role = users.role();
        if (users.roleClaim().isPresent()) {
            role = role(accepted.claims().texts(users.roleClaim().get())).filter(RoleNames::grantable);
            if (role.isEmpty()) {
                return rejected("the token names no role that it could give");
            }
        }
        Identity identity = Identity.of(user, method)
                .withPrincipal(name + ":" + claimed)
                .withGrant(new TokenGrant(name, role, users.readOnly()))
                .withExpiry(accepted.expires().plus(config.checks().leeway()).plus(users.expiryGrace()));
        return new AuthenticationStep.Authenticated(identity, Optional.empty());
    }

    /// The suffix only says which issuer is meant, so a token need not have it.
    private boolean isUser(String mapped, String user) {
        return config.isFor(user)
                && (mapped.equals(user)
                        || config.users()
                                .userSuffix()
                                .filter(suffix -> user.equals(mapped + suffix))
                                .isPresent());
    }

    private Optional<String> role(List<String> claimed) {
        if (roleRules.isEmpty()) {
            return claimed.size() == 1 ? NameRule.apply(roleRules, claimed.getFirst()) : Optional.empty();
        }
        for (NameRule rule : roleRules) {
            for (String value : claimed) {
                if (value.length() <= NameRule.MOST_VALUE
                        && rule.match().matcher(value).matches()) {
                    return NameRule.apply(List.of(rule), value);
                }
            }
        }
        return Optional.empty();
    }

    private static AuthenticationStep rejected(String reason) {
        return new AuthenticationStep.Rejected(reason);
    }
}
