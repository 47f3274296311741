package org.pgporter.node.pool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.pgporter.support.BackendMessages.fatalResponse;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.pekko.actor.typed.DispatcherSelector;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.pgporter.config.DatabaseLimits;
import org.pgporter.node.backend.BackendConnection;
import org.pgporter.node.backend.LeaseEvent;
import org.pgporter.node.backend.LeaseId;
import org.pgporter.node.backend.WantedParameters;
import org.pgporter.node.error.ProxyError;
import org.pgporter.protocol.message.SqlState;

/// Sessions of two event loops that use one pool: `home` are those of the loop that the pool lives on.
@Timeout(30)
class PoolShardsIT {
    @SuppressWarnings("NullAway.Init")
    private static PoolWorld world;

    @BeforeAll
    static void start() {
        world = new PoolWorld();
    }

    @AfterEach
    void shutDown() {
        world.shutDownPools();
    }

    @AfterAll
    static void stop() {
        world.close();
    }

    @Test
    void shouldLetTheOtherLoopJoinAndUseWhatIsIdleWithoutOpeningMore() {
        try (var postgres = FakePostgres.start()) {
            // Given
            var home = world.client(PoolWorld.plan(postgres.port()));
            var first = home.attached(home.acquires());
            home.gives(first);

            // When
            var other = home.onTheOtherLoop();
            var second = other.attached(other.acquires());

            // Then
            assertThat(second.backend()).isEqualTo(first.backend());
            assertThat(home.isAtHome(second)).isTrue();
            assertThat(postgres.connections()).isEqualTo(1);
            other.gives(second);
            home.gives(home.attached(home.acquires()));
        }
    }

    /// The end of a connection is heard directly, its last words come through the shard of its loop.
    @Test
    void shouldTellWhyAConnectionWasRefusedEvenIfItsEndIsHeardFirst() throws Exception {
        try (var postgres = FakePostgres.start()) {
            // Given
            var home = world.client(PoolWorld.plan(postgres.port()));
            var open = home.attached(home.acquires());
            var other = home.onTheOtherLoop();
            home.gives(open);
            postgres.refuse(fatalResponse("28P01", "no"));
            open.backend().tell(new BackendConnection.Retire("test"));
            await().until(() -> home.held() == 0);

            // When, Then
            try (var _ = other.behindTheOtherLoop()) {
                assertThat(other.unserved(other.acquires()).message()).isEqualTo("no");
            }
        }
    }

    @Test
    void shouldOpenOnTheLoopWhereSomebodyWaits() {
        try (var postgres = FakePostgres.start()) {
            // Given
            var home = world.client(PoolWorld.plan(postgres.port()));
            var first = home.attached(home.acquires());
            var other = home.onTheOtherLoop();

            // When
            var second = other.attached(other.acquires());

            // Then
            assertThat(other.isAtHome(second)).isTrue();
            assertThat(home.held()).isEqualTo(2);

            // When all are idle, each loop takes its own
            home.gives(first);
            other.gives(second);
            home.hasHeard();
            other.hasHeard();
            assertThat(other.attached(other.acquires()).backend()).isEqualTo(second.backend());
            assertThat(home.attached(home.acquires()).backend()).isEqualTo(first.backend());
        }
    }

    /// While each loop can serve itself, nothing that happens on one is heard on the other.
    @Test
    void shouldServeTheOtherLoopWhileThatOfThePoolIsBusy() throws Exception {
        try (var postgres = FakePostgres.start()) {
            // Given a full pool with a connection on each loop
            var home = world.client(Plans.sized(PoolWorld.plan(postgres.port()), 2, 0, 2));
            var first = home.attached(home.acquires());
            var other = home.onTheOtherLoop();
            var second = other.attached(other.acquires());
            home.hasHeard();

            home.inOneTurn(() -> {
                // When nobody else waits
                other.gives(second);
                other.hasHeard();
                var used = second;
                for (int i = 0; i < 100; i++) {
                    used = other.attached(other.acquires());
                    other.gives(used);
                    other.hasHeard();
                }
                used = other.attached(other.acquires());
                // When there is a line
                for (int i = 0; i < 100; i++) {
                    other.acquires();
                }
                for (int i = 0; i < 100; i++) {
                    other.gives(used);
                    used = other.attached();
                }
                other.gives(used);
            });

            // Then
            assertThat(postgres.connections()).isEqualTo(2);
            home.gives(first);
            home.attached(home.acquires());
        }
    }

