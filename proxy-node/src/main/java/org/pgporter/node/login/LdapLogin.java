package org.pgporter.node.login;

import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.pgporter.auth.AuthenticationStep;
import org.pgporter.auth.Identity;
import org.pgporter.auth.PasswordExchange;
import org.pgporter.auth.hba.AuthMethod;
import org.pgporter.auth.hba.HbaRule;
import org.pgporter.node.error.ProxyError;
import org.pgporter.node.ldap.LdapOutcome;
import org.pgporter.node.ldap.LdapService;
import org.pgporter.node.ldap.LdapTarget;

/// The method `ldap`: the directory that the rule names decides about the password.
public final class LdapLogin implements LoginMethod {
    private final LdapService ldap;

    public LdapLogin(LdapService ldap) {
        this.ldap = ldap;
    }

    @Override
    public CompletionStage<LoginDecision> begin(LoginRequest request, Optional<HbaRule> rule) {
        LdapTarget target;
        try {
            target = LdapTarget.of(rule.orElseThrow(() -> new IllegalArgumentException("there is no rule"))
                    .options());
        } catch (IllegalArgumentException e) {
            return CompletableFuture.completedStage(
                    new LoginDecision.Refused(ProxyError.authenticationUnavailable(), "ldap: " + e.getMessage()));
        }
        return CompletableFuture.completedStage(new LoginDecision.Ask(new PasswordExchange(password ->
                ldap.authenticate(target, request.user(), password).thenApply(outcome -> step(request, outcome)))));
    }

    private static AuthenticationStep step(LoginRequest request, LdapOutcome outcome) {
        return switch (outcome) {
            case LdapOutcome.Accepted(var name) ->
                new AuthenticationStep.Authenticated(
                        Identity.of(request.user(), AuthMethod.LDAP.word()).withPrincipal(name), Optional.empty());
            case LdapOutcome.Denied(var reason) ->
                new AuthenticationStep.Refused(
                        "LDAP authentication failed for user \"" + request.user() + "\"", reason);
            case LdapOutcome.Broken(var cause) -> new AuthenticationStep.Unavailable(cause);
        };
    }
}
