package org.pgporter.node.pool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.pgporter.cluster.limit.ConnectionPermit;
import org.pgporter.node.backend.BackendConnection;
import org.pgporter.node.backend.LeaseEvent;
import org.pgporter.node.backend.LeaseId;
import org.pgporter.node.error.ProxyError;
import org.pgporter.protocol.message.Severity;
import org.pgporter.protocol.message.SqlState;

@Timeout(30)
class PoolIT {
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
    void shouldKeepItsBoundsInABurst() { // checklist 114
        try (var postgres = FakePostgres.startSlow()) {
            // Given
            var client = world.client(Plans.sized(PoolWorld.plan(postgres.port()), 10, 0, 3));
            Set<LeaseId> wanted = new HashSet<>();

            // When nobody can log in yet
            for (int i = 0; i < 200; i++) {
                wanted.add(client.acquires());
            }

            // Then
            await().during(Duration.ofMillis(100)).until(() -> postgres.opening.get() == 3);
            assertThat(client.held()).isEqualTo(3);

            // When
            postgres.letIn(1_000);
            List<LeaseEvent.Attached> first = new ArrayList<>();
            for (int i = 0; i < 10; i++) {
                first.add(client.attached());
            }
            client.holder.expectNoMessage(Duration.ofMillis(50));
            first.forEach(client::gives);
            first.forEach(attached -> wanted.remove(attached.lease()));
            while (!wanted.isEmpty()) {
                var attached = client.attached();
                assertThat(wanted.remove(attached.lease())).isTrue();
                client.gives(attached);
            }

            // Then
            assertThat(postgres.mostOpening).hasValue(3);
            assertThat(postgres.mostOpen).hasValue(10);
            assertThat(postgres.connections()).isEqualTo(10);
            assertThat(client.held()).isEqualTo(10);
        }
    }

