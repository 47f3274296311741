package org.pgporter.node.pool;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class RebalancingTest {
    private final ShardedAssignments<String, Integer, String> assignments =
            new ShardedAssignments<>(new ShardedAssignments.Hands<>() {
                @Override
                public void lend(String connection, String request) {}

                @Override
                public void waitsAgain(int loop) {}

                @Override
                public void borrowsOften(int loop) {}
            });
    private final Shard<String, Integer, String> one = assignments.addShard(0);
    private final Shard<String, Integer, String> two = assignments.addShard(1);
    private final Rebalancing<String, Integer, String> rebalancing = new Rebalancing<>(assignments);
    private int requests;

    @Test
    void shouldMoveAConnectionToWhereItIsUsed() {
        // Given
        open(one, "a");
        open(one, "b");
        uses(two, "a", 40);

        // When
        rebalancing.look(true);

        // Then
        assertThat(rebalancing.isMoving()).isTrue();
        assertThat(rebalancing.takes("b")).isTrue();
        assertThat(rebalancing.isMoving()).isFalse();
        assertThat(rebalancing.closed("b")).contains(two);
        assertThat(rebalancing.closed("b")).isEmpty();
    }

    @Test
    void shouldTakeAnIdleOneIfThereIs() {
        // Given
        open(one, "a");
        open(one, "b");
        uses(two, "a", 40);
        assignments.free("b", 1);

        // When
        rebalancing.look(true);

        // Then
        assertThat(rebalancing.takeIdle()).contains("b");
        assertThat(rebalancing.takeIdle()).isEmpty();
        assertThat(rebalancing.closed("b")).contains(two);
    }

    @Test
    void shouldLeaveThingsAsTheyAreWhenBothServeEachOther() {
        // Given
        open(one, "a");
        open(two, "b");
        uses(two, "a", 100);
        uses(one, "b", 90);

        // When
        rebalancing.look(true);

        // Then
        assertThat(rebalancing.isMoving()).isFalse();
    }

    /// Otherwise it would be moved back in the next round.
    @Test
    void shouldNotMoveForLessThanAConnectionServes() {
        // Given two connections that are used equally, one of them in part by the other loop
        open(one, "a");
        open(two, "b");
        uses(one, "a", 60);
        uses(two, "a", 40);
        uses(two, "b", 100);

        // When
        rebalancing.look(true);

        // Then
        assertThat(rebalancing.isMoving()).isFalse();
    }

    @Test
    void shouldNotMoveWhileThereIsRoom() {
        open(one, "a");
        uses(two, "a", 40);

        rebalancing.look(false);

        assertThat(rebalancing.isMoving()).isFalse();
    }

    @Test
    void shouldForgetInTheNextRound() {
        open(one, "a");
        uses(two, "a", 40);
        rebalancing.look(true);
        rebalancing.grows(two);
        assertThat(rebalancing.wanted()).isEqualTo(1);

        rebalancing.look(true);

        assertThat(rebalancing.isMoving()).isFalse();
        assertThat(rebalancing.wanted()).isZero();
        assertThat(rebalancing.next()).isEmpty();
    }

    private void open(Shard<String, Integer, String> at, String connection) {
        assignments.startedOpening(at);
        assignments.opened(at, connection, 0, Long.MAX_VALUE);
    }

    /// The connection, which is in use, serves requests of this loop and is in use again.
    private void uses(Shard<String, Integer, String> loop, String connection, int times) {
        for (int i = 0; i < times; i++) {
            int request = ++requests;
            assignments.acquire(loop, new Assignments.Waiting<>(request, "", request, Long.MAX_VALUE));
            assignments.free(connection, request);
        }
    }
}
