package org.pgporter.node.pool;

import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.pgporter.protocol.message.ErrorResponse;
import org.pgporter.protocol.message.SqlState;

/// What PostgreSQL said when it did not let a pool in, and how long the pool leaves it in peace after that.
/// Confined to its pool.
final class LoginBackOff {
    private final Duration pause;
    private @Nullable ErrorResponse refusal;
    private long retryAt;

    /// @param pause from a refusal to the next try
    LoginBackOff(Duration pause) {
        this.pause = pause;
    }

    void refused(ErrorResponse error) {
        refusal = error;
        retryAt = System.nanoTime() + pause.toNanos();
    }

    void letIn() {
        refusal = null;
    }

    /// The last word of PostgreSQL, until it lets somebody in.
    Optional<ErrorResponse> refusal() {
        return Optional.ofNullable(refusal);
    }

    boolean mayTry() {
        return refusal == null || System.nanoTime() - retryAt >= 0;
    }

    /// What to tell those who would have to wait for the next try.
    Optional<ErrorResponse> lasting() {
        return refusal != null && isLasting(refusal) && !mayTry() ? Optional.of(refusal) : Optional.empty();
    }

    /// A server that starts up or has no slot free at the moment is worth waiting for.
    static boolean isLasting(ErrorResponse error) {
        return !error.sqlState().equals(SqlState.TOO_MANY_CONNECTIONS)
                && !error.sqlState().equals(SqlState.CANNOT_CONNECT_NOW);
    }
}
