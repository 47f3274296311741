package org.pgporter.node.pool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.pgporter.support.BackendMessages.fatalResponse;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.pgporter.node.backend.BackendConnection;
import org.pgporter.node.backend.LeaseEvent;
import org.pgporter.node.backend.LeaseId;
import org.pgporter.protocol.message.SqlState;

/// A pool whose PostgreSQL says no, and a pool that is shut down.
@Timeout(30)
class PoolRefusalIT {
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

    @ParameterizedTest
    @ValueSource(strings = {"28P01", "3D000"})
    void shouldPassALastingRefusalOnAndRecover(String sqlState) { // checklist 116
        try (var postgres = FakePostgres.startSlow()) {
            // Given
            postgres.refuse(fatalResponse(sqlState, "no"));
            var client = world.client(Plans.sized(PoolWorld.plan(postgres.port()), 4, 0, 1));
            List<LeaseId> waiting = List.of(client.acquires(), client.acquires(), client.acquires());
            client.joins();

            // When
            postgres.letIn(1);

            // Then
            for (LeaseId lease : waiting) {
                assertThat(client.unserved(lease).sqlState()).isEqualTo(new SqlState(sqlState));
            }
            assertThat(client.joined
                            .expectMessageClass(Pool.JoinFailed.class, PoolWorld.PATIENCE)
                            .error()
                            .message())
                    .isEqualTo("no");

            // When somebody comes before the back-off is over
            postgres.refuseNoMore();
            LeaseId early = client.acquires();
            client.joins();

            // Then
            assertThat(client.unserved(early).message()).isEqualTo("no");
            client.joined.expectMessageClass(Pool.JoinFailed.class, PoolWorld.PATIENCE);
            assertThat(postgres.connections()).isEqualTo(1);
            await().until(() -> client.held() == 0);

            // Then the first one after it is served
            postgres.letIn(10);
            recovers(client);
            assertThat(postgres.connections()).isEqualTo(2);
            client.joins();
            client.joined.expectMessageClass(Pool.Joined.class, PoolWorld.PATIENCE);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"53300", "57P03"})
    void shouldLetPeopleWaitForAServerThatHasNoRoomYet(String sqlState) { // checklist 116
        try (var postgres = FakePostgres.start()) {
            // Given
            postgres.refuse(fatalResponse(sqlState, "not now"));
            var client = world.client(Plans.sized(PoolWorld.plan(postgres.port()), 4, 0, 1));
            LeaseId lease = client.acquires();
            client.joins();

            // When it has been tried again
            await().until(() -> postgres.connections() >= 2);
            client.holder.expectNoMessage(Duration.ofMillis(1));
            client.joined.expectNoMessage(Duration.ofMillis(1));
            postgres.refuseNoMore();

            // Then
            client.attached(lease);
            client.joined.expectMessageClass(Pool.Joined.class, PoolWorld.PATIENCE);
            assertThat(client.held()).isEqualTo(1);
        }
    }

    @Test
    void shouldGoOnWithWhatIsOpenWhenNoMoreCanBeOpened() { // checklist 116
        try (var postgres = FakePostgres.start()) {
            // Given
            var client = world.client(Plans.sized(PoolWorld.plan(postgres.port()), 4, 0, 1));
            var first = client.attached(client.acquires());

            // When
            postgres.refuse(fatalResponse("28P01", "password changed"));
            LeaseId waiting = client.acquires();
            await().until(() -> postgres.connections() == 2 && client.held() == 1);
            client.holder.expectNoMessage(Duration.ofMillis(1));

            // Then
            client.gives(first);
            client.attached(waiting);
        }
    }

