package org.pgporter.node.admin;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ShowTest {
    static Stream<String> lines() throws IOException {
        try (InputStream in = ShowTest.class.getResourceAsStream("pgbouncer-columns.txt")) {
            assertThat(in).isNotNull();
            return new String(in.readAllBytes(), StandardCharsets.UTF_8).lines().filter(line -> !line.startsWith("#"));
        }
    }

    @ParameterizedTest
    @MethodSource("lines")
    void shouldHaveTheColumnsOfPgBouncerFirst(String line) {
        String[] parts = line.split(": ");
        List<Column> expected = Stream.of(parts[1].split(", "))
                .map(column -> column.split(" "))
                .map(words -> new Column(words[0], type(words[1])))
                .toList();

        assertThat(Show.named(parts[0]).orElseThrow().columns()).startsWith(expected.toArray(Column[]::new));
    }

    private static ColumnType type(String letter) {
        return switch (letter) {
            case "s", "T" -> ColumnType.TEXT;
            case "i" -> ColumnType.INT4;
            case "q" -> ColumnType.INT8;
            case "N" -> ColumnType.NUMERIC;
            default -> throw new IllegalArgumentException(letter);
        };
    }

    @Test
    void shouldKnowEveryTableOfPgBouncer() throws IOException {
        assertThat(lines().count()).isEqualTo(20);
        assertThat(Show.named("fds")).isEmpty();
    }
}