    @Test
    void shouldServeBothLoopsInTurnWithOneConnection() {
        try (var postgres = FakePostgres.start()) {
            // Given
            var home = world.client(Plans.sized(PoolWorld.plan(postgres.port()), 1, 0, 1));
            var used = home.attached(home.acquires());
            var other = home.onTheOtherLoop();

            // When, Then
            for (int round = 0; round < 20; round++) {
                LeaseId waiting = other.acquires();
                other.hasHeard();
                home.gives(used);
                used = other.attached(waiting);
                waiting = home.acquires();
                home.hasHeard();
                other.gives(used);
                used = home.attached(waiting);
            }
            assertThat(postgres.connections()).isEqualTo(1);
        }
    }

    @Test
    void shouldServeTheOtherLoopFirstIfItHasWaitedClearlyLonger() {
        try (var postgres = FakePostgres.start()) {
            // Given a full pool, and a line on both loops
            var home = world.client(Plans.sized(PoolWorld.plan(postgres.port()), 2, 0, 2));
            home.acquires();
            home.acquires();
            var one = home.attached();
            var two = home.attached();
            var other = home.onTheOtherLoop();
            LeaseId first = other.acquires();
            other.holder.expectNoMessage(Duration.ofMillis(50));
            List<LeaseId> later = List.of(home.acquires(), home.acquires());

            // When
            home.hasHeard();
            home.gives(one);

            // Then
            var served = other.attached(first);
            assertThat(served.backend()).isEqualTo(one.backend());
            home.gives(two);
            home.attached(later.getFirst());
            other.gives(served);
            home.attached(later.getLast());
            assertThat(postgres.mostPresent).hasValue(2);
        }
    }

    @Test
    void shouldForgetAWithdrawnRequestOfTheOtherLoop() { // checklist 119
        try (var postgres = FakePostgres.start()) {
            // Given
            var home = world.client(Plans.sized(PoolWorld.plan(postgres.port()), 1, 0, 1));
            var used = home.attached(home.acquires());
            var other = home.onTheOtherLoop();
            LeaseId leaving = other.acquires();
            LeaseId staying = other.acquires();

            // When
            other.pool.tell(new Pool.Withdraw(leaving, ProxyError.canceled()));
            other.pool.tell(new Pool.Withdraw(leaving, ProxyError.canceled()));
            other.pool.tell(new Pool.Withdraw(used.lease(), ProxyError.canceled()));

            // Then
            assertThat(other.unserved(leaving).sqlState()).isEqualTo(SqlState.QUERY_CANCELED);
            home.gives(used);
            other.gives(other.attached(staying));
        }
    }

    @Test
    void shouldServeElsewhereWhenTheConnectionOfTheOtherLoopHasJustClosed() throws Exception { // checklist 121
        try (var postgres = FakePostgres.start()) {
            // Given
            var home = world.client(Plans.sized(PoolWorld.plan(postgres.port()), 1, 0, 1));
            var first = home.attached(home.acquires());
            var other = home.onTheOtherLoop();
            home.gives(first);
            other.gives(other.attached(other.acquires()));
            other.gives(other.attached(other.acquires()));

            // When it closes, and before its pool can know the other loop lends it
            LeaseId lease = LeaseId.next();
            home.inOneTurn(() -> {
                first.backend().tell(new BackendConnection.Retire("test"));
                other.pool.tell(other.acquire(lease));
                other.hasHeard();
            });

            // Then
            var second = other.attached(lease);
            assertThat(second.backend()).isNotEqualTo(first.backend());
            assertThat(postgres.connections()).isEqualTo(2);
            assertThat(home.held()).isEqualTo(1);
        }
    }

