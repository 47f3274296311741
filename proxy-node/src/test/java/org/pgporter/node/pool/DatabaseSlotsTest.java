package org.pgporter.node.pool;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.pgporter.node.pool.DatabaseSlots.Claim;
import org.pgporter.node.pool.DatabaseSlots.Decision;
import org.pgporter.node.pool.DatabaseSlots.Evict;
import org.pgporter.node.pool.DatabaseSlots.Grant;
import org.pgporter.node.pool.DatabaseSlots.Keep;
import org.pgporter.node.pool.DatabaseSlots.Press;
import org.pgporter.node.pool.DatabaseSlots.Pressure;
import org.pgporter.node.pool.DatabaseSlots.Relieve;

class DatabaseSlotsTest {
    private static final long NEVER = 1_000_000;

    private DatabaseSlots<String> slots = capped(3, 0, NEVER);
    private long claims;
    private long round;

    @Test
    void shouldGrantUpToTheLimitAndThenWait() { // checklist 114
        // Given
        slots.enrol("a", 0);
        slots.enrol("b", 0);

        // When, Then
        assertThat(waits("a", 1)).isEqualTo(List.of(new Grant<>("a", claims)));
        assertThat(waits("b", 2)).isEqualTo(List.of(new Grant<>("b", claims)));
        assertThat(waits("a", 3)).isEqualTo(List.of(new Grant<>("a", claims)));
        assertThat(grants(waits("b", 4))).isEmpty();
        assertThat(grants(waits("b", 4))).isEmpty();
        assertThat(slots.held()).isEqualTo(3);
        assertThat(slots.nextDue()).isEmpty();
    }

    @Test
    void shouldGiveAFreeSlotToWhoHasWaitedLongestAndToNobodyElse() { // checklist 113
        // Given
        slots = capped(4, 0, NEVER);
        holds("a", 2);
        holds("b", 1);
        holds("c", 1);
        waits("b", 30);
        waits("a", 20);
        waits("c", 10);

        // When, Then
        assertThat(grants(told(slots.released("a", 40)))).containsExactly("c");
        assertThat(grants(told(slots.released("a", 40)))).containsExactly("a"); // it has nothing now
        assertThat(grants(told(slots.released("b", 40)))).containsExactly("b");
        assertThat(slots.held()).isEqualTo(4);
    }

    @Test
    void shouldServeWhoHasLessThanItsShareBeforeWhoWaitsLonger() { // checklist 113
        // Given
        slots = capped(4, 0, NEVER);
        holds("busy", 3);
        slots.enrol("guaranteed", 2);
        holds("guaranteed", 1);
        slots.enrol("nothing", 0);
        waits("busy", 10);
        waits("guaranteed", 30);
        waits("nothing", 20);

        // When, Then
        assertThat(grants(told(slots.released("busy", 40)))).containsExactly("nothing");
        assertThat(grants(told(slots.released("busy", 40)))).containsExactly("guaranteed");
        assertThat(grants(told(slots.released("guaranteed", 40)))).containsExactly("busy");
    }

    @Test
    void shouldTakeNewsOfAClaimForTheSameClaim() {
        // Given
        holds("a", 2);
        holds("b", 1);
        waits("a", 10);
        waits("b", 20);

        // When the client of a that had waited longest has been served otherwise
        told(slots.claim("a", new Claim(claims - 1, true, 30), 40));

        // Then
        assertThat(grants(told(slots.released("a", 50)))).containsExactly("b");

        // When news of what was granted have crossed the grant
        told(slots.claim("b", new Claim(claims, true, 20), 50));

        // Then
        assertThat(grants(told(slots.released("a", 50)))).containsExactly("a");
        assertThat(grants(told(slots.released("a", 50)))).isEmpty();
        assertThat(slots.held()).isEqualTo(2);
    }

    @Test
    void shouldForgetAWithdrawnClaim() { // checklist 119
        // Given
        holds("a", 3);
        slots.enrol("b", 0);
        waits("b", 10);

        // When, Then
        assertThat(told(slots.withdraw("b", claims - 1, 20))).isEmpty();
        assertThat(told(slots.withdraw("b", claims, 20))).isEqualTo(List.of(new Relieve<>("a")));
        assertThat(told(slots.released("a", 20))).isEmpty();
    }

