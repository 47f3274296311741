package org.pgporter.bench;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/// The measurements of all rounds, and why some are missing. Not for several threads.
final class Results {
    private final Map<Cell, List<Measurement>> rounds = new LinkedHashMap<>();
    private final Map<Cell, String> missing = new LinkedHashMap<>();

    /// A work of a contender, both under their names.
    record Cell(String work, String contender) {}

    void add(Work work, String contender, Measurement measurement) {
        rounds.computeIfAbsent(new Cell(work.key(), contender), _ -> new ArrayList<>())
                .add(measurement);
    }

    /// Keeps the first reason why a contender has not done a work.
    void fail(Work work, String contender, String reason) {
        missing.putIfAbsent(new Cell(work.key(), contender), reason);
    }

    /// Why the contender has not done the work, or not in all rounds; empty when nothing went wrong.
    Optional<String> missing(Work work, String contender) {
        return Optional.ofNullable(missing.get(new Cell(work.key(), contender)));
    }

    /// How often the work was measured that was measured most often.
    int rounds() {
        return rounds.values().stream().mapToInt(List::size).max().orElse(0);
    }

    /// Everything, in the order in which works and contenders first came.
    Map<Cell, List<Measurement>> all() {
        return Collections.unmodifiableMap(rounds);
    }

    /// The median over the rounds; empty when nothing was measured.
    Optional<Double> median(Work work, String contender, Metric metric) {
        return medianOf(values(work, contender, metric));
    }

    /// The median of the ratios within each round, because both contenders of a round met the same machine.
    Optional<Double> ratio(Work work, String contender, String base, Metric metric) {
        var ours = values(work, contender, metric);
        var theirs = values(work, base, metric);
        return medianOf(IntStream.range(0, Math.min(ours.size(), theirs.size()))
                .filter(round -> theirs.get(round) != 0)
                .mapToObj(round -> ours.get(round) / theirs.get(round))
                .toList());
    }

    /// All values, smallest first.
    List<Double> sorted(Work work, String contender, Metric metric) {
        return values(work, contender, metric).stream().sorted().toList();
    }

    private List<Double> values(Work work, String contender, Metric metric) {
        return rounds.getOrDefault(new Cell(work.key(), contender), List.of()).stream()
                .flatMap(it -> it.value(metric).stream())
                .toList();
    }

    static Optional<Double> medianOf(List<Double> values) {
        if (values.isEmpty()) {
            return Optional.empty();
        }
        var sorted = values.stream().sorted().toList();
        var middle = sorted.size() / 2;
        return Optional.of(
                sorted.size() % 2 == 1 ? sorted.get(middle) : (sorted.get(middle - 1) + sorted.get(middle)) / 2);
    }
}
