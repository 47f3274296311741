package org.pgporter.node.pool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.pgporter.support.BackendMessages.fatalResponse;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.pgporter.config.DatabaseLimits;
import org.pgporter.node.backend.LeaseEvent;
import org.pgporter.node.backend.LeaseId;
import org.pgporter.node.backend.WantedParameters;
import org.pgporter.node.error.ProxyError;
import org.pgporter.protocol.message.SqlState;

/// Pools of one database that together may hold less than each of them alone.
@Timeout(30)
class DatabaseCapIT {
    private static final Duration FOR_EVER = Duration.ofHours(1);

    @SuppressWarnings("NullAway.Init")
    private static PoolWorld world;

    @BeforeAll
    static void start() {
        world = new PoolWorld();
    }

    /// A pool with a minimum would go on looking for its server.
    @AfterEach
    void shutDown() {
        world.shutDownPools();
    }

    @AfterAll
    static void stop() {
        world.close();
    }

    @Test
    void shouldKeepTheCapInABurstOfAllPools() { // checklist 114
        try (var postgres = FakePostgres.startSlow()) {
            // Given
            var database = world.database(capped(5));
            List<Crowd> crowds = new ArrayList<>();
            for (int pool = 0; pool < 4; pool++) {
                crowds.add(new Crowd(database.client(Plans.sized(PoolWorld.plan(postgres.port()), 10, 0, 4))));
            }

            // When nobody can log in yet
            for (int i = 0; i < 50; i++) {
                crowds.forEach(Crowd::asks);
            }

            // Then
            await().during(Duration.ofMillis(100)).until(() -> postgres.opening.get() == 5);

            // When
            postgres.letIn(1_000);
            await().untilAsserted(() -> {
                crowds.forEach(Crowd::finishes);
                assertThat(crowds).allMatch(Crowd::hasEnded);
            });

            // Then
            assertThat(crowds).allMatch(crowd -> crowd.served == 50);
            assertThat(postgres.mostPresent).hasValue(5);
            assertThat(crowds.stream().mapToInt(crowd -> crowd.client.held()).sum())
                    .isEqualTo(5);
        }
    }

    @Test
    void shouldTakeTheLeastRecentlyUsedIdleConnectionOfAnotherPool() {
        try (var postgres = FakePostgres.start()) {
            // Given three idle connections in two pools
            var database = world.database(capped(3));
            var first = database.client(PoolWorld.plan(postgres.port()));
            var second = database.client(PoolWorld.plan(postgres.port()));
            var one = first.attached(first.acquires());
            var two = first.attached(first.acquires());
            first.gives(one);
            first.hasHeard();
            first.gives(two);
            var three = second.attached(second.acquires());
            second.gives(three);
            second.hasHeard();

            // When
            var third = database.client(PoolWorld.plan(postgres.port()));
            third.attached(third.acquires());

            // Then
            assertThat(first.held()).isEqualTo(1);
            assertThat(second.held()).isEqualTo(1);
            assertThat(first.attached(first.acquires()).backend()).isEqualTo(two.backend());
            assertThat(second.attached(second.acquires()).backend()).isEqualTo(three.backend());
            assertThat(postgres.mostPresent).hasValue(3);
        }
    }

    @Test
    void shouldEvictForEachWhoWaitsAndNoMore() {
        try (var postgres = FakePostgres.start()) {
            // Given
            var database = world.database(capped(6).withMinConnectionLifetime(Duration.ZERO));
            var idle = database.client(Plans.sized(PoolWorld.plan(postgres.port()), 6, 0, 6));
            holdsIdle(idle, 6);
            var busy = database.client(PoolWorld.plan(postgres.port()));

            // When
            List<LeaseId> wanted = List.of(busy.acquires(), busy.acquires(), busy.acquires());
            wanted.forEach(_ -> busy.attached());

            // Then
            assertThat(busy.held()).isEqualTo(3);
            await().during(Duration.ofMillis(100)).until(() -> idle.held() == 3);
            assertThat(postgres.mostPresent).hasValue(6);
        }
    }

    @Test
    void shouldNotTakeWhatIsGuaranteed() {
        try (var postgres = FakePostgres.start()) {
            // Given
            var database = world.database(capped(3).withMinConnectionLifetime(Duration.ZERO));
            var safe = database.client(PoolWorld.plan(postgres.port()), 2);
            holdsIdle(safe, 3);
            var other = database.client(PoolWorld.plan(postgres.port()));

            // When
            var only = other.attached(other.acquires());
            LeaseId waiting = other.acquires();

            // Then
            other.holder.expectNoMessage(Duration.ofMillis(100));
            assertThat(safe.held()).isEqualTo(2);
            other.gives(only);
            other.attached(waiting);
        }
    }

