package org.pgporter.bench;

import java.nio.file.Path;
import java.util.Optional;

/// Something that clients of PostgreSQL can be sent to: one line for each work in the tables.
interface Contender {
    /// What the tables call it.
    String name();

    /// Why it cannot do this work at all; empty when it can.
    Optional<String> cannot(Work work);

    /// Starts it and returns when somebody listens.
    ///
    /// @param directory where its configuration and its output go; it exists
    /// @throws BenchFailure with the words of the process when it does not come up
    Pooler start(Database database, Setup setup, Path directory);

    /// Whether a process of its own lies between clients and PostgreSQL.
    default boolean isPooler() {
        return true;
    }
}
