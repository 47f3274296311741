package org.pgporter.node.backend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.pgporter.auth.Secret;
import org.pgporter.auth.scram.ScramClientExchange.NeedsSaltedPassword;
import org.pgporter.node.work.CpuWork;

final class SaltedPasswordCacheTest {
    private static NeedsSaltedPassword asked(String password) {
        return new NeedsSaltedPassword(Secret.of(password), new byte[] {1, 2, 3, 4}, 1);
    }

    @Test
    void shouldFailWhenTooManyDerivationsWait() throws Exception {
        try (var cpu = CpuWork.start("test-cpu-")) {
            var held = new CountDownLatch(1);
            while (cpu.refused() == 0) {
                try {
                    cpu.execute(() -> await(held));
                } catch (RejectedExecutionException e) {
                    assertThat(cpu.waiting()).isPositive();
                }
            }
            var refused = new SaltedPasswordCache(cpu).derive(asked("secret")).toCompletableFuture();
            assertThatThrownBy(() -> refused.get(20, TimeUnit.SECONDS))
                    .isInstanceOf(ExecutionException.class)
                    .hasCauseInstanceOf(RejectedExecutionException.class);
            held.countDown();
        }
    }

    @Test
    void shouldGiveEachAskerBytesOfItsOwn() throws Exception {
        try (var cpu = CpuWork.start("test-cpu-")) {
            var cache = new SaltedPasswordCache(cpu);
            byte[] first = cache.derive(asked("secret")).toCompletableFuture().get(20, TimeUnit.SECONDS);
            byte[] expected = first.clone();
            first[0]++;
            byte[] second = cache.derive(asked("secret")).toCompletableFuture().get(20, TimeUnit.SECONDS);
            assertThat(second).isEqualTo(expected);
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await(20, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // the executor has ended
        }
    }
}
