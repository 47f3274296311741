package org.pgporter.node.login;

import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import org.pgporter.auth.AuthenticationStep;
import org.pgporter.auth.DynamicUser;
import org.pgporter.auth.Identity;
import org.pgporter.auth.MockKind;
import org.pgporter.auth.MockSecrets;
import org.pgporter.auth.credential.CredentialKey;
import org.pgporter.auth.credential.CredentialSource;
import org.pgporter.auth.credential.DynamicCredentials;
import org.pgporter.auth.credential.DynamicCredentials.Answer;
import org.pgporter.auth.credential.HashedCredential;
import org.pgporter.auth.credential.Md5Secret;
import org.pgporter.auth.hba.HbaRule;
import org.pgporter.config.ProxyConfig;

/// Lets the methods that rest on a stored secret serve users who are looked up, too. A configured user goes
/// before one of the same name who is not. What is wrong with a client's proof may be that ours is old:
/// then it is looked up again.
public final class DynamicUsers {
    private final ProxyConfig config;
    private final CredentialSource configured;
    private final DynamicCredentials dynamic;
    private final MockSecrets mocks;
    private final Consumer<String> succeeded;
    private final Consumer<String> failed;
    private final LongAdder foundMd5 = new LongAdder();
    private final LongAdder foundScram = new LongAdder();

    /// @param succeeded told the database of each login that a looked up secret has decided well
    /// @param failed the same for those it has refused
    public DynamicUsers(
            ProxyConfig config,
            CredentialSource configured,
            DynamicCredentials dynamic,
            MockSecrets mocks,
            Consumer<String> succeeded,
            Consumer<String> failed) {
        this.config = config;
        this.configured = configured;
        this.dynamic = dynamic;
        this.mocks = mocks;
        this.succeeded = succeeded;
        this.failed = failed;
    }

    /// The method for all users, wherever their secrets are.
    public LoginMethod serving(SecretMethod method) {
        LoginMethod forConfigured = method.on(configured, mocks);
        return (request, rule) ->
                isDynamic(request) ? forDynamic(method, request, rule) : forConfigured.begin(request, rule);
    }

    private boolean isDynamic(LoginRequest request) {
        return dynamic.serves(request.database())
                && config.pool(request.database())
                        .flatMap(pool -> pool.user(request.user()))
                        .isEmpty();
    }

    private CompletionStage<LoginDecision> forDynamic(
            SecretMethod method, LoginRequest request, Optional<HbaRule> rule) {
        CredentialKey key = new CredentialKey(request.database(), request.user());
        return dynamic.find(key).thenCompose(answer -> {
            if (answer instanceof Answer.Found(var credential, var _)) {
                (credential instanceof Md5Secret ? foundMd5 : foundScram).increment();
            }
            Attempt attempt = new Attempt(method, request, rule, key);
            return method.on(fixed(answer), shown())
                    .begin(request, rule)
                    .thenApply(decision -> attempt.followed(decision, answer));
        });
    }

    /// Unknown users are asked as most of those are who were found.
    private MockSecrets shown() {
        long md5 = foundMd5.sum();
        long scram = foundScram.sum();
        return md5 + scram == 0 ? mocks : mocks.as(md5 > scram ? MockKind.MD5 : MockKind.SCRAM_SHA_256);
    }

    private static CredentialSource fixed(Answer answer) {
        return _ -> CompletableFuture.completedStage(DynamicCredentials.lookup(answer));
    }

    /// One login.
    private final class Attempt implements WatchedExchange.Watcher {
        private final SecretMethod method;
        private final LoginRequest request;
        private final Optional<HbaRule> rule;
        private final CredentialKey key;

        private Attempt(SecretMethod method, LoginRequest request, Optional<HbaRule> rule, CredentialKey key) {
            this.method = method;
            this.request = request;
            this.rule = rule;
            this.key = key;
        }

        private LoginDecision followed(LoginDecision decision, Answer answer) {
            return switch (decision) {
                case LoginDecision.Ask(var exchange) ->
                    new LoginDecision.Ask(new WatchedExchange(exchange, answer, this));
                case LoginDecision.Known(AuthenticationStep.Authenticated(var identity, var data)) ->
                    new LoginDecision.Known(new AuthenticationStep.Authenticated(accepted(identity, answer), data));
                case LoginDecision.Known known -> known;
                case LoginDecision.Refused refused -> refused;
            };
        }

        @Override
        public Identity accepted(Identity identity, Answer answer) {
            succeeded.accept(key.database());
            return answer instanceof Answer.Found(var _, var startup)
                    ? identity.withDynamic(new DynamicUser(startup))
                    : identity;
        }

        @Override
        public void refused() {
            failed.accept(key.database());
        }

        @Override
        public CompletionStage<Answer> findAgain(HashedCredential rejected) {
            return dynamic.findAgain(key, rejected);
        }

        @Override
        public CompletionStage<LoginDecision> begin(Answer answer) {
            return method.on(fixed(answer), shown()).begin(request, rule);
        }

        @Override
        public String user() {
            return request.user();
        }
    }
}
