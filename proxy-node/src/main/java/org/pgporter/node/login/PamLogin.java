package org.pgporter.node.login;

import java.net.InetAddress;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.pgporter.auth.AuthenticationStep;
import org.pgporter.auth.Identity;
import org.pgporter.auth.PasswordExchange;
import org.pgporter.auth.hba.AuthMethod;
import org.pgporter.auth.hba.HbaRule;
import org.pgporter.config.ProxyConfig;
import org.pgporter.config.UserConfig;
import org.pgporter.node.error.ProxyError;
import org.pgporter.node.os.Pam;
import org.pgporter.node.os.PamService;

/// The method `pam`: the modules of a PAM service decide about the password. The service is the rule's `pamservice`,
/// else the user's `auth_pam_service`, else `postgresql`, as in PostgreSQL.
public final class PamLogin implements LoginMethod {
    private static final String DEFAULT_SERVICE = "postgresql";

    private final ProxyConfig config;
    private final PamService pam;

    public PamLogin(ProxyConfig config, PamService pam) {
        this.config = config;
        this.pam = pam;
    }

    @Override
    public CompletionStage<LoginDecision> begin(LoginRequest request, Optional<HbaRule> rule) {
        if (!Pam.available()) {
            return CompletableFuture.completedStage(new LoginDecision.Refused(
                    ProxyError.methodNotSupported(), "PAM is not there: libpam.so.0 cannot be loaded"));
        }
        String service = rule.map(it -> it.options().get("pamservice"))
                .or(() -> ofUser(request))
                .orElse(DEFAULT_SERVICE);
        boolean byName = rule.map(it -> it.options().get("pam_use_hostname"))
                .filter("1"::equals)
                .isPresent();
        return CompletableFuture.completedStage(new LoginDecision.Ask(new PasswordExchange(password -> pam.authenticate(
                        service,
                        request.user(),
                        password,
                        // On the thread that asks PAM: a name is looked up there.
                        () -> request.address().map(address -> host(address, byName)))
                .thenApply(outcome -> step(request, outcome)))));
    }

    private Optional<String> ofUser(LoginRequest request) {
        return config.pool(request.database())
                .flatMap(pool -> pool.user(request.user()))
                .flatMap(UserConfig::authPamService);
    }

    private static String host(InetAddress address, boolean byName) {
        return byName ? address.getCanonicalHostName() : address.getHostAddress();
    }

    private static AuthenticationStep step(LoginRequest request, Pam.Outcome outcome) {
        return switch (outcome) {
            case Pam.Outcome.Accepted _ ->
                new AuthenticationStep.Authenticated(
                        Identity.of(request.user(), AuthMethod.PAM.word()).withPrincipal(request.user()),
                        Optional.empty());
            case Pam.Outcome.Denied(var reason, var _) ->
                new AuthenticationStep.Refused("PAM authentication failed for user \"" + request.user() + "\"", reason);
            case Pam.Outcome.Broken(var cause) -> new AuthenticationStep.Unavailable(cause);
        };
    }
}
