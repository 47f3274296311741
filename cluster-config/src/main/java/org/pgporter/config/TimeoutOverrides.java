package org.pgporter.config;

import java.time.Duration;
import java.util.Optional;

/// The keys of [TimeoutOptions] that a pool or a user sets for itself; part of [PoolOverrides]. A 0 of its
/// own lifts what it would inherit.
public record TimeoutOverrides(
        Optional<Duration> queryTimeout,
        Optional<Duration> transactionTimeout,
        Optional<Duration> idleTransactionTimeout,
        Optional<Duration> clientIdleTimeout,
        Optional<Duration> queryWaitNotify) {
    private static final TimeoutOverrides NONE = new TimeoutOverrides(
            Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty());

    public TimeoutOverrides {
        new Checks()
                .notNegative("query_timeout", queryTimeout)
                .notNegative("transaction_timeout", transactionTimeout)
                .notNegative("idle_transaction_timeout", idleTransactionTimeout)
                .notNegative("client_idle_timeout", clientIdleTimeout)
                .notNegative("query_wait_notify", queryWaitNotify)
                .throwIfAny();
    }

    /// Everything is inherited.
    public static TimeoutOverrides none() {
        return NONE;
    }

    public TimeoutOverrides withQueryTimeout(Duration changed) {
        return Records.with(this, "queryTimeout", Optional.of(changed));
    }

    public TimeoutOverrides withTransactionTimeout(Duration changed) {
        return Records.with(this, "transactionTimeout", Optional.of(changed));
    }

    public TimeoutOverrides withIdleTransactionTimeout(Duration changed) {
        return Records.with(this, "idleTransactionTimeout", Optional.of(changed));
    }

    public TimeoutOverrides withClientIdleTimeout(Duration changed) {
        return Records.with(this, "clientIdleTimeout", Optional.of(changed));
    }

    public TimeoutOverrides withQueryWaitNotify(Duration changed) {
        return Records.with(this, "queryWaitNotify", Optional.of(changed));
    }
}