    @Test
    void shouldGiveBackWhatIsGuaranteedAfterWhoHasWaitedLonger() {
        try (var postgres = FakePostgres.start()) {
            // Given a guarantee that was not used when others came
            var database = world.database(capped(2));
            var others = database.client(PoolWorld.plan(postgres.port()));
            var one = others.attached(others.acquires());
            var two = others.attached(others.acquires());
            LeaseId third = others.acquires();
            others.hasHeard();
            var guaranteed = database.client(PoolWorld.plan(postgres.port()), 1);
            LeaseId late = guaranteed.acquires();
            others.holder.expectNoMessage(Duration.ofMillis(50));

            // When the connection is young, and somebody of its own pool has waited longer
            others.gives(one);

            // Then
            var served = List.of(others.attached(), two);
            assertThat(served.getFirst().lease()).isEqualTo(third);
            others.gives(two);
            guaranteed.attached(late);
        }
    }

    @Test
    void shouldSpareYoungConnectionsFromWhoHasHisShare() {
        try (var postgres = FakePostgres.start()) {
            // Given
            var database = world.database(capped(3).withMinConnectionLifetime(Duration.ofMillis(700)));
            var idle = database.client(PoolWorld.plan(postgres.port()));
            var busy = database.client(PoolWorld.plan(postgres.port()));
            var young = List.of(idle.acquires(), idle.acquires()).stream()
                    .map(_ -> idle.attached())
                    .toList();
            long born = System.nanoTime();
            young.forEach(idle::gives);
            busy.attached(busy.acquires());

            // When
            busy.attached(busy.acquires());

            // Then
            assertThat(System.nanoTime() - born).isGreaterThanOrEqualTo(600_000_000);
            assertThat(idle.held()).isEqualTo(1);
        }
    }

    @Test
    void shouldNotLetABusyPoolStarveAnotherOne() { // checklist 113
        try (var postgres = FakePostgres.start()) {
            // Given a pool whose connections are never idle
            var database = world.database(capped(2).withMinConnectionLifetime(FOR_EVER));
            var busy = database.client(PoolWorld.plan(postgres.port()));
            for (int i = 0; i < 40; i++) {
                busy.acquires();
            }
            var other = database.client(PoolWorld.plan(postgres.port()));
            var one = busy.attached();
            var two = busy.attached();

            // When: 38 have asked before, and go before it
            busy.hasHeard();
            LeaseId late = other.acquires();
            other.hasHeard();
            for (int i = 0; i < 40; i++) {
                busy.acquires();
            }
            List<LeaseEvent.Attached> leases = new ArrayList<>(List.of(one, two));
            int before = 0;
            while (before < 38) {
                busy.gives(leases.removeFirst());
                leases.add(busy.attached());
                before++;
            }
            other.holder.expectNoMessage(Duration.ofMillis(10));
            busy.gives(leases.removeFirst());

            // Then it is its turn, and the rest is served by what the busy pool has left
            other.attached(late);
            assertThat(busy.held()).isEqualTo(1);
            for (int i = 0; i < 40; i++) {
                busy.gives(leases.removeFirst());
                leases.add(busy.attached());
            }
            assertThat(postgres.mostPresent).hasValue(2);
        }
    }

