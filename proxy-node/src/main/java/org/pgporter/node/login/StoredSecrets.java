package org.pgporter.node.login;

import java.security.SecureRandom;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import org.pgporter.auth.AuthenticationStep;
import org.pgporter.auth.ExchangeSelection;
import org.pgporter.auth.Identity;
import org.pgporter.auth.MockKind;
import org.pgporter.auth.MockSecrets;
import org.pgporter.auth.PasswordExchange;
import org.pgporter.auth.PasswordVerification;
import org.pgporter.auth.credential.CredentialKey;
import org.pgporter.auth.credential.CredentialLookup;
import org.pgporter.auth.credential.CredentialSource;
import org.pgporter.auth.credential.HashedCredential;
import org.pgporter.auth.credential.JwtKeyFile;
import org.pgporter.auth.credential.Md5Secret;
import org.pgporter.auth.credential.PlainPassword;
import org.pgporter.auth.credential.RotatedSecret;
import org.pgporter.auth.hba.AuthMethod;
import org.pgporter.auth.hba.HbaRule;
import org.pgporter.config.ConsoleOptions;
import org.pgporter.config.PoolConfig;
import org.pgporter.config.ProxyConfig;
import org.pgporter.node.error.ProxyError;

/// The methods that rest on a stored secret: `scram-sha-256`, `md5`, `password`, `trust`, and what is chosen
/// by the secret itself where no rule demands a method. In that case, and under `md5`, which in PostgreSQL,
/// too, only means "whatever is stored", the order is PgDoorman's: PAM, SCRAM, MD5, token.
public final class StoredSecrets {
    private final ProxyConfig config;
    private final CredentialSource credentials;
    private final MockSecrets mocks;
    private final SecureRandom random;
    private final Executor cpu;
    private final Map<AuthMethod, LoginMethod> others;

    /// @param cpu for work that would hold an event loop
    /// @param others the methods of users that have no secret: `pam` and `jwt`
    public StoredSecrets(
            ProxyConfig config,
            CredentialSource credentials,
            MockSecrets mocks,
            SecureRandom random,
            Executor cpu,
            Map<AuthMethod, LoginMethod> others) {
        this.config = config;
        this.credentials = credentials;
        this.mocks = mocks;
        this.random = random;
        this.cpu = cpu;
        this.others = Map.copyOf(others);
    }

    /// The same for users that are kept elsewhere.
    ///
    /// @param shown what unknown users are shown
    public StoredSecrets with(CredentialSource others, MockSecrets shown) {
        return new StoredSecrets(config, others, shown, random, cpu, this.others);
    }

    /// Whatever the user has.
    public CompletionStage<LoginDecision> byCredential(LoginRequest request, Optional<HbaRule> rule) {
        if (hasPamService(request)) {
            return other(AuthMethod.PAM, request, rule);
        }
        return lookup(request).thenCompose(found -> switch (found) {
            case CredentialLookup.Found(JwtKeyFile _) -> other(AuthMethod.JWT, request, rule);
            case CredentialLookup lookup -> CompletableFuture.completedStage(exchange(request, lookup, mocks.kind()));
        });
    }

    /// SCRAM and nothing else.
    public CompletionStage<LoginDecision> scram(LoginRequest request, Optional<HbaRule> rule) {
        if (hasPamService(request)) {
            return notSupported("the user has PAM, and the rule demands scram-sha-256");
        }
        return lookup(request).thenCompose(found -> switch (found) {
            case CredentialLookup.Found(JwtKeyFile _) ->
                notSupported("the user has a token, and the rule demands scram-sha-256");
            // As PostgreSQL: who has no SCRAM secret is led to the end, and fails there.
            case CredentialLookup.Found(Md5Secret _) ->
                CompletableFuture.completedStage(
                        exchange(request, new CredentialLookup.NotFound(), MockKind.SCRAM_SHA_256));
            case CredentialLookup.Found(RotatedSecret(Md5Secret _, var _)) ->
                CompletableFuture.completedStage(
                        exchange(request, new CredentialLookup.NotFound(), MockKind.SCRAM_SHA_256));
            case CredentialLookup lookup ->
                CompletableFuture.completedStage(exchange(request, lookup, MockKind.SCRAM_SHA_256));
        });
    }

    /// The password itself, held against whatever is stored.
    public CompletionStage<LoginDecision> password(LoginRequest request, Optional<HbaRule> rule) {
        if (hasPamService(request)) {
            return other(AuthMethod.PAM, request, rule);
        }
        return lookup(request).thenCompose(found -> switch (found) {
            case CredentialLookup.Found(JwtKeyFile _) -> other(AuthMethod.JWT, request, rule);
            case CredentialLookup.Found(HashedCredential secret) -> askForPassword(request, Optional.of(secret));
            case CredentialLookup.Unavailable(var cause) -> CompletableFuture.completedStage(unavailable(cause));
            case CredentialLookup _ -> askForPassword(request, Optional.empty());
        });
    }

