package org.pgporter.integration.differential;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.pgporter.support.PostgresMajor;

/// As [DifferentialIT] with the oldest major that is supported, and each conversation in odd pieces only.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class DifferentialOldestIT {
    private final Stage stage = Stage.open(PostgresMajor.OLDEST);

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
        assertThat(Comparison.on(stage).delivered(Delivery.ODD).of(conversation))
                .isEmpty();
    }
}
