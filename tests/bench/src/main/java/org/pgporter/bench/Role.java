package org.pgporter.bench;

import java.util.Locale;

/// Who logs in. Each is a role of PostgreSQL's own and a user of the poolers, with the same password and the same
/// stored secret.
enum Role {
    /// For work whose logins lie outside of the window: fewer iterations, so that 10,000 of them are soon in. With less
    /// than four digits Odyssey 1.5 cuts its message short.
    CROWD("scram-sha-256", 1000),
    /// SCRAM-SHA-256 with PostgreSQL's default number of iterations.
    SCRAM("scram-sha-256", 4096),
    MD5("md5", 4096);

    static final String PASSWORD = "bench-password";

    private final String encryption;
    private final int iterations;

    Role(String encryption, int iterations) {
        this.encryption = encryption;
        this.iterations = iterations;
    }

    String user() {
        return "bench_" + name().toLowerCase(Locale.ROOT);
    }

    /// The statements of a superuser that create the role.
    String[] creation() {
        return new String[] {
            "set scram_iterations = " + iterations,
            "set password_encryption = '" + encryption + "'",
            "create role " + user() + " login password '" + PASSWORD + "'"
        };
    }
}
