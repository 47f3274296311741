package org.pgporter.node.login;

import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;
import org.pgporter.auth.AuthenticationExchange;
import org.pgporter.auth.AuthenticationStep;
import org.pgporter.auth.AuthenticationStep.Authenticated;
import org.pgporter.auth.AuthenticationStep.Challenge;
import org.pgporter.auth.AuthenticationStep.Rejected;
import org.pgporter.auth.AuthenticationStep.Waits;
import org.pgporter.auth.ClientResponse;
import org.pgporter.auth.Identity;
import org.pgporter.auth.ServerChallenge;
import org.pgporter.auth.credential.DynamicCredentials.Answer;
import org.pgporter.auth.credential.HashedCredential;
import org.pgporter.auth.credential.Md5Secret;
import org.pgporter.auth.md5.Md5Exchange;

/// An exchange about a secret that may be out of date. When the client's proof does not fit, the secret is
/// looked up again. An MD5 response and a password in clear text are held against the new one at once. A
/// SCRAM proof is made for the salt that the client was shown, so there the next login comes in.
final class WatchedExchange implements AuthenticationExchange {
    /// Whom the exchange asks, and tells what came of it.
    interface Watcher {
        /// The identity as the session shall have it.
        Identity accepted(Identity identity, Answer answer);

        void refused();

        CompletionStage<Answer> findAgain(HashedCredential rejected);

        /// The same login from its beginning, with another secret.
        CompletionStage<LoginDecision> begin(Answer answer);

        String user();
    }

    private final AuthenticationExchange exchange;
    private final Answer answer;
    private final Watcher watcher;
    private @Nullable ServerChallenge asked;

    WatchedExchange(AuthenticationExchange exchange, Answer answer, Watcher watcher) {
        this.exchange = exchange;
        this.answer = answer;
        this.watcher = watcher;
    }

    @Override
    public AuthenticationStep start() {
        return noted(exchange.start());
    }

    @Override
    public AuthenticationStep onResponse(ClientResponse response) {
        return followed(noted(exchange.onResponse(response)), response);
    }

    @Override
    public int maxResponseLength() {
        return exchange.maxResponseLength();
    }

    private AuthenticationStep noted(AuthenticationStep step) {
        if (step instanceof Challenge(var challenge)) {
            asked = challenge;
        }
        return step;
    }

    private AuthenticationStep followed(AuthenticationStep step, ClientResponse response) {
        return switch (step) {
            case Authenticated(var identity, var data) -> new Authenticated(watcher.accepted(identity, answer), data);
            case Waits(var next) -> new Waits(next.thenApply(later -> followed(later, response)));
            case Rejected rejected -> {
                if (answer instanceof Answer.Found(var credential, var _)) {
                    yield new Waits(watcher.findAgain(credential)
                            .thenCompose(newer -> again(credential, newer, rejected, response)));
                }
                watcher.refused();
                yield rejected;
            }
            default -> step;
        };
    }

    /// What a newer secret says to the same proof.
    private CompletionStage<AuthenticationStep> again(
            HashedCredential old, Answer newer, Rejected rejected, ClientResponse response) {
        if (newer instanceof Answer.Found(var credential, var _) && !credential.equals(old)) {
            if (asked instanceof ServerChallenge.Md5Password(var salt) && credential instanceof Md5Secret md5) {
                return CompletableFuture.completedStage(
                        ended(Md5Exchange.recheck(watcher.user(), md5, salt, response), newer));
            }
            if (asked instanceof ServerChallenge.CleartextPassword) {
                return watcher.begin(newer).thenCompose(decision -> cleartext(decision, newer, rejected, response));
            }
        }
        return CompletableFuture.completedStage(ended(rejected, newer));
    }

    private CompletionStage<AuthenticationStep> cleartext(
            LoginDecision decision, Answer newer, Rejected rejected, ClientResponse response) {
        if (decision instanceof LoginDecision.Ask(var anew)
                && anew.start() instanceof Challenge(ServerChallenge.CleartextPassword _)) {
            AuthenticationStep step = anew.onResponse(response);
            return step instanceof Waits(var next)
                    ? next.thenApply(last -> ended(last, newer))
                    : CompletableFuture.completedStage(ended(step, newer));
        }
        return CompletableFuture.completedStage(ended(rejected, newer));
    }

    private AuthenticationStep ended(AuthenticationStep step, Answer newer) {
        if (step instanceof Authenticated(var identity, Optional<byte[]> data)) {
            return new Authenticated(watcher.accepted(identity, newer), data);
        }
        watcher.refused();
        return step;
    }
}
