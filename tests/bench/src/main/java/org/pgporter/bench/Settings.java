package org.pgporter.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/// What all poolers are told alike.
final class Settings {
    /// How many clients a pooler takes, at least.
    static final int CLIENTS = 12_000;

    /// How long a client may wait for a backend connection. PgBouncer's default; with 10,000 clients that write,
    /// others'
    /// few seconds would be too short.
    static final Duration QUERY_WAIT = Duration.ofSeconds(120);

    /// Prepared statements for each backend connection.
    static final int PREPARED_STATEMENTS = 500;

    private Settings() {}

    /// Worker threads of the poolers that have several: one per processor, as PgPorter's event loops by default.
    static int workers() {
        return Runtime.getRuntime().availableProcessors();
    }

    static Path write(Path file, String text) {
        try {
            return Files.writeString(file, text);
        } catch (IOException e) {
            throw new BenchFailure(file + " cannot be written: " + e.getMessage(), e);
        }
    }
}
