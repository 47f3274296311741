package org.pgporter.node.login;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.pgporter.auth.credential.HashedCredential;
import org.pgporter.auth.credential.JwtKeyFile;
import org.pgporter.auth.credential.Md5Secret;
import org.pgporter.auth.credential.PlainPassword;
import org.pgporter.auth.credential.StoredCredential;
import org.pgporter.auth.hba.AuthMethod;
import org.pgporter.auth.hba.HbaPolicy;
import org.pgporter.auth.hba.HbaRule;
import org.pgporter.auth.hba.HbaVerdict;
import org.pgporter.config.ProxyConfig;
import org.pgporter.config.TalosConfig;
import org.pgporter.config.UserConfig;
import org.pgporter.node.error.ProxyError;
import org.pgporter.protocol.message.ErrorResponse;

/// What a node would do with a client, for people who ask why. It is [LoginPolicy] that decides; only its
/// methods say what they would do instead of doing it.
///
/// @param rule the rule that decides; empty without rules, and where none fits
/// @param method that would run; empty where nobody comes in
/// @param refusal what the client would be told; empty where a method would run
/// @param reasons why, each in a line
public record LoginExplanation(
        Optional<HbaRule> rule, Optional<AuthMethod> method, Optional<ErrorResponse> refusal, List<String> reasons) {

    public LoginExplanation {
        reasons = List.copyOf(reasons);
    }

    /// Which method was begun, and by which rule.
    private record Begun(Optional<AuthMethod> method, Optional<HbaRule> rule) {}

    /// Never blocks; the stage completes normally in all cases.
    ///
    /// @param rules as [LoginPolicy] takes them
    public static CompletionStage<LoginExplanation> of(
            ProxyConfig config, Supplier<Optional<HbaPolicy>> rules, LoginRequest request) {
        AtomicReference<Begun> begun = new AtomicReference<>();
        AtomicReference<HbaVerdict> verdict = new AtomicReference<>(new HbaVerdict.NoEntry());
        Supplier<Optional<HbaPolicy>> watched = () -> rules.get()
                .map(policy -> asked -> policy.match(asked).thenApply(found -> {
                    verdict.set(found);
                    return found;
                }));
        Map<AuthMethod, LoginMethod> methods = new EnumMap<>(AuthMethod.class);
        for (AuthMethod method : AuthMethod.values()) {
            methods.put(method, noting(begun, Optional.of(method)));
        }
        Optional<LoginPolicy.TalosUser> talos = config.talosAnywhere()
                .map(_ -> new LoginPolicy.TalosUser(TalosConfig.USER, noting(begun, Optional.of(AuthMethod.JWT))));
        LoginPolicy policy = new LoginPolicy(watched, methods, noting(begun, Optional.empty()), talos);
        return policy.decide(request).thenApply(decision -> {
            Begun noted = begun.get();
            return noted == null
                    ? refused(decision, verdict.get())
                    : explained(config, request, noted.rule(), noted.method().orElse(AuthMethod.MD5));
        });
    }

    private static LoginMethod noting(AtomicReference<Begun> begun, Optional<AuthMethod> method) {
        return (_, rule) -> {
            begun.set(new Begun(method, rule));
            return CompletableFuture.completedStage(
                    new LoginDecision.Refused(ProxyError.methodNotSupported(), "only asked"));
        };
    }

    private static LoginExplanation refused(LoginDecision decision, HbaVerdict verdict) {
        Optional<HbaRule> rule =
                verdict instanceof HbaVerdict.Matched(var matched) ? Optional.of(matched) : Optional.empty();
        return switch (decision) {
            case LoginDecision.Refused(var error, var reason) ->
                new LoginExplanation(rule, Optional.empty(), Optional.of(error), List.of(reason));
            case LoginDecision.Ask _, LoginDecision.Known _ -> throw new IllegalStateException("nothing was begun");
        };
    }

    private static LoginExplanation explained(
            ProxyConfig config, LoginRequest request, Optional<HbaRule> rule, AuthMethod demanded) {
        List<String> reasons = new ArrayList<>();
        if (config.talosAnywhere().isPresent() && request.user().equals(TalosConfig.USER)) {
            return new LoginExplanation(
                    rule,
                    Optional.of(AuthMethod.JWT),
                    Optional.empty(),
                    List.of("behind the name " + TalosConfig.USER + " everybody comes with a token that names a role"));
        }
        Optional<UserConfig> user = config.pool(request.database()).flatMap(pool -> pool.user(request.user()));
        if (config.pool(request.database()).isEmpty()) {
            reasons.add("there is no database \"" + request.database()
                    + "\": the client is told so when it has proved itself, and not before");
        } else if (user.isEmpty()) {
            reasons.add("user \"" + request.user() + "\" is not among the users of this database");
        }
        reasons.add(rule.isPresent() ? "the rule demands " + demanded : "there are no rules (general.pg_hba)");
        rule.map(it -> it.options().get("clientcert"))
                .ifPresent(level -> reasons.add("and a certificate of the client (clientcert=" + level + ")"));
        Optional<AuthMethod> own = rule.isEmpty() && comesWithToken(config, request, user)
                ? Optional.of(AuthMethod.JWT)
                : user.flatMap(it -> ownMethod(it, reasons));
        if (own.filter(AuthMethod.JWT::equals).isPresent()
                && user.flatMap(UserConfig::password).isEmpty()) {
            reasons.add("who has this name comes with a token of an issuer");
        }
        AuthMethod method = demanded == AuthMethod.MD5 ? own.orElse(AuthMethod.MD5) : demanded;
        switch (demanded) {
            case MD5 -> {
                if (rule.isPresent()) {
                    reasons.add("under md5 it is the stored credential that decides");
                }
            }
            case SCRAM_SHA_256 -> {
                if (own.isPresent() && own.get() != AuthMethod.SCRAM_SHA_256) {
                    reasons.add("no password fits: the user has no SCRAM secret");
                }
            }
            case TRUST -> reasons.add("nothing is asked");
            case REJECT, PASSWORD, CERT, PAM, LDAP, PEER, JWT, OAUTH -> {}
        }
        return new LoginExplanation(rule, Optional.of(method), Optional.empty(), reasons);
    }

    private static boolean comesWithToken(ProxyConfig config, LoginRequest request, Optional<UserConfig> user) {
        return user.flatMap(UserConfig::issuer).isPresent()
                || (!config.knows(request.user())
                        && config.tokenIssuers().values().stream()
                                .anyMatch(issuer -> issuer.users().autoProvision()
                                        && issuer.isFor(request.user())
                                        && issuer.allows(request.database())));
    }

    /// By what the user of the configuration proves himself where no rule says otherwise.
    private static Optional<AuthMethod> ownMethod(UserConfig user, List<String> reasons) {
        if (user.authPamService().isPresent()) {
            reasons.add("the user has auth_pam_service");
            return Optional.of(AuthMethod.PAM);
        }
        if (user.password().isEmpty()) {
            reasons.add("the user has no password in the configuration");
            return Optional.empty();
        }
        StoredCredential stored = user.password().get();
        return Optional.of(
                switch (stored) {
                    case JwtKeyFile _ -> {
                        reasons.add("the user has a key file for tokens");
                        yield AuthMethod.JWT;
                    }
                    case Md5Secret _ -> {
                        reasons.add("an MD5 hash is stored");
                        yield AuthMethod.MD5;
                    }
                    case PlainPassword _, HashedCredential _ -> {
                        reasons.add(
                                stored instanceof PlainPassword
                                        ? "a plain password is stored"
                                        : "a SCRAM secret is stored");
                        yield AuthMethod.SCRAM_SHA_256;
                    }
                });
    }
}