    @Test
    void shouldSayThatPostgresCannotBeReachedAndRecover() { // checklist 116
        // Given
        int port;
        try (var gone = FakePostgres.start()) {
            port = gone.port();
        }
        var client = world.client(PoolWorld.plan(port));

        // When
        var error = client.unserved(client.acquires());

        // Then
        assertThat(error.sqlState()).isEqualTo(SqlState.CONNECTION_FAILURE);
        assertThat(error.message())
                .isEqualTo("cannot reach PostgreSQL: connection to 127.0.0.1:" + port + " failed: Connection refused");
        await().until(() -> client.held() == 0);
        try (var _ = FakePostgres.startOn(port)) {
            recovers(client);
        }
    }

    @Test
    void shouldCloseConnectionsAsTheyBecomeFreeWhenShutDown() { // checklist 128
        try (var postgres = FakePostgres.start()) {
            // Given one connection in use, one idle, and somebody who waits
            var client = world.client(Plans.sized(PoolWorld.plan(postgres.port()), 2, 0, 2));
            client.acquires();
            client.acquires();
            var used = client.attached();
            var alsoUsed = client.attached();
            LeaseId waiting = client.acquires();
            assertThat(client.held()).isEqualTo(2);

            // When
            client.pool.tell(new Pool.Shutdown());

            // Then
            assertThat(client.unserved(waiting).sqlState()).isEqualTo(SqlState.CANNOT_CONNECT_NOW);
            assertThat(client.unserved(client.acquires()).sqlState()).isEqualTo(SqlState.CANNOT_CONNECT_NOW);
            client.joins();
            client.joined.expectMessageClass(Pool.JoinFailed.class, PoolWorld.PATIENCE);
            client.gives(alsoUsed);
            await().until(() -> client.held() == 1);
            assertThat(postgres.open.get()).isGreaterThanOrEqualTo(1);
            client.gives(used);
            client.holder.expectTerminated(client.pool, PoolWorld.PATIENCE);
            assertThat(client.held()).isZero();
            await().until(() -> postgres.open.get() == 0);
        }
    }

    @Test
    void shouldEndWithConnectionsThatAreStillBeingOpened() {
        try (var postgres = FakePostgres.startSlow()) {
            // Given
            var client = world.client(PoolWorld.plan(postgres.port()));
            LeaseId waiting = client.acquires();
            client.joins();
            await().until(() -> postgres.opening.get() > 0);

            // When
            client.pool.tell(new Pool.Shutdown());
            client.unserved(waiting);
            client.joined.expectMessageClass(Pool.JoinFailed.class, PoolWorld.PATIENCE);
            postgres.letIn(10);

            // Then
            client.holder.expectTerminated(client.pool, PoolWorld.PATIENCE);
            assertThat(client.held()).isZero();
        }
    }

    @Test
    void shouldAnswerARequestThatComesBackDuringTheShutdown() throws Exception {
        try (var postgres = FakePostgres.start()) {
            // Given an idle connection
            var client = world.client(PoolWorld.plan(postgres.port()));
            var first = client.attached(client.acquires());
            client.gives(first);
            client.gives(client.attached(client.acquires()));

            // When the connection that is lent closes, and the pool with it
            LeaseId lease = LeaseId.next();
            client.inOneTurn(() -> {
                client.pool.tell(client.acquire(lease));
                client.pool.tell(new Pool.Shutdown());
                first.backend().tell(new BackendConnection.Retire("test"));
            });

            // Then
            assertThat(client.unserved(lease).sqlState()).isEqualTo(SqlState.CANNOT_CONNECT_NOW);
            client.holder.expectTerminated(client.pool, PoolWorld.PATIENCE);
            assertThat(client.held()).isZero();
        }
    }

    /// Asks until it is served: a request that comes too early is refused.
    private static void recovers(PoolWorld.Client client) {
        await().untilAsserted(() -> {
            LeaseId lease = client.acquires();
            var event = client.holder.receiveMessage(PoolWorld.PATIENCE);
            assertThat(event).isInstanceOf(LeaseEvent.Attached.class);
            assertThat(event.lease()).isEqualTo(lease);
        });
    }
}