    @Test
    void shouldServeInTheOrderOfTheRequests() { // checklist 113
        try (var postgres = FakePostgres.start()) {
            // Given
            var client = world.client(Plans.sized(PoolWorld.plan(postgres.port()), 1, 0, 1));
            List<LeaseId> wanted = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                wanted.add(client.acquires());
            }

            // When, Then
            for (LeaseId lease : wanted) {
                client.gives(client.attached(lease));
            }
            assertThat(postgres.connections()).isEqualTo(1);
        }
    }

    @Test
    void shouldGiveUpAfterQueryWaitTimeout() {
        try (var postgres = FakePostgres.start()) {
            // Given
            var plan = Plans.waiting(PoolWorld.plan(postgres.port()), Duration.ofMillis(200));
            var client = world.client(Plans.sized(plan, 1, 0, 1));
            var first = client.attached(client.acquires());

            // When
            long start = System.nanoTime();
            var second = client.acquires();
            var third = client.acquires();
            var error = client.unserved(second);

            // Then
            assertThat(System.nanoTime() - start).isGreaterThanOrEqualTo(200_000_000);
            assertThat(error.severity()).isEqualTo(Severity.ERROR);
            assertThat(error.sqlState()).isEqualTo(SqlState.TOO_MANY_CONNECTIONS);
            assertThat(error.message()).startsWith("query_wait_timeout");
            client.unserved(third);
            client.gives(first);
            client.gives(client.attached(client.acquires()));
        }
    }

    @Test
    void shouldNotLetAnybodyWaitWithoutPatience() {
        try (var postgres = FakePostgres.start()) {
            // Given
            var plan = Plans.waiting(PoolWorld.plan(postgres.port()), Duration.ZERO);
            var client = world.client(Plans.sized(plan, 1, 0, 1));

            // When the first one is served, by a connection that is opened for it
            var first = client.attached(client.acquires());
            var error = client.unserved(client.acquires());

            // Then
            assertThat(error.message()).isEqualTo("all backend connections of the pool are in use");
            client.gives(first);
            await().untilAsserted(() -> {
                LeaseId lease = client.acquires();
                var event = client.holder.receiveMessage(PoolWorld.PATIENCE);
                assertThat(event).isInstanceOf(LeaseEvent.Attached.class);
                assertThat(event.lease()).isEqualTo(lease);
            });
        }
    }

    @Test
    void shouldForgetAWithdrawnRequest() { // checklist 119
        try (var postgres = FakePostgres.start()) {
            // Given
            var client = world.client(Plans.sized(PoolWorld.plan(postgres.port()), 1, 0, 1));
            var first = client.attached(client.acquires());
            var second = client.acquires();
            var third = client.acquires();

            // When
            client.pool.tell(new Pool.Withdraw(second, ProxyError.canceled()));
            client.pool.tell(new Pool.Withdraw(second, ProxyError.canceled()));
            client.pool.tell(new Pool.Withdraw(first.lease(), ProxyError.canceled()));

            // Then
            assertThat(client.unserved(second).sqlState()).isEqualTo(SqlState.QUERY_CANCELED);
            client.gives(first);
            client.gives(client.attached(third));
            client.gives(client.attached(client.acquires()));
        }
    }

    @Test
    void shouldNotLendAConnectionThatTheServerHasClosed() throws Exception { // checklist 121
        try (var postgres = FakePostgres.start()) {
            // Given
            var client = world.client(PoolWorld.plan(postgres.port()));
            client.gives(client.attached(client.acquires()));

            // When
            postgres.loggedIn.take().closesOutput();
            await().until(() -> client.held() == 0);

            // Then
            client.attached(client.acquires());
            assertThat(postgres.connections()).isEqualTo(2);
            assertThat(client.held()).isEqualTo(1);
        }
    }

    @Test
    void shouldServeARequestElsewhereWhenItsConnectionHasJustClosed() throws Exception { // checklist 121
        try (var postgres = FakePostgres.start()) {
            // Given an idle connection, of a pool that may have one
            var client = world.client(Plans.sized(PoolWorld.plan(postgres.port()), 1, 0, 1));
            var first = client.attached(client.acquires());
            client.gives(first);
            client.gives(client.attached(client.acquires()));
            assertThat(postgres.connections()).isEqualTo(1);

            // When it closes before the pool, which lends it, can know
            LeaseId lease = LeaseId.next();
            client.inOneTurn(() -> {
                client.pool.tell(client.acquire(lease));
                first.backend().tell(new BackendConnection.Retire("test"));
            });

            // Then
            var attached = client.attached(lease);
            assertThat(attached.backend()).isNotEqualTo(first.backend());
            assertThat(postgres.connections()).isEqualTo(2);
            assertThat(client.held()).isEqualTo(1);
        }
    }

    @Test
    void shouldWaitForPermitsThatSomebodyElseHolds() {
        try (var postgres = FakePostgres.start()) {
            // Given
            var client = world.client(Plans.sized(PoolWorld.plan(postgres.port()), 1, 0, 1));
            ConnectionPermit elsewhere =
                    client.permits.tryAcquire(PoolWorld.KEY, 1).orElseThrow();
            LeaseId lease = client.acquires();
            client.joins();

            // When
            client.holder.expectNoMessage(Duration.ofMillis(50));
            assertThat(postgres.connections()).isZero();
            elsewhere.release();

            // Then
            client.attached(lease);
            client.joined.expectMessageClass(Pool.Joined.class, PoolWorld.PATIENCE);
        }
    }

    @Test
    void shouldKeepTheMinimumOpenThroughLossesAndIdleness() throws Exception { // checklist 118
        try (var postgres = FakePostgres.start()) {
            // Given
            var plan = Plans.ageing(PoolWorld.plan(postgres.port()), Duration.ofMillis(100), Duration.ZERO);
            var client = world.client(Plans.sized(plan, 4, 2, 2));
            await().until(() -> postgres.open.get() == 2);

            // When one of them is lost
            postgres.loggedIn.take().closesOutput();

            // Then
            await().until(() -> postgres.connections() == 3 && postgres.open.get() == 2);

            // When more have been in use than the minimum
            List<LeaseEvent.Attached> all = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                client.acquires();
            }
            for (int i = 0; i < 4; i++) {
                all.add(client.attached());
            }
            assertThat(client.held()).isEqualTo(4);
            all.forEach(client::gives);

            // Then
            await().until(() -> client.held() == 2 && postgres.open.get() == 2);
            assertThat(postgres.connections()).isEqualTo(5);
            assertThat(postgres.mostOpen.get()).isLessThanOrEqualTo(4);
        }
    }

    @Test
    void shouldCloseWhatIsTooOldWhenItIsIdle() { // checklist 118
        try (var postgres = FakePostgres.start()) {
            // Given a connection that grows too old while it is in use, and one that does so idle
            var plan = Plans.ageing(PoolWorld.plan(postgres.port()), Duration.ZERO, Duration.ofMillis(200));
            var client = world.client(plan);
            client.acquires();
            client.acquires();
            var used = client.attached();
            client.gives(client.attached());

            // When
            await().until(() -> client.held() == 1);
            assertThat(postgres.open.get()).isGreaterThanOrEqualTo(1);
            client.gives(used);

            // Then
            await().until(() -> client.held() == 0 && postgres.open.get() == 0);
            var young = client.attached(client.acquires());
            assertThat(young.backend()).isNotEqualTo(used.backend());
        }
    }
}