    @Test
    void shouldGiveUpAfterQueryWaitTimeoutOnTheOtherLoop() {
        try (var postgres = FakePostgres.start()) {
            // Given
            var plan = Plans.waiting(PoolWorld.plan(postgres.port()), Duration.ofMillis(200));
            var home = world.client(Plans.sized(plan, 1, 0, 1));
            var used = home.attached(home.acquires());
            var other = home.onTheOtherLoop();

            // When
            LeaseId first = other.acquires();
            LeaseId second = other.acquires();

            // Then
            assertThat(other.unserved(first).message()).startsWith("query_wait_timeout");
            other.unserved(second);
            home.gives(used);
            other.gives(other.attached(other.acquires()));
        }
    }

    @Test
    void shouldNotLetTheOtherLoopWaitWithoutPatience() {
        try (var postgres = FakePostgres.start()) {
            // Given
            var plan = Plans.waiting(PoolWorld.plan(postgres.port()), Duration.ZERO);
            var home = world.client(Plans.sized(plan, 2, 0, 1));
            var used = home.attached(home.acquires());
            var other = home.onTheOtherLoop();

            // When
            var opened = other.attached(other.acquires());
            var error = other.unserved(other.acquires());

            // Then
            assertThat(error.message()).isEqualTo("all backend connections of the pool are in use");
            home.gives(used);
            other.gives(opened);
        }
    }

    @Test
    void shouldKnowOnTheOtherLoopThatPostgresRefuses() { // checklist 116
        try (var postgres = FakePostgres.start()) {
            // Given two loops, and then a PostgreSQL that lets nobody in
            var plan = PoolWorld.plan(postgres.port());
            var home = world.client(plan);
            var first = home.attached(home.acquires());
            var other = home.onTheOtherLoop();
            home.gives(first);
            postgres.refuse(fatalResponse("28P01", "no"));
            first.backend().tell(new BackendConnection.Retire("test"));
            await().until(() -> home.held() == 0);

            // When
            assertThat(home.unserved(home.acquires()).message()).isEqualTo("no");
            int tries = postgres.connections();

            // Then
            for (int i = 0; i < 5; i++) {
                assertThat(other.unserved(other.acquires()).message()).isEqualTo("no");
            }
            assertThat(postgres.connections()).isLessThanOrEqualTo(tries + 1);

            // When
            postgres.refuseNoMore();

            // Then
            await().untilAsserted(() -> {
                other.acquires();
                assertThat(other.holder.receiveMessage(PoolWorld.PATIENCE)).isInstanceOf(LeaseEvent.Attached.class);
            });
        }
    }

    @Test
    void shouldCloseWhatTheOtherLoopUsesAndHasIdleWhenShutDown() { // checklist 128
        try (var postgres = FakePostgres.start()) {
            // Given
            var home = world.client(Plans.sized(PoolWorld.plan(postgres.port()), 3, 0, 3));
            var first = home.attached(home.acquires());
            var other = home.onTheOtherLoop();
            other.acquires();
            other.acquires();
            var used = other.attached();
            var alsoUsed = other.attached();
            LeaseId waiting = other.acquires();
            other.hasHeard();

            // When
            home.pool.tell(new Pool.Shutdown());

            // Then
            assertThat(other.unserved(waiting).sqlState()).isEqualTo(SqlState.CANNOT_CONNECT_NOW);
            home.gives(first);
            other.gives(used);
            await().until(() -> home.held() == 1);
            assertThat(other.unserved(other.acquires()).sqlState()).isEqualTo(SqlState.CANNOT_CONNECT_NOW);
            other.gives(alsoUsed);
            home.holder.expectTerminated(home.pool, PoolWorld.PATIENCE);
            other.holder.expectTerminated(other.pool, PoolWorld.PATIENCE);
            assertThat(home.held()).isZero();
            await().until(() -> postgres.open.get() == 0);
        }
    }

