package org.pgporter.bench;

import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;

/// Measures how long a pooler takes from the start of its process until a client has the answer to a query: the client
/// tries again at once as long as nobody listens.
///
/// @param directory where configuration and output go
record FirstAnswer(Database database, Path directory) {
    private static final Duration ANSWERS_WITHIN = Duration.ofSeconds(30);

    Measurement run(Work.Start work, Contender contender) {
        // The client's own classes shall not be what is waited for.
        ask(Pooler.direct(new Direct(), database));
        var started = System.nanoTime();
        try (var pooler = contender.start(database, work.setup(), directory)) {
            ask(pooler);
            var millis = (System.nanoTime() - started) / 1e6;
            return new Measurement(Map.of(Metric.FIRST_ANSWER_MILLIS, millis));
        }
    }

    private static void ask(Pooler pooler) {
        var deadline = System.nanoTime() + ANSWERS_WITHIN.toNanos();
        while (true) {
            try {
                Database.ask(pooler, Setup.Pool.FORTY);
                return;
            } catch (SQLException e) {
                if (System.nanoTime() > deadline) {
                    throw new BenchFailure(pooler.contender().name() + " does not answer: " + e.getMessage(), e);
                }
            }
        }
    }
}
