package org.pgporter.cluster.limit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.pgporter.cluster.PoolKey;

class LocalPermitsTest {
    private static final PoolKey KEY = new PoolKey("app", "alice");

    private final LocalPermits permits = new LocalPermits();

    @Test
    void shouldGrantUpToTheLimitOfEachPool() {
        ConnectionPermit first = permits.tryAcquire(KEY, 2).orElseThrow();
        assertThat(permits.tryAcquire(KEY, 2)).isPresent();
        assertThat(permits.tryAcquire(KEY, 2)).isEmpty();
        assertThat(permits.tryAcquire(new PoolKey("app", "bob"), 2)).isPresent();
        first.release();
        assertThat(permits.tryAcquire(KEY, 2)).isPresent();
        assertThat(permits.tryAcquire(KEY, 2)).isEmpty();
    }

    @Test
    void shouldCountAReleaseOnce() {
        ConnectionPermit first = permits.tryAcquire(KEY, 2).orElseThrow();
        assertThat(permits.tryAcquire(KEY, 2)).isPresent();
        first.release();
        first.release();
        assertThat(permits.held(KEY)).isOne();
    }

    @Test
    void shouldFollowALimitThatWasLowered() {
        ConnectionPermit first = permits.tryAcquire(KEY, 2).orElseThrow();
        ConnectionPermit second = permits.tryAcquire(KEY, 2).orElseThrow();
        first.release();
        assertThat(permits.tryAcquire(KEY, 1)).isEmpty();
        second.release();
        assertThat(permits.tryAcquire(KEY, 1)).isPresent();
        assertThatIllegalArgumentException().isThrownBy(() -> permits.tryAcquire(KEY, 0));
    }

    @Test
    void shouldNeverExceedTheLimitUnderContention() throws Exception {
        // Given
        int limit = 3;
        AtomicInteger inUse = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        Callable<Integer> worker = () -> {
            int granted = 0;
            for (int i = 0; i < 5_000; i++) {
                var permit = permits.tryAcquire(KEY, limit);
                if (permit.isPresent()) {
                    granted++;
                    most.accumulateAndGet(inUse.incrementAndGet(), Math::max);
                    inUse.decrementAndGet();
                    permit.get().release();
                }
            }
            return granted;
        };

        // When
        List<Future<Integer>> results = new ArrayList<>();
        try (ExecutorService threads = Executors.newFixedThreadPool(8)) {
            for (int i = 0; i < 8; i++) {
                results.add(threads.submit(worker));
            }
        }

        // Then
        int granted = 0;
        for (Future<Integer> result : results) {
            granted += result.get();
        }
        assertThat(granted).isPositive();
        assertThat(most.get()).isLessThanOrEqualTo(limit);
        assertThat(permits.held(KEY)).isZero();
    }
}