    @Test
    void shouldOpenAnotherConnectionWhereOthersAreBorrowedAllTheTime() {
        try (var postgres = FakePostgres.start()) {
            // Given
            var home = world.client(PoolWorld.plan(postgres.port()));
            home.gives(home.attached(home.acquires()));
            var other = home.onTheOtherLoop();

            // When
            await().pollDelay(Duration.ZERO).pollInterval(Duration.ofMillis(1)).until(() -> usesOnce(other));

            // Then
            assertThat(postgres.connections()).isEqualTo(2);
            for (int i = 0; i < 100; i++) {
                assertThat(usesOnce(other)).isTrue();
            }
            assertThat(postgres.connections()).isEqualTo(2);
        }
    }

    @Test
    void shouldMoveAConnectionToTheLoopThatBorrowsAllTheTime() {
        try (var postgres = FakePostgres.start()) {
            // Given a full pool, all of it on one loop
            var home = world.client(Plans.sized(PoolWorld.plan(postgres.port()), 2, 0, 2));
            home.acquires();
            home.acquires();
            home.gives(home.attached());
            home.gives(home.attached());
            var other = home.onTheOtherLoop();

            // When
            await().pollDelay(Duration.ZERO).pollInterval(Duration.ofMillis(1)).until(() -> usesOnce(other));

            // Then
            await().until(() -> home.held() == 2);
            assertThat(postgres.connections()).isEqualTo(3);
            assertThat(postgres.mostPresent).hasValue(2);
            var own = home.attached(home.acquires());
            assertThat(home.isAtHome(own)).isTrue();
        }
    }

    @Test
    void shouldKeepTheMinimumOverBothLoops() { // checklist 118
        try (var postgres = FakePostgres.start()) {
            // Given
            var plan = Plans.ageing(PoolWorld.plan(postgres.port()), Duration.ofMillis(100), Duration.ZERO);
            var home = world.client(Plans.sized(plan, 4, 2, 2));
            await().until(() -> postgres.open.get() == 2);
            var other = home.onTheOtherLoop();
            home.acquires();
            home.acquires();
            var used = new ArrayList<>(List.of(home.attached(), home.attached()));
            used.add(other.attached(other.acquires()));
            used.add(other.attached(other.acquires()));
            assertThat(home.held()).isEqualTo(4);

            // When
            used.forEach(home::gives);

            // Then
            await().until(() -> home.held() == 2);
            await().during(Duration.ofMillis(1_200)).until(() -> home.held() == 2 && postgres.open.get() == 2);
        }
    }

    @Test
    void shouldCloseWhatIsTooOldOnTheOtherLoop() { // checklist 118
        try (var postgres = FakePostgres.start()) {
            // Given
            var plan = Plans.ageing(PoolWorld.plan(postgres.port()), Duration.ZERO, Duration.ofMillis(200));
            var home = world.client(plan);
            var first = home.attached(home.acquires());
            var other = home.onTheOtherLoop();
            var second = other.attached(other.acquires());
            home.gives(first);
            await().until(() -> home.held() == 1);

            // When it comes back too old
            other.gives(second);

            // Then
            await().until(() -> home.held() == 0);
        }
    }

    @Test
    void shouldMakeRoomForAGuestOnTheOtherLoop() {
        try (var postgres = FakePostgres.start()) {
            // Given connections on both loops: one idle on the other loop, one in use
            var home = world.client(Plans.sized(PoolWorld.plan(postgres.port()), 2, 0, 2));
            var first = home.attached(home.acquires());
            var other = home.onTheOtherLoop();
            var second = other.attached(other.acquires());
            other.gives(second);
            other.hasHeard();

            // When
            var guest = world.kit.spawn(Behaviors.<Pool.Command>ignore());
            home.pool.tell(new Pool.MakeRoom(guest));

            // Then
            await().until(() -> home.held() == 1);
            var secondGuest = world.kit.spawn(Behaviors.<Pool.Command>ignore());
            home.pool.tell(new Pool.MakeRoom(secondGuest));
            home.gives(first);
            await().until(() -> home.held() == 0);
            LeaseId waiting = other.acquires();
            other.holder.expectNoMessage(Duration.ofMillis(50));
            home.pool.tell(new Pool.GuestGone(guest));
            other.attached(waiting);
        }
    }

