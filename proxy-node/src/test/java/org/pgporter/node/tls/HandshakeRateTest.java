package org.pgporter.node.tls;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class HandshakeRateTest {
    private final AtomicLong clock = new AtomicLong(Long.MAX_VALUE - 1_000_000); // it may overflow at any time

    @Test
    void shouldLetEverybodyThroughWithoutALimit() {
        HandshakeRate rate = new HandshakeRate(0, Duration.ZERO, clock::get);
        assertThat(rate.take()).hasValue(0);
        assertThat(rate.take()).hasValue(0);
    }

    @Test
    void shouldSpaceTurnsEvenly() {
        HandshakeRate rate = new HandshakeRate(100, Duration.ofSeconds(1), clock::get);
        assertThat(rate.take()).hasValue(0);
        assertThat(rate.take()).hasValue(10_000_000);
        assertThat(rate.take()).hasValue(20_000_000);
        clock.addAndGet(15_000_000);
        assertThat(rate.take()).hasValue(15_000_000);
    }

    @Test
    void shouldSaveNothingUp() {
        HandshakeRate rate = new HandshakeRate(100, Duration.ofSeconds(1), clock::get);
        clock.addAndGet(Duration.ofHours(1).toNanos());
        assertThat(rate.take()).hasValue(0);
        assertThat(rate.take()).hasValue(10_000_000);
    }

    @Test
    void shouldGiveNoPlaceToWhoWouldWaitForTooLong() {
        HandshakeRate rate = new HandshakeRate(10, Duration.ofMillis(150), clock::get);
        assertThat(rate.take()).hasValue(0);
        assertThat(rate.take()).hasValue(100_000_000);
        assertThat(rate.take()).isEmpty();
        assertThat(rate.take()).isEmpty();
        clock.addAndGet(100_000_000);
        assertThat(rate.take()).hasValue(100_000_000);
    }
}
