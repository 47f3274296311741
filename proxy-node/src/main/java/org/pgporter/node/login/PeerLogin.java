package org.pgporter.node.login;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.IntFunction;
import java.util.function.Supplier;
import org.pgporter.auth.AuthenticationStep;
import org.pgporter.auth.Identity;
import org.pgporter.auth.hba.AuthMethod;
import org.pgporter.auth.hba.HbaRule;
import org.pgporter.auth.hba.IdentityMap;
import org.pgporter.auth.hba.IdentityVerdict;
import org.pgporter.node.os.SystemUsers;
import org.pgporter.node.work.BlockingWork;

/// The method `peer`: who is at the other end of a Unix socket is what the kernel says.
public final class PeerLogin implements LoginMethod, AutoCloseable {
    /// Names of users may come from a directory far away; whoever waits longer is told that it cannot be told.
    private static final Duration LOOKUP_LIMIT = Duration.ofSeconds(10);

    private static final int THREADS = 2;

    /// Lookups that wait for a thread at most.
    private static final int MOST_WAITING = 100;

    private final Supplier<IdentityMap> maps;
    private final IntFunction<Optional<String>> names;
    private final BlockingWork work = BlockingWork.start("pgporter-users-", THREADS, MOST_WAITING);

    /// @param maps those that hold at this moment
    public PeerLogin(Supplier<IdentityMap> maps) {
        this(maps, SystemUsers::name);
    }

    PeerLogin(Supplier<IdentityMap> maps, IntFunction<Optional<String>> names) {
        this.maps = maps;
        this.names = names;
    }

    @Override
    public CompletionStage<LoginDecision> begin(LoginRequest request, Optional<HbaRule> rule) {
        if (request.peerUser().isEmpty()) {
            return known(failed(
                    request,
                    "the peer's user is not known: it can be told on Unix sockets with general.io io_uring, epoll or"
                            + " kqueue"));
        }
        int number = request.peerUser().getAsInt();
        return work.submit(() -> names.apply(number), LOOKUP_LIMIT)
                .thenCompose(name -> name.isEmpty()
                        ? CompletableFuture.completedStage(failed(request, "no system user has the number " + number))
                        : matched(request, rule, name.get()))
                .exceptionally(
                        failure -> new AuthenticationStep.Unavailable("looking up a system user failed: " + failure))
                .thenApply(LoginDecision.Known::new);
    }

    private CompletionStage<AuthenticationStep> matched(LoginRequest request, Optional<HbaRule> rule, String name) {
        Optional<String> map = rule.map(it -> it.options().get("map"));
        return maps.get().matches(map, name, request.database(), request.user()).thenApply(verdict -> switch (verdict) {
            case IdentityVerdict.Matches _ ->
                new AuthenticationStep.Authenticated(
                        Identity.of(request.user(), AuthMethod.PEER.word()).withPrincipal(name), Optional.empty());
            case IdentityVerdict.NoMatch(var reason) -> failed(request, reason);
            case IdentityVerdict.Undecided(var cause) -> new AuthenticationStep.Unavailable(cause);
        });
    }

    private static AuthenticationStep failed(LoginRequest request, String reason) {
        return new AuthenticationStep.Refused("Peer authentication failed for user \"" + request.user() + "\"", reason);
    }

    private static CompletionStage<LoginDecision> known(AuthenticationStep step) {
        return CompletableFuture.completedStage(new LoginDecision.Known(step));
    }

    @Override
    public void close() {
        work.close();
    }
}
