package org.pgporter.node.pool;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.pgporter.node.pool.DatabaseSlots.Claim;
import org.pgporter.node.pool.DatabaseSlots.Decision;
import org.pgporter.node.pool.DatabaseSlots.Evict;
import org.pgporter.node.pool.DatabaseSlots.Grant;
import org.pgporter.node.pool.DatabaseSlots.Keep;
import org.pgporter.node.pool.DatabaseSlots.Press;
import org.pgporter.node.pool.DatabaseSlots.Relieve;

/// Pools that do as [DatabaseShare] does, at random, with messages that take their time in both directions.
class DatabaseSlotsModelTest {
    private static final int POOLS = 5;
    private static final int OLD_ENOUGH = 30;
    private static final int RESERVE_TIMEOUT = 60;

    private enum State {
        IDLE,
        BUSY,
        OFFERED,
        LEAVING
    }

    private static final class Connection {
        final long born;
        long idleSince;
        State state = State.BUSY;

        Connection(long born) {
            this.born = born;
        }
    }

    private final class Pool {
        final String name;
        final int guaranteed;
        final Deque<Supplier<List<Decision<String>>>> toCoordinator = new ArrayDeque<>();
        final Deque<Decision<String>> fromCoordinator = new ArrayDeque<>();
        final List<Connection> connections = new ArrayList<>();
        final Deque<Long> waiting = new ArrayDeque<>();

        @Nullable
        Claim claim;

        long claims;
        int releasing;

        @Nullable
        Press<String> pressed;

        boolean unanswered;
        boolean awaitsVerdict;

        @Nullable
        Connection offered;

        Pool(String name, int guaranteed) {
            this.name = name;
            this.guaranteed = guaranteed;
            slots.enrol(name, guaranteed);
        }

        void asks() {
            Optional<Connection> idle = connections.stream()
                    .filter(connection -> connection.state == State.IDLE)
                    .max(Comparator.comparingLong(connection -> connection.idleSince));
            idle.ifPresentOrElse(connection -> connection.state = State.BUSY, () -> waiting.add(now));
            claims();
        }

        void finishes(Random random) {
            any(random, State.BUSY).ifPresent(this::becameFree);
        }

        void becameFree(Connection connection) {
            if (pressed != null && !awaitsVerdict && !waiting.isEmpty()) {
                boolean old = now - connection.born >= (pressed.pressure().anyAge() ? 0 : OLD_ENOUGH);
                if (waiting.getFirst() > pressed.pressure().since() && mayGive() && old) {
                    offers(connection, now);
                    return;
                }
            }
            if (waiting.isEmpty()) {
                connection.state = State.IDLE;
                connection.idleSince = now;
                offersIdle();
            } else {
                connection.state = State.BUSY;
                waiting.removeFirst();
            }
            claims();
        }

        void claims() {
            boolean wanted = !waiting.isEmpty();
            if (wanted && (claim == null || claim.since() != waiting.getFirst())) {
                Claim made = new Claim(claim == null ? ++claims : claim.number(), true, waiting.getFirst());
                claim = made;
                toCoordinator.add(() -> slots.claim(name, made, now));
            } else if (!wanted && claim != null) {
                long number = claim.number();
                claim = null;
                toCoordinator.add(() -> slots.withdraw(name, number, now));
            }
        }

        void hears(Decision<String> decision) {
            switch (decision) {
                case Grant(var _, long number) -> {
                    if (claim != null && claim.number() == number) {
                        claim = null;
                    }
                    if (waiting.isEmpty()) {
                        releases();
                    } else {
                        Connection connection = new Connection(now);
                        connections.add(connection);
                        waiting.removeFirst();
                        claims();
                    }
                }
                case Press<String> press -> {
                    pressed = press;
                    unanswered = true;
                    answers();
                }
                case Relieve<String> _ -> {
                    pressed = null;
                    unanswered = false;
                }
                case Evict<String> _ -> {
                    awaitsVerdict = false;
                    if (offered == null) {
                        toCoordinator.add(() -> slots.notEvicted(name, now));
                    } else {
                        offered.state = State.LEAVING;
                        offered = null;
                    }
                    unanswered = pressed != null;
                    answers();
                }
                case Keep<String> _ -> {
                    awaitsVerdict = false;
                    Connection kept = offered;
                    offered = null;
                    if (kept != null) {
                        becameFree(kept);
                    }
                    answers();
                }
            }
        }

        void answers() {
            if (pressed != null && unanswered && !awaitsVerdict) {
                offersIdle();
                if (unanswered) {
                    unanswered = false;
                    long round = pressed.round();
                    toCoordinator.add(() -> slots.nothingToOffer(name, round, now));
                }
            }
        }

