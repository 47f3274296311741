package org.pgporter.node.pool;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Random events against plain lists that are searched from end to end.
class AssignmentsModelTest {
    private static final int PATIENCE = 40;
    private static final int LIFETIME = 60;
    private static final int IDLE_TIMEOUT = 20;
    private static final int KEEP = 2;

    private record Request(int key, long deadline) {}

    private record Idle(int connection, long since) {}

    private final Assignments<Integer, Integer, String> assignments = new Assignments<>();
    private final List<Request> line = new ArrayList<>();
    private final List<Idle> idle = new ArrayList<>();
    private final List<Integer> inUse = new ArrayList<>();
    private final List<Integer> leaving = new ArrayList<>();
    private final Map<Integer, Long> expiry = new HashMap<>();
    private int opening;
    private int names;
    private long now;

    @ParameterizedTest
    @ValueSource(longs = {11, 12, 13, 14, 15, 16, 17, 18})
    void shouldAgreeWithANaiveModel(long seed) {
        var random = new Random(seed);
        for (int step = 0; step < 5_000; step++) {
            now += random.nextInt(4);
            String where = "seed %d, step %d".formatted(seed, step);
            switch (random.nextInt(9)) {
                case 0, 1 -> request(where);
                case 2 -> comesBack(random, where);
                case 3 -> {
                    assignments.startedOpening();
                    opening++;
                }
                case 4 -> opened(random);
                case 5 -> withdraws(random, where);
                case 6 -> deadlines(where);
                case 7 -> retires(where);
                default -> closes(random, where);
            }
            compare(where);
        }
    }

    private void request(String where) {
        Optional<Integer> taken = assignments.take();
        Optional<Integer> expected = idle.isEmpty()
                ? Optional.empty()
                : Optional.of(idle.removeLast().connection());
        assertThat(taken).as(where).isEqualTo(expected);
        taken.ifPresentOrElse(inUse::add, () -> {
            var request = new Request(++names, now + PATIENCE);
            line.add(request);
            assignments.enqueue(waiting(request.key(), request.deadline()));
        });
    }

    /// A connection is free again; sometimes it turns out that it is dead and its request comes back first.
    private void comesBack(Random random, String where) {
        if (inUse.isEmpty()) {
            return;
        }
        int connection = inUse.get(random.nextInt(inUse.size()));
        if (random.nextInt(4) == 0) {
            long deadline = now + PATIENCE;
            var declined = new Request(
                    ++names,
                    line.isEmpty()
                            ? deadline
                            : Math.min(deadline, line.getFirst().deadline()));
            line.addFirst(declined);
            assignments.enqueueFirst(waiting(declined.key(), deadline));
            return;
        }
        assertThat(assignments.expired(connection, now)).as(where).isEqualTo(now >= expiry(connection));
        Optional<Integer> next = assignments.next().map(Assignments.Waiting::key);
        assertThat(next)
                .as(where)
                .isEqualTo(
                        line.isEmpty()
                                ? Optional.empty()
                                : Optional.of(line.removeFirst().key()));
        if (next.isEmpty()) {
            assignments.idle(connection, now);
            inUse.remove((Integer) connection);
            idle.add(new Idle(connection, now));
        }
    }

    private void opened(Random random) {
        if (opening == 0) {
            return;
        }
        opening--;
        if (random.nextInt(3) == 0) {
            assignments.openingFailed();
            return;
        }
        int connection = ++names;
        expiry.put(connection, now + LIFETIME);
        assignments.opened(connection, now, now + LIFETIME);
        inUse.add(connection);
    }

    private void withdraws(Random random, String where) {
        int key = line.isEmpty() || random.nextInt(5) == 0
                ? -1
                : line.get(random.nextInt(line.size())).key();
        assertThat(assignments.withdraw(key).map(Assignments.Waiting::key))
                .as(where)
                .isEqualTo(key < 0 ? Optional.empty() : Optional.of(key));
        line.removeIf(request -> request.key() == key);
    }

    private void deadlines(String where) {
        var overdue =
                assignments.overdue(now).stream().map(Assignments.Waiting::key).toList();
        assertThat(overdue)
                .as(where)
                .isEqualTo(line.stream()
                        .filter(request -> request.deadline() <= now)
                        .map(Request::key)
                        .toList());
        line.removeIf(request -> request.deadline() <= now);
    }

    private void retires(String where) {
        List<Integer> expected = new ArrayList<>();
        int open = expiry.size();
        for (Idle each : List.copyOf(idle)) {
            boolean tooOld = now >= expiry(each.connection());
            boolean tooLong = now - each.since() >= IDLE_TIMEOUT && open - expected.size() > KEEP;
            if (tooOld || tooLong) {
                expected.add(each.connection());
                idle.remove(each);
            }
        }
        assertThat(assignments.retire(now, IDLE_TIMEOUT, KEEP)).as(where).isEqualTo(expected);
        leaving.addAll(expected);
    }

    private void closes(Random random, String where) {
        List<Integer> all = new ArrayList<>(leaving);
        if (random.nextInt(3) == 0) {
            all.addAll(inUse);
            idle.forEach(each -> all.add(each.connection()));
        }
        if (all.isEmpty()) {
            assertThat(assignments.closed(-1)).as(where).isFalse();
            return;
        }
        Integer connection = all.get(random.nextInt(all.size()));
        assertThat(assignments.closed(connection)).as(where).isTrue();
        leaving.remove(connection);
        inUse.remove(connection);
        idle.removeIf(each -> each.connection() == connection);
        expiry.remove(connection);
    }

    private void compare(String where) {
        assertThat(assignments.open()).as(where).isEqualTo(expiry.size());
        assertThat(assignments.opening()).as(where).isEqualTo(opening);
        assertThat(assignments.idleCount()).as(where).isEqualTo(idle.size());
        assertThat(assignments.waitingCount()).as(where).isEqualTo(line.size());
        assertThat(assignments.nextDeadline())
                .as(where)
                .isEqualTo(line.stream().map(Request::deadline).min(Long::compare));
        assertThat(assignments.connections()).as(where).containsExactlyInAnyOrderElementsOf(expiry.keySet());
    }

    private long expiry(int connection) {
        return java.util.Objects.requireNonNull(expiry.get(connection));
    }

    private static Assignments.Waiting<Integer, String> waiting(int key, long deadline) {
        return new Assignments.Waiting<>(key, "request " + key, 0, deadline);
    }
}
