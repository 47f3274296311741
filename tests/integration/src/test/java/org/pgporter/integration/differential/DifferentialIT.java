package org.pgporter.integration.differential;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.pgporter.support.PostgresMajor;

/// Every conversation of the tables is played to PostgreSQL itself, and through PgPorter in transaction and in
/// session mode: whole, byte by byte and in odd pieces. Every message that comes back must be the same.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class DifferentialIT {
    private final Stage stage = Stage.open(PostgresMajor.NEWEST);

    static List<Conversation> conversations() {
        return Tables.all();
    }

    @AfterAll
    void close() {
        stage.close();
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("conversations")
    void shouldSayTheSame(Conversation conversation) {
        assertThat(Comparison.on(stage).of(conversation)).isEmpty();
    }
}
