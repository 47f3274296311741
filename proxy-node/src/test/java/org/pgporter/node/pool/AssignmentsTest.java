package org.pgporter.node.pool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AssignmentsTest {
    private final Assignments<String, Integer, String> assignments = new Assignments<>();

    @Test
    void shouldServeWhoeverHasWaitedLongest() { // checklist 113
        // Given
        waits(1, 10);
        waits(2, 10);
        waits(3, 10);

        // When, Then
        assertThat(assignments.next()).map(Assignments.Waiting::key).contains(1);
        assertThat(assignments.next()).map(Assignments.Waiting::key).contains(2);
        assertThat(assignments.next()).map(Assignments.Waiting::key).contains(3);
        assertThat(assignments.next()).isEmpty();
    }

    @Test
    void shouldLendTheConnectionThatWasUsedLast() {
        // Given
        isIdle("a", 1);
        isIdle("b", 2);
        isIdle("c", 3);

        // When, Then
        assertThat(assignments.take()).contains("c");
        assertThat(assignments.take()).contains("b");
        assertThat(assignments.take()).contains("a");
        assertThat(assignments.take()).isEmpty();
        assertThat(assignments.open()).isEqualTo(3);
    }

    @Test
    void shouldGiveUpTheConnectionThatHasBeenIdleLongest() {
        // Given
        isIdle("a", 1);
        isIdle("b", 2);

        // When, Then
        assertThat(assignments.give()).contains("a");
        assertThat(assignments.open()).as("until it has closed").isEqualTo(2);
        assertThat(assignments.take()).contains("b");
        assertThat(assignments.give()).isEmpty();
        assertThat(assignments.closed("a")).isTrue();
    }

    @Test
    void shouldTakeAWithdrawnRequestOutOfTheLine() { // checklist 119
        // Given
        waits(1, 10);
        waits(2, 10);

        // When, Then
        assertThat(assignments.withdraw(1)).map(Assignments.Waiting::request).contains("request 1");
        assertThat(assignments.withdraw(1)).isEmpty();
        assertThat(assignments.next()).map(Assignments.Waiting::key).contains(2);
    }

    @Test
    void shouldGiveUpWhoeverIsOverdueOnly() {
        // Given
        waits(1, 10);
        waits(2, 20);
        waits(3, 30);

        // When, Then
        assertThat(assignments.nextDeadline()).contains(10L);
        assertThat(assignments.overdue(9)).isEmpty();
        assertThat(keys(assignments.overdue(20))).containsExactly(1, 2);
        assertThat(assignments.nextDeadline()).contains(30L);
        assertThat(assignments.waitingCount()).isEqualTo(1);
    }

    @Test
    void shouldNotLetARequestThatCameBackHoldUpTheDeadlinesBehindIt() {
        // Given
        waits(2, 20);
        waits(3, 30);

        // When
        assignments.enqueueFirst(new Assignments.Waiting<>(1, "request 1", 15, 1_000));

        // Then
        assertThat(assignments.nextDeadline()).contains(20L);
        assertThat(keys(assignments.overdue(19))).isEmpty();
        assertThat(keys(assignments.overdue(20))).containsExactly(1, 2);
        assertThat(assignments.nextDeadline()).contains(30L);
    }

    @Test
    void shouldPutARequestThatCameBackBeforeEverybodyElse() {
        // Given
        waits(2, 20);

        // When
        assignments.enqueueFirst(new Assignments.Waiting<>(1, "request 1", 15, 16));

        // Then
        assertThat(assignments.nextDeadline()).contains(16L);
        assertThat(assignments.next()).map(Assignments.Waiting::key).contains(1);
    }

    @Test
    void shouldRetireWhatIsIdleTooLongButKeepTheMinimum() { // checklist 118
        // Given
        isIdle("a", 0);
        isIdle("b", 10);
        isIdle("c", 20);
        isIdle("d", 30);
        assignments.take(); // d is in use, and counts

        // When, Then
        assertThat(assignments.retire(15, 10, 3)).containsExactly("a");
        assertThat(assignments.open()).isEqualTo(4);
        assertThat(assignments.closed("a")).isTrue();
        assertThat(assignments.retire(100, 10, 3)).isEmpty();
        assertThat(assignments.retire(100, 10, 0)).containsExactly("b", "c");
        assertThat(assignments.idleCount()).isZero();
    }

    @Test
    void shouldNotRetireIdleConnectionsWithoutAnIdleTimeout() {
        isIdle("a", 0);
        assertThat(assignments.retire(Long.MAX_VALUE - 1, 0, 0)).isEmpty();
    }

    @Test
    void shouldRetireWhatIsTooOldEvenBelowTheMinimum() { // checklist 118
        // Given
        opened("a", 50);
        assignments.idle("a", 0);

        // When, Then
        assertThat(assignments.retire(49, 0, 1)).isEmpty();
        assertThat(assignments.expired("a", 49)).isFalse();
        assertThat(assignments.expired("a", 50)).isTrue();
        assertThat(assignments.retire(50, 0, 1)).containsExactly("a");
        assertThat(assignments.take()).isEmpty();
    }

    @Test
    void shouldForgetAClosedConnectionWhetherIdleOrNot() {
        // Given
        isIdle("a", 0);
        opened("b", Long.MAX_VALUE);

        // When, Then
        assertThat(assignments.closed("a")).isTrue();
        assertThat(assignments.closed("b")).isTrue();
        assertThat(assignments.closed("b")).isFalse();
        assertThat(assignments.isMember("a")).isFalse();
        assertThat(assignments.take()).isEmpty();
        assertThat(assignments.open()).isZero();
    }

    @Test
    void shouldKnowItsOwnConnectionsOnly() {
        assertThatThrownBy(() -> assignments.idle("stranger", 0)).isInstanceOf(IllegalStateException.class);
    }

    /// Columns: who waits, what is open, what is being opened, extra, minimum, limit, parallel, and the answer.
    @ParameterizedTest
    @CsvSource({
        "0, 0, 0, 0, 0, 10, 4, 0",
        "1, 0, 0, 0, 0, 10, 4, 1", // one for the one who waits
        "3, 2, 0, 0, 0, 10, 4, 3", // those in use do not count for them
        "3, 0, 2, 0, 0, 10, 4, 1", // those on their way do
        "3, 0, 3, 0, 0, 10, 4, 0",
        "200, 0, 0, 0, 0, 10, 4, 4", // bounded by parallel openings
        "200, 0, 4, 0, 0, 10, 4, 0",
        "200, 8, 1, 0, 0, 10, 4, 1", // bounded by the limit, with what is on its way
        "200, 10, 0, 0, 0, 10, 4, 0",
        "200, 12, 0, 0, 0, 10, 4, 0",
        "0, 0, 0, 1, 0, 10, 4, 1", // somebody joins
        "0, 0, 1, 1, 0, 10, 4, 0",
        "0, 0, 0, 0, 3, 10, 4, 3", // the minimum
        "0, 2, 1, 0, 3, 10, 4, 0",
        "0, 1, 0, 0, 3, 10, 1, 1",
        "1, 0, 0, 0, 3, 10, 4, 3", // the larger of both, not the sum
        "0, 0, 0, 0, 20, 10, 40, 10"
    })
    void shouldWantNoMoreThanEveryBoundAllows(
            int waiting, int open, int opening, int extra, int minimum, int limit, int parallel, int expected) {
        // Given
        for (int i = 0; i < open; i++) {
            opened("c" + i, Long.MAX_VALUE);
        }
        for (int i = 0; i < opening; i++) {
            assignments.startedOpening();
        }
        for (int i = 0; i < waiting; i++) {
            waits(i, 10);
        }

        // When, Then
        assertThat(assignments.wanted(extra, minimum, limit, parallel)).isEqualTo(expected);
    }

    private void waits(int key, long deadline) {
        assignments.enqueue(new Assignments.Waiting<>(key, "request " + key, 0, deadline));
    }

    private void isIdle(String connection, long since) {
        opened(connection, Long.MAX_VALUE);
        assignments.idle(connection, since);
    }

    private void opened(String connection, long expires) {
        assignments.startedOpening();
        assignments.opened(connection, 0, expires);
    }

    private static List<Integer> keys(List<Assignments.Waiting<Integer, String>> waiting) {
        return waiting.stream().map(Assignments.Waiting::key).toList();
    }
}
