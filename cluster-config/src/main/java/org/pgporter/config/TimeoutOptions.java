package org.pgporter.config;

import java.time.Duration;

/// How long a client may do one thing before it hears of it; part of [PoolOptions]. 0: as long as it likes.
///
/// @param queryTimeout from a client's request to the end of the server's answer, the wait for a backend
///     connection included; then the query is cancelled and the session ends
/// @param transactionTimeout from the moment a transaction has a backend connection to its end; then the
///     session ends
/// @param idleTransactionTimeout how long a transaction may stay open with nothing asked; then the session
///     ends
/// @param clientIdleTimeout how long a client may stay with no transaction open and nothing asked; then the
///     session ends
/// @param queryWaitNotify a client that waits this long for a backend connection is told so by a notice
public record TimeoutOptions(
        Duration queryTimeout,
        Duration transactionTimeout,
        Duration idleTransactionTimeout,
        Duration clientIdleTimeout,
        Duration queryWaitNotify) {
    private static final TimeoutOptions DEFAULTS =
            new TimeoutOptions(Duration.ZERO, Duration.ZERO, Duration.ZERO, Duration.ZERO, Duration.ofSeconds(5));

    public TimeoutOptions {
        new Checks()
                .notNegative("query_timeout", queryTimeout)
                .notNegative("transaction_timeout", transactionTimeout)
                .notNegative("idle_transaction_timeout", idleTransactionTimeout)
                .notNegative("client_idle_timeout", clientIdleTimeout)
                .notNegative("query_wait_notify", queryWaitNotify)
                .throwIfAny();
    }

    public static TimeoutOptions defaults() {
        return DEFAULTS;
    }

    /// These with the keys that `overrides` has.
    TimeoutOptions overriddenBy(TimeoutOverrides overrides) {
        return new TimeoutOptions(
                overrides.queryTimeout().orElse(queryTimeout),
                overrides.transactionTimeout().orElse(transactionTimeout),
                overrides.idleTransactionTimeout().orElse(idleTransactionTimeout),
                overrides.clientIdleTimeout().orElse(clientIdleTimeout),
                overrides.queryWaitNotify().orElse(queryWaitNotify));
    }

    public TimeoutOptions withQueryTimeout(Duration changed) {
        return Records.with(this, "queryTimeout", changed);
    }

    public TimeoutOptions withTransactionTimeout(Duration changed) {
        return Records.with(this, "transactionTimeout", changed);
    }

    public TimeoutOptions withIdleTransactionTimeout(Duration changed) {
        return Records.with(this, "idleTransactionTimeout", changed);
    }

    public TimeoutOptions withClientIdleTimeout(Duration changed) {
        return Records.with(this, "clientIdleTimeout", changed);
    }

    public TimeoutOptions withQueryWaitNotify(Duration changed) {
        return Records.with(this, "queryWaitNotify", changed);
    }
}
