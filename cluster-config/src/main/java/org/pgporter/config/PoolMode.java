package org.pgporter.config;

/// When a lease ends. In the file: `session`, `transaction` or `statement`.
public enum PoolMode {
    /// When the client disconnects.
    SESSION,
    /// When the transaction has ended.
    TRANSACTION,
    /// After each statement; transactions of several statements are refused.
    STATEMENT
}
