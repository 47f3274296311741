package org.pgporter.drivers;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// psycopg 3, asyncpg, pgx, node-postgres and postgres.js, each with a program in its own language that does what
/// applications do and checks every answer itself.
class ForeignDriversIT {
    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "CONSOLE")
    void shouldServeAProgramOf(ForeignProgram program) {
        try (Served served = Served.start("driver_" + program.name().toLowerCase(Locale.ROOT))) {
            // When
            ForeignProgram.Outcome outcome = program.run(served.variables());

            // Then
            assertThat(outcome.exitCode()).as(outcome.output()).isZero();
            assertThat(outcome.lastLine())
                    // Over the time there may be more backends than the pool has at once: one may move to another loop.
                    .matches(
                            ".+: %d connections, %d of them on several of \\d+ backends, \\d{4,} answers, none mixed up"
                                    .formatted(Served.CONNECTIONS, Served.CONNECTIONS));
            System.out.println(outcome.lastLine());
        }
    }

    /// psycopg 3 and asyncpg with their defaults, which means the extended protocol and binary values.
    @Test
    void shouldServeDriversAtTheConsole() {
        try (Served served = Served.start("driver_console")) {
            ForeignProgram.Outcome outcome = ForeignProgram.CONSOLE.run(served.variables());

            assertThat(outcome.exitCode()).as(outcome.output()).isZero();
            assertThat(outcome.lastLine()).isEqualTo("console: all answers as they should be");
        }
    }
}
