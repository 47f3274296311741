package org.pgporter.config;

/// When a backend connection is asked what a session has left on it, before another session gets it (transaction
/// and statement mode). In the file: `auto`, `always` or `never`.
public enum StateCheck {
    /// After a transaction whose statements say that they may have changed the session.
    AUTO,
    /// After every transaction: also for what functions do inside, at the price of one more round trip to the
    /// backend each time.
    ALWAYS,
    /// Not at all: whoever changes his session changes it for others.
    NEVER
}