    @Test
    void shouldLetPoolsWithoutConnectionsTakeTurns() { // checklist 113
        try (var postgres = FakePostgres.start()) {
            // Given one slot for three pools that always have somebody who waits
            var database = world.database(capped(1).withMinConnectionLifetime(FOR_EVER));
            List<PoolWorld.Client> clients = new ArrayList<>();
            for (int pool = 0; pool < 3; pool++) {
                clients.add(database.client(PoolWorld.plan(postgres.port())));
            }
            var holder = clients.getFirst();
            var used = holder.attached(holder.acquires());
            List<List<LeaseId>> wanted = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                List<LeaseId> round = new ArrayList<>();
                for (PoolWorld.Client client : clients) {
                    round.add(client.acquires());
                    client.hasHeard();
                }
                wanted.add(round);
            }

            // When, Then they are served in the order of asking, whichever pool they belong to
            holder.gives(used);
            for (List<LeaseId> round : wanted) {
                for (int pool = 0; pool < 3; pool++) {
                    PoolWorld.Client client = clients.get(pool);
                    client.gives(client.attached(round.get(pool)));
                }
            }
            assertThat(postgres.mostPresent).hasValue(1);
        }
    }

    @Test
    void shouldUseTheReserveAfterItsTimeoutAndGiveItBack() { // checklist 115
        try (var postgres = FakePostgres.start()) {
            // Given
            var database = world.database(capped(1)
                    .withReservePoolSize(1)
                    .withReservePoolTimeout(Duration.ofMillis(300))
                    .withMinConnectionLifetime(Duration.ofMillis(1)));
            var one = database.client(PoolWorld.plan(postgres.port()));
            var two = database.client(PoolWorld.plan(postgres.port()));
            var first = one.attached(one.acquires());

            // When
            long start = System.nanoTime();
            var second = two.attached(two.acquires());
            LeaseId third = two.acquires();

            // Then
            assertThat(System.nanoTime() - start).isGreaterThanOrEqualTo(300_000_000);
            two.holder.expectNoMessage(Duration.ofMillis(400));
            assertThat(postgres.mostPresent).hasValue(2);
            two.gives(second);
            two.gives(two.attached(third));
            await().until(() -> two.held() == 0);
            assertThat(one.held()).isEqualTo(1);
            one.gives(first);
            await().during(Duration.ofMillis(100)).until(() -> one.held() == 1);
        }
    }

    @Test
    void shouldNotCloseAnythingForAMinimum() { // checklist 114
        try (var postgres = FakePostgres.start()) {
            // Given
            var database = world.database(
                    capped(3).withMinConnectionLifetime(Duration.ZERO).withReservePoolSize(3));
            var idle = database.client(PoolWorld.plan(postgres.port()));
            holdsIdle(idle, 2);

            // When
            var minimum = database.client(Plans.sized(PoolWorld.plan(postgres.port()), 4, 4, 2));

            // Then it gets what is free, and no more
            await().until(() -> minimum.held() == 1);
            await().during(Duration.ofMillis(1_200)).until(() -> idle.held() == 2 && minimum.held() == 1);

            // When somebody waits there, it is another matter
            minimum.acquires();
            minimum.acquires();
            minimum.attached();
            minimum.attached();
            assertThat(postgres.mostPresent).hasValue(3);
        }
    }

    @Test
    void shouldSayWhyWhenNoSlotBecameFree() {
        try (var postgres = FakePostgres.start()) {
            // Given
            var database = world.database(capped(1));
            var one = database.client(PoolWorld.plan(postgres.port()));
            var two = database.client(Plans.waiting(PoolWorld.plan(postgres.port()), Duration.ofMillis(100)));
            var used = one.attached(one.acquires());

            // When
            var error = two.unserved(two.acquires());

            // Then
            assertThat(error.sqlState()).isEqualTo(SqlState.TOO_MANY_CONNECTIONS);
            assertThat(error.message()).startsWith("query_wait_timeout");
            assertThat(error.fields().get('D')).contains("max_db_connections");

            // Then nobody is evicted for whoever has given up
            two.hasHeard();
            one.hasHeard();
            one.gives(used);
            assertThat(one.attached(one.acquires()).backend()).isEqualTo(used.backend());
            assertThat(postgres.connections()).isEqualTo(1);
        }
    }

    @Test
    void shouldNotEvictForWhoHasLeft() { // checklist 119
        try (var postgres = FakePostgres.start()) {
            // Given
            var database = world.database(capped(1));
            var one = database.client(PoolWorld.plan(postgres.port()));
            var two = database.client(PoolWorld.plan(postgres.port()));
            var used = one.attached(one.acquires());
            LeaseId leaving = two.acquires();

            // When
            two.pool.tell(new Pool.Withdraw(leaving, ProxyError.canceled()));
            two.unserved(leaving);
            two.hasHeard();
            one.hasHeard(); // and the coordinator with it
            one.gives(used);

            // Then
            assertThat(one.attached(one.acquires()).backend()).isEqualTo(used.backend());
            assertThat(postgres.connections()).isEqualTo(1);
        }
    }

    @Test
    void shouldPassTheSlotOfARefusedOpeningOn() {
        try (var postgres = FakePostgres.start();
                var refusing = FakePostgres.start()) {
            // Given
            refusing.refuse(fatalResponse("28P01", "no"));
            var database = world.database(capped(1));
            var refused = database.client(PoolWorld.plan(refusing.port()));
            var other = database.client(PoolWorld.plan(postgres.port()));

            // When, Then
            refused.unserved(refused.acquires());
            other.attached(other.acquires());
        }
    }

    @Test
    void shouldFreeTheSlotsOfAPoolThatIsShutDown() {
        try (var postgres = FakePostgres.start()) {
            // Given
            var database = world.database(capped(2));
            var ending = database.client(PoolWorld.plan(postgres.port()), 2);
            holdsIdle(ending, 2);
            var other = database.client(PoolWorld.plan(postgres.port()));
            LeaseId first = other.acquires();
            LeaseId second = other.acquires();
            other.holder.expectNoMessage(Duration.ofMillis(50));

            // When
            ending.pool.tell(new Pool.Shutdown());

            // Then
            assertThat(Set.of(other.attached().lease(), other.attached().lease()))
                    .isEqualTo(Set.of(first, second));
        }
    }

    @Test
    void shouldTakeTheSlotOfAConnectionThatIsLost() throws Exception {
        try (var postgres = FakePostgres.start()) {
            // Given
            var database = world.database(capped(1));
            var one = database.client(PoolWorld.plan(postgres.port()), 1);
            holdsIdle(one, 1);
            var other = database.client(PoolWorld.plan(postgres.port()));
            LeaseId waiting = other.acquires();

            // When
            other.holder.expectNoMessage(Duration.ofMillis(50));
            postgres.loggedIn.take().closesOutput();

            // Then
            other.attached(waiting);
        }
    }

    /// Pools on both loops that want, use, give up and lose connections at random.
    @ParameterizedTest
    @ValueSource(longs = {21, 22, 23})
    void shouldServeEverybodyWithinTheCap(long seed) { // checklist 113, 114
        try (var postgres = FakePostgres.start()) {
            // Given
            var random = new Random(seed);
            var database = world.database(capped(4)
                    .withMinConnectionLifetime(Duration.ofMillis(seed % 2 * 20))
                    .withReservePoolSize(1)
                    .withReservePoolTimeout(Duration.ofMillis(50)));
            List<Crowd> crowds = new ArrayList<>();
            for (int pool = 0; pool < 5; pool++) {
                var plan = Plans.sized(PoolWorld.plan(postgres.port()), 1 + random.nextInt(5), random.nextInt(2), 2);
                crowds.add(new Crowd(database.client(plan, pool == 0 ? 1 : 0)));
            }

            // When
            for (int step = 0; step < 2_000; step++) {
                crowds.get(random.nextInt(5)).doesSomething(random);
                if (random.nextInt(100) == 0) {
                    var connection = postgres.loggedIn.poll();
                    if (connection != null) {
                        connection.closesOutput();
                    }
                }
            }
            crowds.forEach(Crowd::finishes);

            // Then
            await().untilAsserted(() -> {
                crowds.forEach(Crowd::finishes);
                assertThat(crowds).allMatch(Crowd::hasEnded);
            });
            assertThat(postgres.mostPresent.get()).isBetween(4, 5);
            await().until(() -> postgres.present.get() <= 4);
        }
    }

    /// The clients of one pool.
    private static final class Crowd {
        private final PoolWorld.Client client;
        private final Queue<LeaseEvent> events = new ConcurrentLinkedQueue<>();
        private final ActorRef<LeaseEvent> holder = world.kit.spawn(Behaviors.receiveMessage(event -> {
            events.add(event);
            return Behaviors.same();
        }));
        private final Set<LeaseId> waiting = new HashSet<>();
        private int served;
        private final List<LeaseEvent.Attached> using = new ArrayList<>();

        Crowd(PoolWorld.Client client) {
            this.client = client;
        }

        void doesSomething(Random random) {
            hears();
            switch (random.nextInt(4)) {
                case 0 -> {
                    if (waiting.size() < 20) {
                        asks();
                    }
                }
                case 1 -> {
                    if (random.nextInt(4) == 0) {
                        waiting.stream()
                                .findFirst()
                                .ifPresent(lease -> client.pool.tell(new Pool.Withdraw(lease, ProxyError.canceled())));
                    }
                }
                default -> {
                    if (!using.isEmpty()) {
                        client.gives(using.remove(random.nextInt(using.size())));
                    }
                }
            }
        }

        void asks() {
            LeaseId lease = LeaseId.next();
            waiting.add(lease);
            client.pool.tell(new Pool.Acquire(lease, holder, WantedParameters.none(), Optional.empty()));
        }

        void finishes() {
            hears();
            using.forEach(client::gives);
            using.clear();
        }

        boolean hasEnded() {
            return waiting.isEmpty() && using.isEmpty();
        }

        private void hears() {
            for (LeaseEvent event = events.poll(); event != null; event = events.poll()) {
                switch (event) {
                    case LeaseEvent.Attached attached -> {
                        assertThat(waiting.remove(attached.lease())).isTrue();
                        using.add(attached);
                        served++;
                    }
                    case LeaseEvent.Unserved unserved ->
                        assertThat(waiting.remove(unserved.lease())).isTrue();
                    case LeaseEvent.Lost lost ->
                        using.removeIf(used -> used.lease().equals(lost.lease()));
                    default -> {}
                }
            }
        }
    }

    private static DatabaseLimits capped(int most) {
        return DatabaseLimits.defaults().withMaxDbConnections(most);
    }

    /// So many connections, all of them idle.
    private static void holdsIdle(PoolWorld.Client client, int many) {
        for (int i = 0; i < many; i++) {
            client.acquires();
        }
        List<LeaseEvent.Attached> all = new ArrayList<>();
        for (int i = 0; i < many; i++) {
            all.add(client.attached());
        }
        all.forEach(client::gives);
        client.hasHeard();
        assertThat(client.held()).isEqualTo(many);
    }
}
