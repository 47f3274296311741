package org.pgporter.node.login;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.pgporter.auth.AuthenticationStep;
import org.pgporter.auth.AuthenticationStep.Rejected;
import org.pgporter.auth.Identity;
import org.pgporter.auth.PasswordCheck;
import org.pgporter.auth.PasswordExchange;
import org.pgporter.auth.Secret;
import org.pgporter.auth.credential.JwtKeyFile;
import org.pgporter.auth.hba.AuthMethod;
import org.pgporter.auth.hba.HbaRule;
import org.pgporter.auth.hba.IdentityMap;
import org.pgporter.auth.jwt.TokenVerdict;
import org.pgporter.auth.jwt.TokenVerifier;
import org.pgporter.auth.oauthbearer.OauthBearerExchange;
import org.pgporter.auth.oauthbearer.WhereToGetTokens;
import org.pgporter.config.PoolConfig;
import org.pgporter.config.ProxyConfig;
import org.pgporter.config.UserConfig;
import org.pgporter.node.error.ProxyError;
import org.pgporter.node.token.Issuer;
import org.pgporter.node.token.NodeTokens;

/// The methods that rest on a token: `jwt`, where it stands in place of a password, and `oauth`.
///
/// Whose token makes somebody a user is settled by the configuration before the token is looked at: a user
/// that the configuration knows comes with tokens of the issuer that it names for him, or with none; one
/// that it does not know, with those of issuers that provide for such users. So no claim can make its
/// bearer one of the configured users.
public final class TokenLogins {
    private static final String WELL_KNOWN = "/.well-known/";

    /// The claim that must name the user where a key file alone vouches for him, as with PgDoorman.
    private static final String CLAIM_OF_KEY_FILES = "preferred_username";

    private final ProxyConfig config;
    private final NodeTokens tokens;
    private final IdentityMap maps;

    public TokenLogins(ProxyConfig config, NodeTokens tokens, IdentityMap maps) {
        this.config = config;
        this.tokens = tokens;
        this.maps = maps;
    }

    // ---- jwt

    /// A token in place of a password.
    public CompletionStage<LoginDecision> jwt(LoginRequest request, Optional<HbaRule> rule) {
        if (!confidential(request) && !config.general().jwt().jwtAllowPlaintext()) {
            return refused();
        }
        return CompletableFuture.completedStage(
                new LoginDecision.Ask(new PasswordExchange(check(request, rule, AuthMethod.JWT))));
    }

    /// Without a rule: who comes with a token, by the configuration, and who by `others`.
    public LoginMethod orElse(LoginMethod others) {
        return (request, rule) ->
                issuersFor(request, Optional.empty()).isEmpty() ? others.begin(request, rule) : jwt(request, rule);
    }

    private PasswordCheck check(LoginRequest request, Optional<HbaRule> rule, AuthMethod method) {
        Optional<TokenVerifier> ofUser = rule.map(HbaRule::options)
                        .filter(options -> options.containsKey("issuer"))
                        .isPresent()
                ? Optional.empty()
                : configured(request)
                        .flatMap(UserConfig::password)
                        .flatMap(stored -> stored instanceof JwtKeyFile file ? tokens.of(file) : Optional.empty());
        if (ofUser.isPresent()) {
            return token -> ofUser.get().verify(token).thenApply(verdict -> byKeyFile(verdict, request.user()));
        }
        List<Issuer> issuers = issuersFor(request, rule);
        List<String> scopes = rule.flatMap(
                        its -> Optional.ofNullable(its.options().get("scope")))
                .map(TokenLogins::words)
                .orElse(List.of());
        return token -> ask(
                issuers,
                0,
                token,
                request.user(),
                method.word(),
                scopes,
                rule.flatMap(its -> mapping(its, request)),
                new Rejected("no issuer's tokens make anybody this user"));
    }

    private static AuthenticationStep byKeyFile(TokenVerdict verdict, String user) {
        return switch (verdict) {
            case TokenVerdict.Accepted(var claims, var expires) ->
                claims.text(CLAIM_OF_KEY_FILES).equals(Optional.of(user))
                        ? new AuthenticationStep.Authenticated(
                                Identity.of(user, AuthMethod.JWT.word())
                                        .withPrincipal(user)
                                        .withExpiry(expires),
                                Optional.empty())
                        : new Rejected("the token is not for this user");
            case TokenVerdict.Refused(var reason) -> new Rejected(reason);
            case TokenVerdict.Unavailable(var cause) -> new AuthenticationStep.Unavailable(cause);
        };
    }

