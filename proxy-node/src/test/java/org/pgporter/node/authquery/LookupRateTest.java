package org.pgporter.node.authquery;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class LookupRateTest {
    private long now = Long.MAX_VALUE - 3; // a clock that overflows, as nanoTime may

    @Test
    void shouldLetAsManyBeginAsInOneSecondAndThenOneAfterTheOther() {
        LookupRate rate = new LookupRate(10, now);
        for (int i = 0; i < 10; i++) {
            assertThat(rate.take(now)).isTrue();
        }
        assertThat(rate.take(now)).isFalse();
        assertThat(rate.untilNext(now)).isEqualTo(Duration.ofMillis(100));
        now += Duration.ofMillis(100).toNanos();
        assertThat(rate.take(now)).isTrue();
        assertThat(rate.take(now)).isFalse();
    }

    @Test
    void shouldNotSaveMoreThanOneSecond() {
        LookupRate rate = new LookupRate(10, now);
        now += Duration.ofHours(1).toNanos();
        int begun = 0;
        while (rate.take(now)) {
            begun++;
        }
        assertThat(begun).isEqualTo(10);
    }

    @Test
    void shouldLimitNothingWhenToldSo() {
        LookupRate rate = new LookupRate(0, now);
        for (int i = 0; i < 10_000; i++) {
            assertThat(rate.take(now)).isTrue();
        }
    }
}
