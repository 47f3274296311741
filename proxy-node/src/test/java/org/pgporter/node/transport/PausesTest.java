package org.pgporter.node.transport;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class PausesTest {
    private final Pauses pauses = new Pauses(50);

    @Test
    void shouldKnowNothingOfSleepsThatEndedInTime() {
        assertThat(pauses.woke(1000, 25, 1025)).isZero();
        assertThat(pauses.woke(1025, 25, 1099)).isEqualTo(49);
        assertThat(pauses.woke(1099, 25, 1110)).isEqualTo(-14);

        assertThat(pauses.ran(1000, 110)).isEqualTo(110);
    }

    @Test
    void shouldTakeAPauseOffTheTurnsThatItLiesIn() {
        // Given: asleep from 1000, awake at 1300 instead of 1025
        assertThat(pauses.woke(1000, 25, 1300)).isEqualTo(275);

        assertThat(pauses.ran(900, 500)).as("around it").isEqualTo(200);
        assertThat(pauses.ran(1100, 100)).as("inside").isZero();
        assertThat(pauses.ran(1200, 200)).as("begun inside").isEqualTo(100);
        assertThat(pauses.ran(900, 200)).as("ended inside").isEqualTo(100);
        assertThat(pauses.ran(1300, 200)).as("behind").isEqualTo(200);
        assertThat(pauses.ran(700, 200)).as("before").isEqualTo(200);
    }

    @Test
    void shouldAddUpPausesAndForgetOldOnes() {
        for (int i = 0; i < 20; i++) {
            pauses.woke(i * 1000L, 0, i * 1000L + 100);
        }

        assertThat(pauses.ran(18_000, 2000)).isEqualTo(1800);
        assertThat(pauses.ran(0, 1000)).as("forgotten").isEqualTo(1000);
    }
}
