package org.pgporter.node.backend;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class PreparedOnBackendTest {
    private final PreparedOnBackend backend = new PreparedOnBackend(2);
    private final PreparedStatement a = named("a");
    private final PreparedStatement b = named("b");
    private final PreparedStatement c = named("c");

    private static PreparedStatement named(String sql) {
        return PreparedStatement.named(sql.getBytes(StandardCharsets.US_ASCII), PlanContext.DEFAULT);
    }

    private static PreparedStatement unnamed(String sql) {
        return PreparedStatement.unnamed(sql.getBytes(StandardCharsets.US_ASCII));
    }

    private void prepare(PreparedStatement statement) {
        backend.parseSent(statement);
        backend.prepared();
    }

    @Test
    void shouldKnowAStatementFromTheMomentItsParseIsSent() {
        assertThat(backend.knows(a)).isFalse();
        backend.parseSent(a);
        assertThat(backend.knows(a)).isTrue();
        backend.prepared();
        backend.cycleEnded();
        assertThat(backend.knows(a)).isTrue();
        assertThat(backend.count()).isEqualTo(1);
    }

    /// The one that is prepared after a change has a name of its own, which the backend has never seen.
    @Test
    void shouldNotTakeAStatementForTheOneFromBeforeAChangeOfTheSchema() {
        StatementCatalog catalog = new StatementCatalog();
        byte[] definition = "a".getBytes(StandardCharsets.US_ASCII);
        PreparedStatement before = catalog.statement(definition, PlanContext.DEFAULT);
        prepare(before);
        catalog.schemaChanged();
        PreparedStatement after = catalog.statement(definition, PlanContext.DEFAULT);

        assertThat(after.serverName()).isNotEqualTo(before.serverName());
        assertThat(catalog.statement(definition, PlanContext.DEFAULT)).isSameAs(after);
        assertThat(backend.knows(before)).isTrue();
        assertThat(backend.knows(after)).isFalse();
        prepare(after);
        assertThat(backend.knows(after)).isTrue();
        assertThat(backend.count()).isEqualTo(2);
    }

    @Test
    void shouldForgetAStatementWhoseParseFailed() {
        prepare(a);
        backend.parseSent(b);
        backend.parseSent(c);
        backend.prepared();
        backend.notPrepared();
        assertThat(backend.knows(a)).isTrue();
        assertThat(backend.knows(b)).isTrue();
        assertThat(backend.knows(c)).isFalse();
        assertThat(backend.inDoubt(c)).isFalse();
    }

    @Test
    void shouldDoubtBehindSyncWhatHasNotBeenAnswered() {
        backend.parseSent(a);
        assertThat(backend.inDoubt(a)).isFalse();
        backend.cycleEnded();
        assertThat(backend.knows(a)).isFalse();
        assertThat(backend.inDoubt(a)).isTrue();
        backend.prepared();
        assertThat(backend.knows(a)).isTrue();
        assertThat(backend.inDoubt(a)).isFalse();
    }

    @Test
    void shouldLetTheLastParseDecide() {
        // Given one Parse that is skipped and one behind the next Sync
        backend.parseSent(a);
        backend.cycleEnded();
        backend.parseSent(a);
        // When
        backend.notPrepared();
        // Then
        assertThat(backend.knows(a)).isTrue();
        backend.prepared();
        backend.cycleEnded();
        assertThat(backend.knows(a)).isTrue();
    }

    @Test
    void shouldStayInDoubtWhenTheSecondParseIsSkipped() {
        backend.parseSent(a);
        backend.cycleEnded();
        backend.parseSent(a);
        backend.prepared();
        backend.notPrepared();
        assertThat(backend.knows(a)).isFalse();
        assertThat(backend.inDoubt(a)).isTrue();
    }

    @Test
    void shouldKnowOneUnnamedStatement() {
        prepare(unnamed("a"));
        assertThat(backend.knows(unnamed("a"))).isTrue();
        assertThat(backend.knows(a)).isFalse();
        prepare(unnamed("b"));
        assertThat(backend.knows(unnamed("a"))).isFalse();
        assertThat(backend.knows(unnamed("b"))).isTrue();
        assertThat(backend.count()).isZero();
        backend.unnamedGone();
        assertThat(backend.knows(unnamed("b"))).isFalse();
    }

    @Test
    void shouldNotTrustAnUnnamedStatementBehindSyncUntilItIsAnswered() {
        backend.parseSent(unnamed("a"));
        backend.cycleEnded();
        assertThat(backend.knows(unnamed("a"))).isFalse();
        assertThat(backend.inDoubt(unnamed("a")))
                .as("the next Parse replaces it anyway")
                .isFalse();
        backend.notPrepared();
        assertThat(backend.knows(unnamed("a"))).isFalse();
    }

    @Test
    void shouldNotMistakeAnOldAnswerForTheNewUnnamedStatement() {
        backend.parseSent(unnamed("a"));
        backend.cycleEnded();
        backend.parseSent(unnamed("b"));
        backend.cycleEnded();
        backend.prepared();
        assertThat(backend.knows(unnamed("b"))).isFalse();
        backend.notPrepared();
        assertThat(backend.knows(unnamed("a"))).isFalse();
        assertThat(backend.knows(unnamed("b"))).isFalse();
    }

    @Test
    void shouldEvictTheLeastRecentlyUsed() {
        prepare(a);
        prepare(b);
        assertThat(backend.evictable()).isEmpty();
        assertThat(backend.knows(a)).isTrue(); // a use
        prepare(c);
        assertThat(backend.evictable()).containsExactly(b);
        assertThat(backend.knows(b)).isFalse();
        assertThat(backend.knows(a)).isTrue();
        assertThat(backend.knows(c)).isTrue();
        assertThat(backend.evictable()).isEmpty();
    }

    @Test
    void shouldHoldMoreThanItsCapacityWithinALease() {
        prepare(a);
        prepare(b);
        prepare(c);
        prepare(named("d"));
        assertThat(backend.count()).isEqualTo(4);
        assertThat(backend.evictable()).containsExactly(a, b);
    }

    @Test
    void shouldForgetEverythingButWhatIsOnItsWay() {
        prepare(a);
        prepare(unnamed("x"));
        backend.parseSent(b);
        backend.allGone();
        assertThat(backend.knows(a)).isFalse();
        assertThat(backend.knows(unnamed("x"))).isFalse();
        backend.prepared();
        assertThat(backend.knows(b)).isTrue();
    }
}
