package org.pgporter.integration.differential;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;

/// All conversations that are written down, in files by topic.
final class Tables {
    private static final List<String> FILES = List.of(
            "simple.txt",
            "extended.txt",
            "statements.txt",
            "copy.txt",
            "parameters.txt",
            "sessions.txt",
            "illegal.txt");

    private Tables() {}

    static List<Conversation> all() {
        return FILES.stream().flatMap(file -> read(file).stream()).toList();
    }

    private static List<Conversation> read(String file) {
        try (var in = Objects.requireNonNull(Tables.class.getResourceAsStream(file), file)) {
            return ConversationReader.read(file, new String(in.readAllBytes(), StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
