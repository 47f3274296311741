package org.pgporter.node.pool;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class ShardedAssignmentsTest {
    private static final long MILLISECOND = TimeUnit.MILLISECONDS.toNanos(1);
    private static final long NEVER = Long.MAX_VALUE;

    private final List<String> lent = new ArrayList<>();
    private final List<Integer> waitAgain = new ArrayList<>();
    private final List<Integer> borrowOften = new ArrayList<>();
    private final ShardedAssignments<String, Integer, String> assignments =
            new ShardedAssignments<>(new ShardedAssignments.Hands<>() {
                @Override
                public void lend(String connection, String request) {
                    lent.add(connection + " to " + request);
                }

                @Override
                public void waitsAgain(int loop) {
                    waitAgain.add(loop);
                }

                @Override
                public void borrowsOften(int loop) {
                    borrowOften.add(loop);
                }
            });
    private final Shard<String, Integer, String> one = assignments.addShard(0);
    private final Shard<String, Integer, String> two = assignments.addShard(1);

    @Test
    void shouldPreferWhatIsIdleOnTheSameLoop() {
        // Given
        idle(two, "b", 1);
        idle(one, "a", 2);

        // When
        acquire(two, 1, 10);
        acquire(one, 2, 10);

        // Then
        assertThat(lent).containsExactly("b to 1", "a to 2");
    }

    @Test
    void shouldUseWhatIsIdleOnAnotherLoop() {
        // Given
        idle(two, "b", 1);

        // When
        boolean served = acquire(one, 1, 10);

        // Then
        assertThat(served).isTrue();
        assertThat(lent).containsExactly("b to 1");
        assertThat(one.takeTraffic()).isEqualTo(new Shard.Traffic(1, 0, 1));
        assertThat(two.takeTraffic()).isEqualTo(new Shard.Traffic(0, 1, 0));
    }

    @Test
    void shouldServeAnotherLoopWhenNobodyWaitsOnItsOwn() {
        // Given
        inUse(one, "a");
        assertThat(acquire(two, 1, 10)).isFalse();

        // When
        assignments.free("a", 11);

        // Then
        assertThat(lent).containsExactly("a to 1");
        assertThat(assignments.waitingCount()).isZero();
    }

    @Test
    void shouldServeItsOwnLoopWhenTheOtherHasNotWaitedClearlyLonger() {
        // Given
        inUse(one, "a");
        acquire(two, 1, 0);
        acquire(one, 2, MILLISECOND);

        // When
        assignments.free("a", 3 * MILLISECOND);

        // Then
        assertThat(lent).containsExactly("a to 2");
    }

    @Test
    void shouldServeWhoHasWaitedClearlyLonger() {
        // Given
        inUse(one, "a");
        acquire(two, 1, 0);
        acquire(one, 2, 4 * MILLISECOND);

        // When
        assignments.free("a", 5 * MILLISECOND);
        assignments.free("a", 6 * MILLISECOND);

        // Then
        assertThat(lent).containsExactly("a to 1", "a to 2");
    }

    /// What counts as clearly longer grows with the time that everybody waits.
    @Test
    void shouldNotMindASmallPartOfALongTime() {
        // Given
        inUse(one, "a");
        acquire(two, 1, 0);
        acquire(one, 2, 10 * MILLISECOND);

        // When
        assignments.free("a", 210 * MILLISECOND);

        // Then
        assertThat(lent).containsExactly("a to 2");
        assertThat(ShardedAssignments.margin(1_600 * MILLISECOND)).isEqualTo(102 * MILLISECOND);
    }

    @Test
    void shouldLookAtEachSiblingInTurn() {
        // Given four loops, of which all but the first have waited long
        var three = assignments.addShard(2);
        var four = assignments.addShard(3);
        inUse(one, "a");
        long late = 100 * MILLISECOND;
        acquire(three, 3, 0);
        acquire(four, 4, 0);
        acquire(two, 2, 0);
        acquire(one, 1, late);

        // When
        for (int i = 0; i < 4; i++) {
            assignments.free("a", late + 1);
        }

        // Then
        assertThat(lent).hasSize(4).last().isEqualTo("a to 1");
    }

    @Test
    void shouldNotLendWhatHasClosed() {
        // Given a connection that closes after it has been found idle
        idle(two, "b", 1);
        inUse(one, "a");
        assignments.closed("b");

        // When
        acquire(one, 1, 10);
        assignments.free("b", 11);

        // Then
        assertThat(lent).isEmpty();
        assertThat(assignments.waitingCount()).isEqualTo(1);
        assignments.free("a", 12);
        assertThat(lent).containsExactly("a to 1");
    }

    @Test
    void shouldPutBackFirstWhatHadBeenServed() {
        // Given
        inUse(one, "a");
        acquire(one, 2, 10);

        // When
        assignments.acquireFirst(one, new Assignments.Waiting<>(1, "1", 5, NEVER), 11);
        assignments.free("a", 12);

        // Then
        assertThat(lent).containsExactly("a to 1");
    }

    @Test
    void shouldServeAtOnceWhatIsPutBackWhenSomethingIsIdleElsewhere() {
        // Given
        idle(two, "b", 1);

        // When
        assignments.acquireFirst(one, new Assignments.Waiting<>(1, "1", 5, NEVER), 11);

        // Then
        assertThat(lent).containsExactly("b to 1");
    }

    @Test
    void shouldFindARequestInWhicheverLineItIs() {
        // Given
        acquire(one, 1, 10);
        acquire(two, 2, 10);

        // When, Then
        assertThat(assignments.withdraw(one, 2)).isEmpty();
        assertThat(assignments.withdraw(2)).isPresent();
        assertThat(assignments.withdraw(2)).isEmpty();
        assertThat(assignments.withdraw(one, 1)).isPresent();
        assertThat(assignments.waitingSince()).isEqualTo(NEVER);
    }

    @Test
    void shouldSaySinceWhenTheFirstOfAllWaits() {
        acquire(one, 1, 20);
        acquire(two, 2, 10);

        assertThat(assignments.waitingSince()).isEqualTo(10);
        assertThat(assignments.everybodyWaiting()).hasSize(2);
        assertThat(assignments.waitingSince()).isEqualTo(NEVER);
    }

    @Test
    void shouldCountTheConnectionsOfAllShardsAgainstTheLimit() {
        // Given
        inUse(one, "a");
        inUse(two, "b");
        assignments.startedOpening(two);
        for (int request = 0; request < 5; request++) {
            acquire(request % 2 == 0 ? one : two, request, 10);
        }

        // When, Then
        assertThat(assignments.wanted(0, 0, 10, 10)).isEqualTo(4);
        assertThat(assignments.wanted(0, 0, 4, 10)).isEqualTo(1);
        assertThat(assignments.wanted(0, 0, 3, 10)).isZero();
        assertThat(assignments.wanted(0, 0, 10, 1)).isZero();
        assertThat(assignments.wanted(0, 8, 10, 10)).isEqualTo(5);
    }

    @Test
    void shouldOpenWhereMostWait() {
        // Given
        inUse(one, "a");
        acquire(two, 1, 10);

        // When, Then
        assertThat(assignments.nextToOpen(List.of(one, two))).isSameAs(two);
        assignments.startedOpening(two);
        assertThat(assignments.nextToOpen(List.of(one, two))).isSameAs(one);
    }

    @Test
    void shouldKeepTheMinimumOfAllShardsTogether() {
        // Given
        idle(one, "a", 1);
        idle(one, "b", 2);
        idle(two, "c", 3);

        // When
        List<String> retired = assignments.retire(1_000, 10, 2);

        // Then
        assertThat(retired).containsExactly("a");
        assertThat(assignments.staying()).isEqualTo(2);
        assertThat(assignments.open()).isEqualTo(3);
        assignments.closed("a");
        assertThat(assignments.open()).isEqualTo(2);
    }

    @Test
    void shouldGiveUpWhatHasBeenIdleLongestOnAnyLoop() {
        // Given
        idle(one, "young", 5);
        idle(two, "old", 1);
        idle(one, "middle", 3);

        // When, Then
        assertThat(assignments.takeLeastRecentlyUsed(4)).contains("old");
        assertThat(assignments.putBack("old")).isTrue();
        assertThat(assignments.give()).contains("old");
        assertThat(assignments.give(two)).isEmpty();
    }

    @Test
    void shouldNotPutBackWhatSomebodyWaitsFor() {
        // Given
        idle(two, "b", 1);
        assignments.takeLeastRecentlyUsed(10);
        acquire(one, 1, 10);

        // When, Then
        assertThat(assignments.putBack("b")).isFalse();
        assignments.free("b", 11);
        assertThat(lent).containsExactly("b to 1");
    }

    @Test
    void shouldSayWhenALoopBorrowsOften() {
        idle(two, "b", 1);
        for (int request = 1; request <= 31; request++) {
            acquire(one, request, request);
            assignments.free("b", request);
        }
        assertThat(borrowOften).isEmpty();
        acquire(one, 32, 32);
        assertThat(borrowOften).containsExactly(0);
        assertThat(waitAgain).isEmpty();
    }

    /// Something happens at the moment at which the hash code of this is asked for.
    private static final class Trap {
        private final List<Runnable> springs = new ArrayList<>();

        @Override
        public int hashCode() {
            if (!springs.isEmpty()) {
                springs.removeFirst().run();
            }
            return 1;
        }

        @Override
        public boolean equals(Object other) {
            return this == other;
        }
    }

    /// Somebody lines up after it was seen that nobody waits, and before the connection is shown as idle.
    @Test
    void shouldServeWhoLinesUpWhileTheConnectionBecomesIdle() {
        // Given
        List<String> served = new ArrayList<>();
        var trapped = new ShardedAssignments<Trap, Integer, String>(Handing.to(served));
        var here = trapped.addShard(0);
        var there = trapped.addShard(1);
        var connection = new Trap();
        trapped.startedOpening(here);
        trapped.opened(here, connection, 0, NEVER);
        connection.springs.add(() -> {}); // it is looked up
        connection.springs.add(() -> {
            trapped.acquire(there, new Assignments.Waiting<>(1, "1", 10, NEVER));
            assertThat(served).isEmpty();
        });

        // When
        trapped.free(connection, 10);

        // Then
        assertThat(connection.springs).isEmpty();
        assertThat(served).containsExactly("1");
    }

    /// A connection becomes idle before somebody is shown to wait who has seen that none is.
    @Test
    void shouldFindWhatBecomesIdleWhileItLinesUp() {
        // Given
        List<String> served = new ArrayList<>();
        var trapped = new ShardedAssignments<Integer, Trap, String>(Handing.to(served));
        var here = trapped.addShard(0);
        var there = trapped.addShard(1);
        trapped.startedOpening(there);
        trapped.opened(there, 7, 0, NEVER);
        var key = new Trap();
        key.springs.add(() -> {
            trapped.free(7, 10);
            assertThat(served).isEmpty();
        });

        // When
        trapped.acquire(here, new Assignments.Waiting<>(key, "1", 10, NEVER));

        // Then
        assertThat(key.springs).isEmpty();
        assertThat(served).containsExactly("1");
    }

    private record Handing<C>(List<String> served) implements ShardedAssignments.Hands<C, String> {
        static <C> Handing<C> to(List<String> served) {
            return new Handing<>(served);
        }

        @Override
        public void lend(C connection, String request) {
            served.add(request);
        }

        @Override
        public void waitsAgain(int loop) {}

        @Override
        public void borrowsOften(int loop) {}
    }

    private boolean acquire(Shard<String, Integer, String> at, int request, long since) {
        return assignments.acquire(at, new Assignments.Waiting<>(request, Integer.toString(request), since, NEVER));
    }

    private void inUse(Shard<String, Integer, String> at, String connection) {
        assignments.startedOpening(at);
        assignments.opened(at, connection, 0, NEVER);
    }

    private void idle(Shard<String, Integer, String> at, String connection, long since) {
        assignments.startedOpening(at);
        assignments.opened(at, connection, since, NEVER);
        assignments.free(connection, since);
    }
}