    @Test
    void shouldOfferWhatTheOtherLoopHasToOtherPoolsOfTheDatabase() {
        try (var postgres = FakePostgres.start()) {
            // Given
            var database = world.database(
                    DatabaseLimits.defaults().withMaxDbConnections(2).withMinConnectionLifetime(Duration.ZERO));
            var home = database.client(PoolWorld.plan(postgres.port()));
            var first = home.attached(home.acquires());
            var other = home.onTheOtherLoop();
            var second = other.attached(other.acquires());
            var rival = database.client(PoolWorld.plan(postgres.port()));
            LeaseId wanted = rival.acquires();
            rival.holder.expectNoMessage(Duration.ofMillis(50));

            // When
            other.gives(second);

            // Then
            var got = rival.attached(wanted);
            assertThat(home.held()).isEqualTo(1);
            assertThat(postgres.mostPresent).hasValue(2);

            // When the loop without a connection wants one again
            LeaseId again = other.acquires();
            other.hasHeard();
            rival.gives(got);

            // Then
            other.gives(other.attached(again));
            home.gives(first);
            assertThat(postgres.mostPresent).hasValue(2);
        }
    }

    @Test
    void shouldServeCrowdsOnBothLoopsWithinTheSizeWhileConnectionsClose() { // checklist 113, 114, 121
        try (var postgres = FakePostgres.start()) {
            // Given
            var home = world.client(Plans.sized(PoolWorld.plan(postgres.port()), 3, 0, 2));
            home.gives(home.attached(home.acquires()));
            var other = home.onTheOtherLoop();
            var served = new AtomicInteger();
            Queue<LeaseEvent> wrong = new ConcurrentLinkedQueue<>();

            // When
            for (int session = 0; session < 10; session++) {
                asksAgainAndAgain(home, served, wrong);
                asksAgainAndAgain(other, served, wrong);
            }

            // Then
            await().atMost(Duration.ofSeconds(20)).until(() -> served.get() == 20 * REQUESTS || !wrong.isEmpty());
            assertThat(wrong).isEmpty();
            assertThat(postgres.connections()).as("some have closed").isGreaterThan(10);
            assertThat(home.held()).isBetween(0, 3);
        }
    }

    private static final int REQUESTS = 200;

    /// A session that gives back what it is lent and asks again at once. Some connections close after it.
    private static void asksAgainAndAgain(PoolWorld.Client client, AtomicInteger served, Queue<LeaseEvent> wrong) {
        var left = new AtomicInteger(REQUESTS);
        world.kit.spawn(
                Behaviors.<LeaseEvent>setup(context -> {
                    Runnable asks = () -> client.pool.tell(new Pool.Acquire(
                            LeaseId.next(), context.getSelf(), WantedParameters.none(), Optional.empty()));
                    asks.run();
                    return Behaviors.receiveMessage(event -> {
                        if (event instanceof LeaseEvent.Attached attached) {
                            client.gives(attached);
                            if (served.incrementAndGet() % 100 == 0) {
                                attached.backend().tell(new BackendConnection.Retire("test"));
                            }
                            if (left.decrementAndGet() > 0) {
                                asks.run();
                            }
                        } else {
                            wrong.add(event);
                        }
                        return Behaviors.same();
                    });
                }),
                DispatcherSelector.fromConfig(client.dispatcher()));
    }

    private static boolean usesOnce(PoolWorld.Client client) {
        var attached = client.attached(client.acquires());
        client.gives(attached);
        client.hasHeard();
        return client.isAtHome(attached);
    }
}