    @Test
    void shouldUseTheReserveForWhoHasWaitedTooLongOnly() { // checklist 115
        // Given
        slots = capped(2, 1, 100);
        holds("a", 2);
        slots.enrol("b", 0);
        slots.enrol("c", 0);
        waits("b", 10);
        waits("c", 15);

        // When, Then
        assertThat(slots.nextDue()).isEqualTo(OptionalLong.of(110));
        assertThat(grants(told(slots.timePassed(109)))).isEmpty();
        assertThat(grants(told(slots.timePassed(110)))).containsExactly("b");
        assertThat(slots.nextDue()).isEmpty();
        assertThat(grants(told(slots.timePassed(1_000)))).isEmpty();
        assertThat(slots.held()).isEqualTo(3);
    }

    @Test
    void shouldGiveTheReserveAtOnceWithoutATimeout() {
        slots = capped(1, 1, 0);
        holds("a", 1);
        slots.enrol("b", 0);
        assertThat(grants(waits("b", 10))).containsExactly("b");
    }

    @Test
    void shouldLetNobodyPayForAMinimum() { // checklist 114
        // Given
        slots = capped(2, 1, 0);
        holds("a", 2);
        slots.enrol("b", 0);
        slots.enrol("c", 0);

        // When, Then: nothing is pressed, and the reserve is not touched
        assertThat(fills("b")).isEmpty();
        assertThat(told(slots.timePassed(NEVER))).isEmpty();
        assertThat(slots.nextDue()).isEmpty();

        // When somebody waits who came later
        assertThat(grants(waits("c", 50))).containsExactly("c");
        waits("a", 60);

        // Then
        assertThat(grants(told(slots.released("c", 70)))).containsExactly("a");
        assertThat(grants(told(slots.released("a", 70)))).isEmpty(); // it was the reserve's
        assertThat(grants(told(slots.released("a", 70)))).containsExactly("b");
    }

    @Test
    void shouldEvictWhatWasUsedLeastRecentlyOfAllPools() {
        // Given
        holds("a", 1);
        holds("b", 1);
        holds("c", 1);
        slots.enrol("d", 0);

        // When, Then
        assertThat(waits("d", 10)).isEqualTo(pressed(new Pressure(10, true), "a", "b", "c"));
        assertThat(told(slots.offered("a", round, 7, 11))).isEmpty();
        assertThat(told(slots.nothingToOffer("c", round, 11))).isEmpty();
        assertThat(told(slots.offered("b", round, 5, 11)))
                .containsExactlyInAnyOrder(
                        new Evict<>("b"), new Keep<>("a"), new Relieve<>("a"), new Relieve<>("b"), new Relieve<>("c"));
        assertThat(told(slots.released("b", 12))).isEqualTo(List.of(new Grant<>("d", claims)));
        assertThat(slots.held()).isEqualTo(3);
    }

    @Test
    void shouldTakeWhatBecomesFreeLater() {
        // Given
        holds("a", 3);
        slots.enrol("b", 0);
        waits("b", 10);
        told(slots.nothingToOffer("a", round, 11));

        // When, Then
        assertThat(told(slots.offered("a", round, 20, 20))).contains(new Evict<>("a"));
        assertThat(told(slots.offered("a", round, 21, 21))).containsExactly(new Keep<>("a"));
        assertThat(grants(told(slots.released("a", 22)))).containsExactly("b");
    }

    @Test
    void shouldSpareYoungConnectionsWhenEverybodyHasItsShare() {
        // Given
        holds("a", 2);
        holds("b", 1);

        // When, Then
        assertThat(waits("b", 10)).isEqualTo(pressed(new Pressure(10, false), "a"));

        // When one comes who has nothing
        slots.enrol("c", 0);

        // Then
        assertThat(waits("c", 20))
                .containsExactly(
                        new Relieve<>("a"),
                        new Press<>("a", round, new Pressure(20, true)),
                        new Press<>("b", round, new Pressure(20, true)));
    }

    @Test
    void shouldEvictOneConnectionForEachClaim() { // checklist 114
        // Given
        holds("a", 3);
        slots.enrol("b", 0);
        slots.enrol("c", 0);
        waits("b", 10);
        waits("c", 20);

        // When
        assertThat(told(slots.offered("a", round, 1, 21)))
                .contains(new Evict<>("a"), new Press<>("a", round, new Pressure(20, true)));
        assertThat(told(slots.offered("a", round, 2, 22))).containsExactly(new Evict<>("a"), new Relieve<>("a"));

        // Then nothing more is wanted, whatever is offered
        assertThat(told(slots.offered("a", round, 3, 23))).containsExactly(new Keep<>("a"));
        assertThat(slots.held("a")).isEqualTo(3);
        assertThat(grants(told(slots.released("a", 24)))).containsExactly("b");
        assertThat(grants(told(slots.released("a", 24)))).containsExactly("c");
        assertThat(slots.held("a")).isEqualTo(1);
    }

