package org.pgporter.bench;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/// The measurements of all rounds. Not for several threads.
final class Results {
    private final Map<Cell, List<Measurement>> rounds = new LinkedHashMap<>();

    private record Cell(Workload workload, String pooler) {}

    void add(Workload workload, Pooler pooler, Measurement measurement) {
        rounds.computeIfAbsent(new Cell(workload, pooler.name()), _ -> new ArrayList<>())
                .add(measurement);
    }

    /// How often each work was measured that was measured at all.
    int rounds() {
        return rounds.values().stream().mapToInt(List::size).max().orElse(0);
    }

    /// The median over the rounds; empty when nothing was measured.
    Optional<Double> median(Workload workload, Pooler pooler, ToDoubleFunction<Measurement> value) {
        return medianOf(values(workload, pooler, value));
    }

    /// The median of the ratios within each round, because both poolers of a round met the same machine.
    Optional<Double> ratio(Workload workload, Pooler pooler, Pooler base, ToDoubleFunction<Measurement> value) {
        var ours = values(workload, pooler, value);
        var theirs = values(workload, base, value);
        return medianOf(IntStream.range(0, Math.min(ours.size(), theirs.size()))
                .mapToObj(round -> ours.get(round) / theirs.get(round))
                .toList());
    }

    /// All values, smallest first.
    List<Double> sorted(Workload workload, Pooler pooler, ToDoubleFunction<Measurement> value) {
        return values(workload, pooler, value).stream().sorted().toList();
    }

    private List<Double> values(Workload workload, Pooler pooler, ToDoubleFunction<Measurement> value) {
        return rounds.getOrDefault(new Cell(workload, pooler.name()), List.of()).stream()
                .map(value::applyAsDouble)
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
