package org.pgporter.node.session;

import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.pgporter.config.PoolOptions;
import org.pgporter.config.TimeoutOptions;
import org.pgporter.node.error.ProxyError;
import org.pgporter.node.session.Deadlines.Kind;
import org.pgporter.protocol.message.ErrorResponse;
import org.pgporter.protocol.message.TransactionStatus;

/// Which timeouts run while a session does what: it is told each step, and says on a wake-up what has to end.
///
/// | while                                        | these run                                   |
/// |----------------------------------------------|---------------------------------------------|
/// | nothing is asked, no transaction is open     | `client_idle_timeout`                       |
/// | a request waits for a backend connection     | `query_timeout`, `query_wait_notify`        |
/// | a request is on its backend connection       | `query_timeout`, `transaction_timeout`      |
/// | nothing is asked within a transaction        | `idle_transaction_timeout`, `transaction_timeout` |
///
/// A request is over when everything that the client has sent is answered and the last byte of the answer has
/// been handed to the client's socket. So a client that reads its answer slowly, or sends its query slowly,
/// has a query in flight; what lies in the socket's own buffers counts as delivered.
///
/// A transaction without BEGIN counts as one, too, as for PostgreSQL's `transaction_timeout`. Where nothing
/// has a limit each step costs one comparison.
final class SessionTimeouts {
    private final Deadlines deadlines;
    private final boolean none;

    /// @param alarm orders a call of [#wakeUp] after this time, in place of the one ordered before
    SessionTimeouts(PoolOptions options, LongSupplier nanoTime, Consumer<Duration> alarm) {
        Map<Kind, Duration> limits = limits(options);
        this.deadlines = new Deadlines(limits, nanoTime, alarm);
        this.none = limits.values().stream().allMatch(Duration::isZero);
    }

    private static Map<Kind, Duration> limits(PoolOptions options) {
        TimeoutOptions timeouts = options.timeouts();
        // Who waits no longer than that hears the error, and no notice just before it.
        boolean noticed = timeouts.queryWaitNotify().compareTo(options.queryWaitTimeout()) < 0;
        Map<Kind, Duration> limits = new EnumMap<>(Kind.class);
        limits.put(Kind.QUERY, timeouts.queryTimeout());
        limits.put(Kind.TRANSACTION, timeouts.transactionTimeout());
        limits.put(Kind.IDLE_TRANSACTION, timeouts.idleTransactionTimeout());
        limits.put(Kind.CLIENT_IDLE, timeouts.clientIdleTimeout());
        limits.put(Kind.QUEUED, noticed ? timeouts.queryWaitNotify() : Duration.ZERO);
        return limits;
    }

    /// Nothing is asked, and no backend connection is held.
    void idle() {
        answered(TransactionStatus.IDLE);
    }

    /// A request waits for a backend connection.
    void queued() {
        if (none) {
            return;
        }
        deadlines.disarm(Kind.CLIENT_IDLE);
        deadlines.arm(Kind.QUERY);
        deadlines.arm(Kind.QUEUED);
    }

    /// The request that waited has its backend connection.
    void attached() {
        if (none) {
            return;
        }
        deadlines.disarm(Kind.QUEUED);
        deadlines.arm(Kind.TRANSACTION);
    }

    /// Something went to the backend connection; it may belong to a request that is under way already.
    void querySent() {
        if (none) {
            return;
        }
        deadlines.disarm(Kind.CLIENT_IDLE);
        deadlines.disarm(Kind.IDLE_TRANSACTION);
        deadlines.armIfNot(Kind.QUERY);
        deadlines.armIfNot(Kind.TRANSACTION);
    }

    /// Everything that was asked is answered.
    void answered(TransactionStatus status) {
        if (none) {
            return;
        }
        if (status == TransactionStatus.IDLE) {
            deadlines.disarmAll();
            deadlines.arm(Kind.CLIENT_IDLE);
        } else {
            deadlines.disarm(Kind.QUERY);
            deadlines.arm(Kind.IDLE_TRANSACTION);
        }
    }

    /// The wake-up has come.
    ///
    /// @param notice tells the client that it waits for a backend connection, when it has done so for long
    ///     enough
    /// @return why the session has to end, if it has to
    Optional<ErrorResponse> wakeUp(Runnable notice) {
        return deadlines.wakeUp().flatMap(kind -> end(kind, notice));
    }

    private static Optional<ErrorResponse> end(Kind kind, Runnable notice) {
        return switch (kind) {
            case QUERY -> Optional.of(ProxyError.queryTimeout());
            case IDLE_TRANSACTION -> Optional.of(ProxyError.idleTransactionTimeout());
            case TRANSACTION -> Optional.of(ProxyError.transactionTimeout());
            case CLIENT_IDLE -> Optional.of(ProxyError.clientIdleTimeout());
            case QUEUED -> {
                notice.run();
                yield Optional.empty();
            }
        };
    }
}