    /// One issuer after the other; whose token it is not says so before it looks at the signature.
    private static CompletionStage<AuthenticationStep> ask(
            List<Issuer> issuers,
            int at,
            Secret token,
            String user,
            String method,
            List<String> scopes,
            Optional<Issuer.Mapping> mapping,
            AuthenticationStep otherwise) {
        if (at == issuers.size()) {
            return CompletableFuture.completedStage(otherwise);
        }
        return issuers.get(at).admit(token, user, method, scopes, mapping).thenCompose(step -> switch (step) {
            case Rejected(var reason, var _) ->
                ask(
                        issuers,
                        at + 1,
                        token,
                        user,
                        method,
                        scopes,
                        mapping,
                        new Rejected(
                                (otherwise instanceof Rejected before && at > 0 ? before.reasonForLog() + "; " : "")
                                        + issuers.get(at).name() + ": " + reason));
            case AuthenticationStep other -> CompletableFuture.completedStage(other);
        });
    }

    // ---- oauth

    /// OAUTHBEARER, chosen by a rule with `issuer` and `scope`.
    public CompletionStage<LoginDecision> oauth(LoginRequest request, Optional<HbaRule> rule) {
        if (!confidential(request)) {
            return refused();
        }
        Optional<String> issuer =
                rule.flatMap(its -> Optional.ofNullable(its.options().get("issuer")));
        Optional<String> scope =
                rule.flatMap(its -> Optional.ofNullable(its.options().get("scope")));
        if (issuer.isEmpty() || scope.isEmpty()) {
            return CompletableFuture.completedStage(new LoginDecision.Refused(
                    ProxyError.methodNotSupported(), "method oauth needs a rule with issuer and scope"));
        }
        String url = Optional.ofNullable(tokens.issuers().get(issuer.get()))
                .flatMap(its -> its.config().issuer())
                .orElse(issuer.get());
        return CompletableFuture.completedStage(new LoginDecision.Ask(new OauthBearerExchange(
                new WhereToGetTokens(url, scope.get()), check(request, rule, AuthMethod.OAUTH))));
    }

    // ---- both

    /// Nobody reads along: there is TLS, or no network.
    private static boolean confidential(LoginRequest request) {
        return request.tls().isPresent() || request.address().isEmpty();
    }

    private static CompletionStage<LoginDecision> refused() {
        return CompletableFuture.completedStage(
                new LoginDecision.Refused(ProxyError.tokenNeedsEncryption(), "a token without TLS"));
    }

    private Optional<UserConfig> configured(LoginRequest request) {
        return config.pool(request.database()).flatMap(pool -> pool.user(request.user()));
    }

    private List<Issuer> issuersFor(LoginRequest request, Optional<HbaRule> rule) {
        Optional<String> only =
                rule.flatMap(its -> Optional.ofNullable(its.options().get("issuer")));
        Optional<String> ofUser = configured(request).flatMap(UserConfig::issuer);
        boolean known = config.knows(request.user());
        List<Issuer> found = new ArrayList<>();
        for (Issuer issuer : tokens.issuers().values()) {
            boolean his = known
                    ? ofUser.equals(Optional.of(issuer.name()))
                    : issuer.config().users().autoProvision() && issuer.config().isFor(request.user());
            if (his
                    && issuer.config().allows(request.database())
                    && only.filter(named -> !isNamed(issuer, named)).isEmpty()) {
                found.add(issuer);
            }
        }
        if (!known && rule.isEmpty() && looksUsersUp(request)) {
            // Who is not known here is looked up in PostgreSQL, unless his name says that he has a token.
            return found.stream().filter(TokenLogins::hasSuffix).toList();
        }
        // An issuer with a suffix is meant where a name has it.
        boolean bySuffix = found.stream().anyMatch(TokenLogins::hasSuffix);
        return !known && only.isEmpty() && bySuffix
                ? found.stream().filter(TokenLogins::hasSuffix).toList()
                : found;
    }

    private boolean looksUsersUp(LoginRequest request) {
        return config.pool(request.database()).flatMap(PoolConfig::authQuery).isPresent();
    }

    private static boolean hasSuffix(Issuer issuer) {
        return issuer.config().users().userSuffix().isPresent();
    }

    /// A rule names an issuer by its section, its URL, or that of its discovery document.
    private static boolean isNamed(Issuer issuer, String named) {
        return issuer.name().equals(named)
                || issuer.config()
                        .issuer()
                        .filter(url -> named.equals(url) || named.startsWith(url + WELL_KNOWN))
                        .isPresent();
    }

    /// With `map` the maps of `pg_ident.conf` decide; with `delegate_ident_mapping`, as without both, the
    /// issuer's own rules.
    private Optional<Issuer.Mapping> mapping(HbaRule rule, LoginRequest request) {
        return Optional.ofNullable(rule.options().get("map"))
                .map(map -> claimed -> maps.matches(Optional.of(map), claimed, request.database(), request.user()));
    }

    private static List<String> words(String text) {
        return Arrays.stream(text.split(" ", -1))
                .filter(word -> !word.isEmpty())
                .toList();
    }
}
