package org.pgporter.support;

/// How a PostgreSQL server is asked to stop; the names are those of `pg_ctl stop --mode`.
public enum StopMode {
    /// Clients get FATAL 57P01 and everything is written to disk.
    FAST("INT"),
    /// Clients get a WARNING 57P02 at best. The next start has to recover, as after a crash.
    IMMEDIATE("QUIT");

    private final String signal;

    StopMode(String signal) {
        this.signal = signal;
    }

    String signal() {
        return signal;
    }
}
