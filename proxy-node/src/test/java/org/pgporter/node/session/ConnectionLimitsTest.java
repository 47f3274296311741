package org.pgporter.node.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class ConnectionLimitsTest {
    @Test
    void shouldGrantAsManyAsTheLimit() {
        // Given
        var limits = new ConnectionLimits(2);

        // When
        var first = limits.ofNode();
        var second = limits.ofNode();
        var third = limits.ofNode();

        // Then
        assertThat(List.of(first.granted(), second.granted(), third.granted())).containsExactly(true, true, false);
        assertThat(limits.connections()).isEqualTo(2);
    }

    @Test
    void shouldLetCountsFallOnceForEachPlace() { // checklist 48
        // Given
        var limits = new ConnectionLimits(2);
        var first = limits.ofNode();
        limits.ofNode();
        var refused = limits.ofNode();

        // When
        first.giveBack();
        first.giveBack();
        refused.giveBack();

        // Then
        assertThat(limits.connections()).isEqualTo(1);
        assertThat(limits.ofNode().granted()).isTrue();
        assertThat(limits.ofNode().granted()).isFalse();
    }

    @Test
    void shouldCountEachDatabaseAndEachUserOfADatabaseByItself() {
        // Given
        var limits = new ConnectionLimits(100);

        // When, Then
        assertThat(limits.ofDatabase("a", 1).granted()).isTrue();
        assertThat(limits.ofDatabase("a", 1).granted()).isFalse();
        assertThat(limits.ofDatabase("b", 1).granted()).isTrue();
        assertThat(limits.ofUser("a", "u", 1).granted()).isTrue();
        assertThat(limits.ofUser("a", "u", 1).granted()).isFalse();
        assertThat(limits.ofUser("b", "u", 1).granted()).isTrue();
        assertThat(limits.allCounts()).isEqualTo(4);
    }

    @Test
    void shouldTakeZeroForNoLimit() {
        var limits = new ConnectionLimits(1);
        for (int i = 0; i < 1_000; i++) {
            assertThat(limits.ofDatabase("a", 0).granted()).isTrue();
        }
    }

    @Test
    @Timeout(30)
    void shouldNeverExceedALimitNorLoseAPlaceUnderContention() throws Exception {
        // Given
        int threads = 8;
        int limit = 5;
        var limits = new ConnectionLimits(limit);
        var granted = new AtomicInteger();
        var most = new AtomicInteger();
        var held = new AtomicInteger();
        Callable<Void> client = () -> {
            for (int i = 0; i < 50_000; i++) {
                var place = limits.ofNode();
                most.accumulateAndGet(limits.connections(), Math::max);
                if (place.granted()) {
                    granted.incrementAndGet();
                    most.accumulateAndGet(held.incrementAndGet(), Math::max);
                    held.decrementAndGet();
                }
                place.giveBack();
                place.giveBack();
            }
            return null;
        };

        // When
        try (var executor = Executors.newFixedThreadPool(threads)) {
            List<Callable<Void>> clients = new ArrayList<>();
            for (int i = 0; i < threads; i++) {
                clients.add(client);
            }
            for (var done : executor.invokeAll(clients)) {
                done.get(20, TimeUnit.SECONDS);
            }
        }

        // Then
        assertThat(most.get()).isLessThanOrEqualTo(limit);
        assertThat(granted.get()).isPositive();
        assertThat(limits.allCounts()).isZero();
    }
}
