package org.pgporter.integration.differential;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/// What each client of a conversation has heard.
record Heard(Map<String, List<Line>> byClient) {
    /// How the line begins that stands where a client has waited in vain.
    static final String NOTHING_MORE = "nothing more";

    private static final int SHOWN_AROUND = 12;
    private static final int SHOWN_CHARACTERS = 400;

    /// One message.
    ///
    /// @param text everything in it that must be equal
    /// @param place where PostgreSQL's source reports an error (fields F, L and R); empty if the server is silent
    ///     about it, as PgPorter is in its own errors
    record Line(String text, Optional<String> place) {
        static Line of(String text) {
            return new Line(text, Optional.empty());
        }

        boolean equalTo(Line other) {
            return text.equals(other.text) && (place.isEmpty() || other.place.isEmpty() || place.equals(other.place));
        }
    }

    /// Why this is nothing to compare with: a client waited in vain.
    Optional<String> problem() {
        return byClient.values().stream()
                .flatMap(List::stream)
                .map(Line::text)
                .filter(it -> it.startsWith(NOTHING_MORE))
                .findFirst();
    }

    /// What is first different, or nothing.
    Optional<String> differenceTo(Heard other) {
        return byClient.keySet().stream()
                .map(client -> difference(
                        client,
                        byClient.getOrDefault(client, List.of()),
                        other.byClient.getOrDefault(client, List.of())))
                .flatMap(Optional::stream)
                .findFirst();
    }

    private static Optional<String> difference(String client, List<Line> here, List<Line> there) {
        var common = Math.min(here.size(), there.size());
        var first = IntStream.range(0, common)
                .filter(i -> !here.get(i).equalTo(there.get(i)))
                .findFirst()
                .orElse(common);
        if (first == common && here.size() == there.size()) {
            return Optional.empty();
        }
        return Optional.of("client " + client + ", message " + (first + 1) + "\n  directly:\n" + around(here, first)
                + "\n  through PgPorter:\n" + around(there, first));
    }

    private static String around(List<Line> lines, int at) {
        var from = Math.max(0, at - SHOWN_AROUND);
        var to = Math.min(lines.size(), at + SHOWN_AROUND);
        return IntStream.range(from, to)
                .mapToObj(i ->
                        (i == at ? "  > " : "    ") + shortened(lines.get(i).text()))
                .collect(Collectors.joining("\n"));
    }

    private static String shortened(String text) {
        return text.length() <= SHOWN_CHARACTERS ? text : text.substring(0, SHOWN_CHARACTERS) + " …";
    }
}
