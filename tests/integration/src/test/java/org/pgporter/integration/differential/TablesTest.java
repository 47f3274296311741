package org.pgporter.integration.differential;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import org.junit.jupiter.api.Test;

class TablesTest {
    private static final Path LIMITS = Path.of("../../docs/limits.md");

    /// A deviation that nobody can read about is a bug.
    @Test
    void shouldDocumentEachDeviation() throws IOException {
        var rows = Files.readString(LIMITS)
                .lines()
                .filter(it -> it.startsWith("| "))
                .toList();
        for (var conversation : Tables.all()) {
            for (var deviation : conversation.deviations()) {
                assertThat(rows)
                        .as(conversation.origin() + " " + conversation)
                        .anyMatch(row -> row.startsWith("| " + deviation.reason() + " |"));
            }
        }
    }

    @Test
    void shouldNameEachConversationOnce() {
        var names = new HashSet<String>();
        assertThat(Tables.all()).allMatch(it -> names.add(it.name()));
    }
}
