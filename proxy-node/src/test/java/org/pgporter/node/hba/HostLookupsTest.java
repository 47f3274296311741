package org.pgporter.node.hba;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.pgporter.auth.hba.AddressRange;

class HostLookupsTest {
    private static final InetAddress CLIENT = InetAddress.ofLiteral("10.1.2.3");

    @Test
    void shouldGiveTheNameThatLeadsBack() {
        try (HostLookups lookups =
                new HostLookups(literal -> literal.equals("10.1.2.3") ? "db1.example.com" : literal)) {
            assertThat(lookups.nameOf(CLIENT).join()).hasValue("db1.example.com");
            assertThat(lookups.nameOf(InetAddress.ofLiteral("::1")).join()).isEmpty();
        }
    }

    @Test
    void shouldAskOnceForAllWhoWait() throws InterruptedException {
        CountDownLatch mayAnswer = new CountDownLatch(1);
        AtomicInteger asked = new AtomicInteger();
        try (HostLookups lookups = new HostLookups(_ -> {
            asked.incrementAndGet();
            await(mayAnswer);
            return "db1";
        })) {
            CompletableFuture<Optional<String>> one = lookups.nameOf(CLIENT);
            CompletableFuture<Optional<String>> other = lookups.nameOf(CLIENT);
            one.cancel(true); // the other one is not touched by it
            mayAnswer.countDown();
            assertThat(other.join()).hasValue("db1");
            assertThat(lookups.nameOf(CLIENT).join()).hasValue("db1");
            assertThat(asked).hasValue(1);
        }
    }

    @Test
    void shouldNotRememberAFailure() {
        AtomicInteger asked = new AtomicInteger();
        try (HostLookups lookups = new HostLookups(_ -> {
            if (asked.incrementAndGet() == 1) {
                throw new IllegalStateException("no resolver");
            }
            return "db1";
        })) {
            assertThat(lookups.nameOf(CLIENT)
                            .handle((_, failure) -> failure != null)
                            .join())
                    .isTrue();
            assertThat(lookups.nameOf(CLIENT).join()).hasValue("db1");
        }
    }

    @Test
    void shouldRefuseWhatFindsNoPlaceToWait() {
        CountDownLatch mayAnswer = new CountDownLatch(1);
        try (HostLookups lookups = new HostLookups(literal -> {
            await(mayAnswer);
            return literal;
        })) {
            List<CompletableFuture<Optional<String>>> all = new ArrayList<>();
            int room = HostLookups.MOST_AT_ONCE + HostLookups.MOST_WAITING;
            for (int i = 0; i < room + 10; i++) {
                all.add(lookups.nameOf(InetAddress.ofLiteral("10.7." + i / 256 + "." + i % 256)));
            }
            assertThat(all.stream().filter(CompletableFuture::isCompletedExceptionally))
                    .hasSize(10);
            mayAnswer.countDown();
            assertThat(all.subList(0, room))
                    .allSatisfy(one -> assertThat(one.join()).isEmpty());
        }
    }

    @Test
    void shouldListTheNetworksOfThisMachine() {
        try (HostLookups lookups = new HostLookups()) {
            List<AddressRange> networks = lookups.networks().join();
            assertThat(networks).contains(AddressRange.of(InetAddress.getLoopbackAddress(), 8));
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            assertThat(latch.await(HostLookups.LONGEST.toSeconds(), TimeUnit.SECONDS))
                    .isTrue();
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }
}
