package org.pgporter.node.pool;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.pgporter.node.backend.LeaseEvent;
import org.pgporter.node.backend.LeaseId;
import org.pgporter.node.error.ProxyError;

/// Who is served when a connection becomes free.
@Timeout(30)
class PoolQueueIT {
    @SuppressWarnings("NullAway.Init")
    private static PoolWorld world;

    @BeforeAll
    static void start() {
        world = new PoolWorld();
    }

    @AfterAll
    static void stop() {
        world.close();
    }

    @Test
    void shouldServeExactlyTheFirstWhenOneConnectionBecomesFree() { // checklist 113
        try (var postgres = FakePostgres.start()) {
            // Given
            var client = world.client(Plans.sized(PoolWorld.plan(postgres.port()), 2, 0, 2));
            client.acquires();
            client.acquires();
            List<LeaseEvent.Attached> used = new ArrayList<>(List.of(client.attached(), client.attached()));
            List<LeaseId> waiting = new ArrayList<>();
            for (int i = 0; i < 5; i++) {
                waiting.add(client.acquires());
            }

            // When, Then
            for (LeaseId next : waiting) {
                client.gives(used.removeFirst());
                used.add(client.attached(next));
                client.hasHeard();
                client.holder.expectNoMessage(Duration.ofMillis(1));
            }
            assertThat(postgres.connections()).isEqualTo(2);
        }
    }

    @Test
    void shouldPassOnAConnectionWhoseClientHasGivenUpMeanwhile() { // checklist 119
        try (var postgres = FakePostgres.start()) {
            // Given
            var client = world.client(Plans.sized(PoolWorld.plan(postgres.port()), 1, 0, 1));
            var used = client.attached(client.acquires());
            LeaseId leaving = client.acquires();
            LeaseId next = client.acquires();

            // When the connection is given back to somebody who is not there any more
            client.gives(used);
            var late = client.attached(leaving);
            client.pool.tell(new Pool.Withdraw(leaving, ProxyError.canceled())); // crosses the lease: too late
            client.gives(late);

            // Then
            client.gives(client.attached(next));
            client.gives(client.attached(client.acquires()));
            assertThat(postgres.connections()).isEqualTo(1);
        }
    }

    /// The pool counts what is on its way when it decides what else to open, and looks again when it has come.
    @Test
    void shouldCountAgainWhenAConnectionHasBeenOpened() { // checklist 114
        try (var postgres = FakePostgres.startSlow()) {
            // Given two openings for two who wait
            var client = world.client(Plans.sized(PoolWorld.plan(postgres.port()), 3, 0, 2));
            LeaseId first = client.acquires();
            LeaseId second = client.acquires();
            client.pool.tell(new Pool.Withdraw(second, ProxyError.canceled()));
            client.unserved(second);

            // When
            postgres.letIn(10);
            client.attached(first);
            LeaseId third = client.acquires();

            // Then the second connection serves the third, and no other one was opened
            client.attached(third);
            client.hasHeard();
            assertThat(client.held()).isEqualTo(2);
            assertThat(postgres.connections()).isEqualTo(2);
        }
    }
}