    private CompletionStage<LoginDecision> askForPassword(LoginRequest request, Optional<HashedCredential> credential) {
        return CompletableFuture.completedStage(new LoginDecision.Ask(new PasswordExchange(password -> {
            try {
                return CompletableFuture.supplyAsync(
                        () -> PasswordVerification.verify(request.user(), credential, password, mocks), cpu);
            } catch (RejectedExecutionException e) {
                return CompletableFuture.completedStage(
                        new AuthenticationStep.Unavailable("too many passwords are being verified"));
            }
        })));
    }

    /// Nothing is asked, but the user must be one.
    public CompletionStage<LoginDecision> trust(LoginRequest request, Optional<HbaRule> rule) {
        Identity identity = Identity.of(request.user(), AuthMethod.TRUST.word());
        if (hasPamService(request)) {
            return CompletableFuture.completedStage(known(identity));
        }
        return lookup(request).thenApply(found -> switch (found) {
            case CredentialLookup.Found(Md5Secret secret) -> known(identity.withProof(secret.hash()));
            case CredentialLookup.Found _ -> known(identity);
            // Where rules decide, a user of the configuration needs no password.
            case CredentialLookup.NotFound _
            when config.settings(databaseForLookup(request), request.user()).isPresent() -> known(identity);
            case CredentialLookup.NotFound _ ->
                new LoginDecision.Refused(ProxyError.noSuchRole(request.user()), "the user is not known");
            case CredentialLookup.Unavailable(var cause) -> unavailable(cause);
        });
    }

    private CompletionStage<CredentialLookup> lookup(LoginRequest request) {
        return credentials
                .lookup(new CredentialKey(databaseForLookup(request), request.user()))
                .thenCompose(found -> hashed(request.user(), found));
    }

    /// The user is looked up where he is known, so that a database that does not exist is told apart only
    /// after he has proved who he is.
    private String databaseForLookup(LoginRequest request) {
        Map<String, PoolConfig> pools = config.pools();
        if (pools.containsKey(request.database()) || isOperatorOfTheConsole(request)) {
            return request.database();
        }
        return pools.keySet().stream()
                .filter(database -> config.settings(database, request.user()).isPresent())
                .findFirst()
                .orElse(request.database());
    }

    /// The one user of the console who needs no pool.
    private boolean isOperatorOfTheConsole(LoginRequest request) {
        return ConsoleOptions.isConsole(request.database())
                && config.general().console().passwordOf(request.user()).isPresent();
    }

    private boolean hasPamService(LoginRequest request) {
        return config.pool(request.database())
                .flatMap(pool -> pool.user(request.user()))
                .flatMap(user -> user.authPamService())
                .isPresent();
    }

    private CompletionStage<CredentialLookup> hashed(String user, CredentialLookup lookup) {
        if (lookup instanceof CredentialLookup.Found(PlainPassword password)) {
            try {
                return CompletableFuture.supplyAsync(
                        () -> new CredentialLookup.Found(mocks.adHocSecret(user, password)), cpu);
            } catch (RejectedExecutionException e) {
                return CompletableFuture.completedStage(
                        new CredentialLookup.Unavailable("too many passwords are being derived"));
            }
        }
        return CompletableFuture.completedStage(lookup);
    }

    private LoginDecision exchange(LoginRequest request, CredentialLookup lookup, MockKind mock) {
        return switch (lookup) {
            case CredentialLookup.Found(HashedCredential secret) ->
                new LoginDecision.Ask(ExchangeSelection.exchangeFor(
                        request.user(), Optional.of(secret), mocks.as(mock), request.endPoint(), random));
            case CredentialLookup.Unavailable(var cause) -> unavailable(cause);
            case CredentialLookup _ ->
                new LoginDecision.Ask(ExchangeSelection.exchangeFor(
                        request.user(), Optional.empty(), mocks.as(mock), request.endPoint(), random));
        };
    }

    private CompletionStage<LoginDecision> other(AuthMethod method, LoginRequest request, Optional<HbaRule> rule) {
        LoginMethod other = others.get(method);
        return other == null ? notSupported(method + " is not there") : other.begin(request, rule);
    }

    private static LoginDecision known(Identity identity) {
        return new LoginDecision.Known(new AuthenticationStep.Authenticated(identity, Optional.empty()));
    }

    private static LoginDecision unavailable(String cause) {
        return new LoginDecision.Refused(
                ProxyError.authenticationUnavailable(), "credential source unavailable: " + cause);
    }

    private static CompletionStage<LoginDecision> notSupported(String reason) {
        return CompletableFuture.completedStage(new LoginDecision.Refused(ProxyError.methodNotSupported(), reason));
    }
}