    @Test
    void shouldLookFurtherWhenWhatWasOfferedHasClosed() {
        // Given
        holds("a", 3);
        slots.enrol("b", 0);
        waits("b", 10);
        told(slots.offered("a", round, 1, 11));

        // When, Then
        assertThat(told(slots.notEvicted("a", 12))).containsExactly(new Press<>("a", round, new Pressure(10, true)));
        assertThat(grants(told(slots.released("a", 13)))).containsExactly("b");
    }

    @Test
    void shouldPassAnEvictedSlotOnWhileTheReserveIsInUse() {
        // Given
        slots = capped(2, 1, 100);
        holds("a", 2);
        slots.enrol("b", 0);
        waits("b", 10);
        told(slots.timePassed(110));
        waits("b", 120);
        assertThat(slots.held()).isEqualTo(3);

        // When
        told(slots.offered("a", round, 1, 121));

        // Then
        assertThat(grants(told(slots.released("a", 122)))).containsExactly("b");
        assertThat(slots.held()).isEqualTo(3);
    }

    @Test
    void shouldCollectTheReserveWhenNobodyWaits() {
        // Given
        slots = capped(2, 2, 0);
        holds("a", 4);

        // When, Then: old and idle ones only, and as many as there are too many
        assertThat(told(slots.offered("a", round, 1, 10))).containsExactly(new Evict<>("a"));
        assertThat(told(slots.offered("a", round, 2, 11))).containsExactly(new Evict<>("a"), new Relieve<>("a"));
        assertThat(told(slots.offered("a", round, 3, 12))).containsExactly(new Keep<>("a"));
        assertThat(told(slots.released("a", 13))).isEmpty();
        assertThat(told(slots.released("a", 13))).isEmpty();
        assertThat(slots.held()).isEqualTo(2);
    }

    @Test
    void shouldPressForTheReserveOnlyWhoeverHasNobodyWaiting() {
        // Given
        slots = capped(1, 1, 0);
        slots.enrol("a", 0);
        waits("a", 1);

        // When, Then
        assertThat(waits("a", 2))
                .containsExactly(
                        new Grant<>("a", claims), new Press<>("a", round, new Pressure(Long.MAX_VALUE, false)));
    }

    @Test
    void shouldKeepWhatIsOfferedInAFormerRound() {
        // Given
        holds("a", 2);
        holds("b", 1);
        waits("b", 10);
        long former = round;

        // When
        told(slots.claim("b", new Claim(claims, true, 50), 60));

        // Then
        assertThat(told(slots.offered("a", former, 1, 61))).containsExactly(new Keep<>("a"));
        assertThat(told(slots.nothingToOffer("a", former, 61))).isEmpty();
        assertThat(told(slots.offered("a", former + 1, 1, 62))).contains(new Evict<>("a"));
    }

    @Test
    void shouldFreeEverythingOfAPoolThatHasEnded() {
        // Given
        holds("a", 3);
        slots.enrol("b", 0);
        waits("b", 10);
        told(slots.offered("a", round, 1, 11));

        // When, Then
        assertThat(slots.ended("a", 12)).isEqualTo(List.of(new Grant<>("b", claims)));
        assertThat(slots.held()).isEqualTo(1);
        assertThat(slots.knows("a")).isFalse();
        assertThat(grants(waits("b", 13))).containsExactly("b");
    }

    private static DatabaseSlots<String> capped(int limit, int reserve, long reserveTimeout) {
        return new DatabaseSlots<>(limit, reserve, reserveTimeout);
    }

    private void holds(String pool, int many) {
        slots.enrol(pool, 0);
        for (int i = 0; i < many; i++) {
            assertThat(grants(told(slots.claim(pool, new Claim(++claims, true, 0), 0))))
                    .containsExactly(pool);
        }
    }

    private List<Decision<String>> waits(String pool, long since) {
        return told(slots.claim(pool, new Claim(++claims, true, since), since));
    }

    /// Remembers in which round pools were asked last.
    private List<Decision<String>> told(List<Decision<String>> decisions) {
        decisions.forEach(decision -> {
            if (decision instanceof Press<String>(var _, long now, var _)) {
                round = now;
            }
        });
        return decisions;
    }

    private List<Decision<String>> fills(String pool) {
        return told(slots.claim(pool, new Claim(++claims, false, 0), 0));
    }

    private List<Decision<String>> pressed(Pressure pressure, String... pools) {
        return List.of(pools).stream()
                .<Decision<String>>map(pool -> new Press<>(pool, round, pressure))
                .toList();
    }

    private static List<String> grants(List<Decision<String>> decisions) {
        return decisions.stream()
                .filter(Grant.class::isInstance)
                .map(Decision::pool)
                .toList();
    }
}
