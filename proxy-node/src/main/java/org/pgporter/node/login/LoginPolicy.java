package org.pgporter.node.login;

import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.pgporter.auth.hba.AuthMethod;
import org.pgporter.auth.hba.HbaPolicy;
import org.pgporter.auth.hba.HbaRule;
import org.pgporter.auth.hba.HbaVerdict;
import org.pgporter.node.error.ProxyError;

/// Decides how a client proves who it is: first the rules of `pg_hba.conf`, then the method that the matching rule
/// demands. Without rules the stored credential of the user alone says which method it is.
public final class LoginPolicy {
    private final Supplier<Optional<HbaPolicy>> rules;
    private final Map<AuthMethod, LoginMethod> methods;
    private final LoginMethod withoutRule;
    private final Optional<TalosUser> talos;
    private final UnaryOperator<LoginMethod> besides;

    /// The one user name behind which everybody comes with a token that says which role it is for.
    ///
    /// @param name `talos`
    public record TalosUser(String name, LoginMethod method) {}

    /// @param rules those that hold at this moment; empty: nobody has set any
    /// @param methods what the rules can demand; a method that is missing is refused
    /// @param withoutRule chooses by the stored credential
    /// @param talos comes before every method but a rejection
    public LoginPolicy(
            Supplier<Optional<HbaPolicy>> rules,
            Map<AuthMethod, LoginMethod> methods,
            LoginMethod withoutRule,
            Optional<TalosUser> talos) {
        this(rules, methods, withoutRule, talos, UnaryOperator.identity());
    }

    private LoginPolicy(
            Supplier<Optional<HbaPolicy>> rules,
            Map<AuthMethod, LoginMethod> methods,
            LoginMethod withoutRule,
            Optional<TalosUser> talos,
            UnaryOperator<LoginMethod> besides) {
        this.besides = besides;
        this.rules = rules;
        this.methods = Map.copyOf(methods);
        this.withoutRule = withoutRule;
        this.talos = talos;
    }

    /// The same, with more that rules can demand beside a method.
    ///
    /// @param demands makes of each method one that demands it
    public LoginPolicy demanding(UnaryOperator<LoginMethod> demands) {
        return new LoginPolicy(rules, methods, withoutRule, talos, demands);
    }

    /// Never blocks; the stage completes normally in all cases.
    public CompletionStage<LoginDecision> decide(LoginRequest request) {
        Optional<HbaPolicy> held = rules.get();
        if (held.isEmpty()) {
            return begin(withoutRule, request, Optional.empty());
        }
        return held.get().match(request.forRules()).thenCompose(verdict -> switch (verdict) {
            case HbaVerdict.Matched(var rule)
            when rule.method() == AuthMethod.REJECT ->
                refused(new LoginDecision.Refused(
                        ProxyError.rejectedByRule(request.forRules()), "rule " + rule.where()));
            case HbaVerdict.Matched(var rule) -> begin(demandedBy(rule), request, Optional.of(rule));
            case HbaVerdict.NoEntry _ ->
                refused(new LoginDecision.Refused(ProxyError.noRule(request.forRules()), "no rule of pg_hba matches"));
            case HbaVerdict.Undecided(var cause) ->
                refused(new LoginDecision.Refused(ProxyError.authenticationUnavailable(), cause));
        });
    }

    private CompletionStage<LoginDecision> begin(LoginMethod method, LoginRequest request, Optional<HbaRule> rule) {
        LoginMethod chosen = talos.filter(user -> user.name().equals(request.user()))
                .map(TalosUser::method)
                .orElse(method);
        return besides.apply(chosen).begin(request, rule);
    }

    private LoginMethod demandedBy(HbaRule rule) {
        return methods.getOrDefault(
                rule.method(),
                (_, _) -> refused(new LoginDecision.Refused(
                        ProxyError.methodNotSupported(), "method " + rule.method() + " of " + rule.where())));
    }

    private static CompletionStage<LoginDecision> refused(LoginDecision.Refused decision) {
        return CompletableFuture.completedStage(decision);
    }
}