        void offersIdle() {
            if (pressed == null || awaitsVerdict || !mayGive()) {
                return;
            }
            long bornBefore = now - (pressed.pressure().anyAge() ? 0 : OLD_ENOUGH);
            connections.stream()
                    .filter(connection -> connection.state == State.IDLE && connection.born <= bornBefore)
                    .min(Comparator.comparingLong(connection -> connection.idleSince))
                    .ifPresent(connection -> offers(connection, connection.idleSince));
        }

        void offers(Connection connection, long since) {
            connection.state = State.OFFERED;
            offered = connection;
            awaitsVerdict = true;
            unanswered = false;
            long round = pressed == null ? -1 : pressed.round();
            toCoordinator.add(() -> slots.offered(name, round, since, now));
        }

        boolean mayGive() {
            return connections.stream()
                            .filter(connection -> connection.state != State.LEAVING)
                            .count()
                    > guaranteed;
        }

        void closes(Random random, State state) {
            any(random, state).ifPresent(connection -> {
                connections.remove(connection);
                if (connection == offered) {
                    offered = null;
                }
                releases();
            });
        }

        void releases() {
            releasing++;
            toCoordinator.add(() -> {
                releasing--;
                return slots.released(name, now);
            });
        }

        void givesUp() {
            waiting.pollFirst();
            claims();
        }

        Optional<Connection> any(Random random, State state) {
            List<Connection> all = connections.stream()
                    .filter(connection -> connection.state == state)
                    .toList();
            return all.isEmpty() ? Optional.empty() : Optional.of(all.get(random.nextInt(all.size())));
        }
    }

    private DatabaseSlots<String> slots = new DatabaseSlots<>(1, 0, 0);
    private final List<Pool> pools = new ArrayList<>();
    private long now;

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})
    void shouldKeepItsPromisesWhateverHappens(long seed) { // checklist 113, 114
        Random random = new Random(seed);
        int limit = 2 + random.nextInt(4);
        int reserve = random.nextInt(3);
        slots = new DatabaseSlots<>(limit, reserve, RESERVE_TIMEOUT);
        for (int i = 0; i < POOLS; i++) {
            pools.add(new Pool("pool " + i, i == 0 ? 2 : 0));
        }
        for (int step = 0; step < 20_000; step++) {
            String where = "seed " + seed + ", step " + step;
            Pool pool = pools.get(random.nextInt(POOLS));
            switch (random.nextInt(12)) {
                case 0, 1 -> {
                    if (pool.waiting.size() < 10) {
                        pool.asks();
                    }
                }
                case 2, 3 -> pool.finishes(random);
                case 4 -> pool.closes(random, State.LEAVING);
                case 5 -> {
                    if (random.nextInt(20) == 0) {
                        pool.closes(random, State.values()[random.nextInt(4)]);
                    }
                }
                case 6 -> {
                    if (random.nextInt(5) == 0) {
                        pool.givesUp();
                    }
                }
                case 7 -> passTime(random.nextInt(5));
                case 8, 9 -> deliverToCoordinator(pool);
                default -> deliverToPool(pool);
            }
            assertThat(slots.held()).as(where).isLessThanOrEqualTo(limit + reserve);
            int held = pools.stream()
                    .mapToInt(each -> each.connections.size()
                            + each.releasing
                            + (int) each.fromCoordinator.stream()
                                    .filter(Grant.class::isInstance)
                                    .count())
                    .sum();
            assertThat(slots.held()).as(where).isEqualTo(held);
        }
        everybodyIsServed(random, "seed " + seed);
        assertThat(slots.held()).isLessThanOrEqualTo(limit);
    }

    /// Nobody asks any more: when everybody finishes what he does, all are served, and the reserve is given back.
    private void everybodyIsServed(Random random, String where) {
        for (int round = 0; round < 500; round++) {
            passTime(OLD_ENOUGH);
            for (Pool pool : pools) {
                while (!pool.toCoordinator.isEmpty()) {
                    deliverToCoordinator(pool);
                }
            }
            for (Pool pool : pools) {
                while (!pool.fromCoordinator.isEmpty()) {
                    deliverToPool(pool);
                }
                pool.finishes(random);
                pool.closes(random, State.LEAVING);
                pool.offersIdle(); // as housekeeping does
            }
        }
        assertThat(pools).as(where).allMatch(pool -> pool.waiting.isEmpty() && pool.claim == null);
    }

    private void passTime(int much) {
        now += much;
        spread(slots.timePassed(now));
    }

    private void deliverToCoordinator(Pool pool) {
        Supplier<List<Decision<String>>> message = pool.toCoordinator.pollFirst();
        if (message != null) {
            spread(message.get());
        }
    }

    private static void deliverToPool(Pool pool) {
        Decision<String> decision = pool.fromCoordinator.pollFirst();
        if (decision != null) {
            pool.hears(decision);
        }
    }

    private void spread(List<Decision<String>> decisions) {
        decisions.forEach(decision -> pools.stream()
                .filter(pool -> pool.name.equals(decision.pool()))
                .forEach(pool -> pool.fromCoordinator.add(decision)));
    }
}
