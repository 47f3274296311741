package org.pgporter.node.session;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.pgporter.node.backend.PlanContext;
import org.pgporter.node.backend.PreparedStatement;

class StatementNamesTest {
    private final StatementNames names = new StatementNames();

    @Test
    void shouldCountAParseAtOnceForWhatFollows() {
        // When
        names.parsed("a", statement(1));

        // Then
        assertThat(names.get("a")).contains(statement(1));
        assertThat(names.get("b")).isEmpty();
        assertThat(names.count()).isZero();
    }

    @Test
    void shouldTakeBackAParseThatWasRefused() {
        // Given
        names.parsed("a", statement(1));

        // When
        names.settle(false);

        // Then
        assertThat(names.get("a")).isEmpty();
        assertThat(names.isEmpty()).isTrue();
    }

    /// PostgreSQL destroys the unnamed statement before it looks at the text of the next one.
    @Test
    void shouldForgetTheUnnamedStatementWhenTheNextIsRefused() { // checklist 88, 89
        // Given
        names.parsed("", statement(1));
        names.settle(true);
        names.parsed("a", statement(1));
        names.settle(true);

        // When
        names.parsed("", statement(2));
        names.refused();
        names.parsed("a", statement(2));
        names.refused();

        // Then
        assertThat(names.get("")).isEmpty();
        assertThat(names.get("a")).contains(statement(1));
    }

    @Test
    void shouldKeepTheOldMeaningWhenACloseIsSkipped() {
        // Given
        names.parsed("a", statement(1));
        names.settle(true);
        names.closed("a");
        assertThat(names.get("a")).isEmpty();

        // When
        names.settle(false);

        // Then
        assertThat(names.get("a")).contains(statement(1));
    }

    @Test
    void shouldLetTheNewestOfSeveralChangesOfANameCount() {
        // Given
        names.parsed("a", statement(1));
        names.closed("a");
        names.parsed("a", statement(2));

        // When the server skips the last one
        names.settle(true);
        names.settle(true);
        names.settle(false);

        // Then
        assertThat(names.get("a")).isEmpty();
        assertThat(names.count()).isZero();
    }

    /// DEALLOCATE ALL and DISCARD ALL throw away what has a name.
    @Test
    void shouldKeepTheUnnamedStatementWhenAllAreDeallocated() { // checklist 92
        names.parsed("", statement(1));
        names.parsed("a", statement(2));
        names.allDeallocated();
        assertThat(names.get("")).contains(statement(1));
        assertThat(names.get("a")).isEmpty();
        for (int i = 0; i < 3; i++) {
            names.settle(true);
        }
        names.allGone();
        assertThat(names.get("")).contains(statement(1));
        assertThat(names.get("a")).isEmpty();
    }

    @Test
    void shouldKeepWhatWasSentAfterADiscard() {
        // Given
        names.parsed("old", statement(1));
        names.settle(true);
        names.parsed("new", statement(2));

        // When
        names.allGone();
        names.settle(true);

        // Then
        assertThat(names.get("old")).isEmpty();
        assertThat(names.get("new")).contains(statement(2));
    }

    @Test
    void shouldForgetWhatNobodyWillAnswer() {
        // Given
        names.parsed("a", statement(1));
        names.settle(true);
        names.closed("a");
        names.parsed("b", statement(2));

        // When
        names.dropPending();

        // Then
        assertThat(names.get("a")).contains(statement(1));
        assertThat(names.get("b")).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5})
    void shouldAgreeWithTwoMaps(long seed) {
        // Given: what is settled, and every change in line as a map from before to after
        var random = new Random(seed);
        Map<String, PreparedStatement> settled = new HashMap<>();
        record Change(String name, Optional<PreparedStatement> to) {}
        var line = new ArrayDeque<Change>();

        for (int step = 0; step < 2_000; step++) {
            // When
            String name = "s" + random.nextInt(4);
            switch (random.nextInt(5)) {
                case 0, 1 -> {
                    names.parsed(name, statement(step));
                    line.add(new Change(name, Optional.of(statement(step))));
                }
                case 2 -> {
                    names.closed(name);
                    line.add(new Change(name, Optional.empty()));
                }
                case 3 -> {
                    if (!line.isEmpty()) {
                        boolean confirmed = random.nextBoolean();
                        names.settle(confirmed);
                        Change change = line.remove();
                        if (confirmed) {
                            change.to()
                                    .ifPresentOrElse(
                                            it -> settled.put(change.name(), it), () -> settled.remove(change.name()));
                        }
                    }
                }
                default -> {
                    if (random.nextInt(20) == 0) {
                        names.allGone();
                        settled.clear();
                    }
                }
            }
            // Then
            Map<String, PreparedStatement> seen = new HashMap<>(settled);
            line.forEach(change ->
                    change.to().ifPresentOrElse(it -> seen.put(change.name(), it), () -> seen.remove(change.name())));
            for (int i = 0; i < 4; i++) {
                assertThat(names.get("s" + i))
                        .as("seed %d, step %d, s%d", seed, step, i)
                        .isEqualTo(Optional.ofNullable(seen.get("s" + i)));
            }
            assertThat(names.count()).as("seed %d, step %d", seed, step).isEqualTo(settled.size());
        }
    }

    private static PreparedStatement statement(int number) {
        return PreparedStatement.named(
                ("select " + number + "\0\0\0").getBytes(java.nio.charset.StandardCharsets.UTF_8), PlanContext.DEFAULT);
    }
}
