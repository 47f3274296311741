package org.pgporter.node.os;

import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.pgporter.auth.Secret;
import org.pgporter.node.work.BlockingWork;

/// Asks PAM on threads that belong to the service that is asked, so that a module that is slow, or never comes back,
/// delays nobody but the users of its own service, and those only up to a limit.
public final class PamService implements AutoCloseable {
    /// Services with threads of their own at one time; names of services stand in the configuration.
    private static final int MOST_SERVICES = 64;

    private final Asked asked;
    private final Duration timeout;
    private final int threads;
    private final int queue;
    private final Map<String, BlockingWork> services = new ConcurrentHashMap<>();

    /// As [Pam#authenticate].
    @FunctionalInterface
    interface Asked {
        Pam.Outcome authenticate(String service, String user, Secret password, Optional<String> remoteHost);
    }

    /// @param timeout how long an answer may take, with the wait for a thread
    /// @param threads of each service
    /// @param queue logins that wait for a thread of one service
    public PamService(Duration timeout, int threads, int queue) {
        this(Pam::authenticate, timeout, threads, queue);
    }

    PamService(Asked asked, Duration timeout, int threads, int queue) {
        this.asked = asked;
        this.timeout = timeout;
        this.threads = threads;
        this.queue = queue;
    }

    /// Never blocks. The stage completes normally in all cases; [Pam.Outcome.Broken] when the answer does not come in
    /// time, or too many wait for one.
    ///
    /// @param remoteHost may block
    public CompletionStage<Pam.Outcome> authenticate(
            String service, String user, Secret password, Supplier<Optional<String>> remoteHost) {
        BlockingWork work = services.get(service);
        if (work == null) {
            if (services.size() >= MOST_SERVICES) {
                return CompletableFuture.completedStage(new Pam.Outcome.Broken("too many PAM services are in use"));
            }
            work = services.computeIfAbsent(
                    service, name -> BlockingWork.start("pgporter-pam-" + name + "-", threads, queue));
        }
        return work.submit(() -> asked.authenticate(service, user, password, remoteHost.get()), timeout)
                .exceptionally(failure -> new Pam.Outcome.Broken(cause(failure)))
                .thenCompose(PamService::afterItsDelay);
    }

    private static CompletionStage<Pam.Outcome> afterItsDelay(Pam.Outcome outcome) {
        if (outcome instanceof Pam.Outcome.Denied(var _, var delay) && delay.isPositive()) {
            Executor later = CompletableFuture.delayedExecutor(delay.toMillis(), TimeUnit.MILLISECONDS);
            return CompletableFuture.supplyAsync(() -> outcome, later);
        }
        return CompletableFuture.completedStage(outcome);
    }

    private String cause(Throwable failure) {
        Throwable root =
                failure instanceof CompletionException && failure.getCause() != null ? failure.getCause() : failure;
        return switch (root) {
            case TimeoutException _ -> "PAM did not answer within pam_timeout (" + timeout.toMillis() + " ms)";
            case RejectedExecutionException _ -> "too many logins wait for PAM (pam_queue: " + queue + ")";
            default -> String.valueOf(root);
        };
    }

    /// Logins that wait for a thread now, of all services.
    public int waiting() {
        return services.values().stream().mapToInt(BlockingWork::waiting).sum();
    }

    /// Logins that found no place since the start, of all services.
    public long refused() {
        return services.values().stream().mapToLong(BlockingWork::refused).sum();
    }

    /// Logins that were not answered in time since the start, of all services.
    public long late() {
        return services.values().stream().mapToLong(BlockingWork::late).sum();
    }

    @Override
    public void close() {
        services.values().forEach(BlockingWork::close);
    }
}
