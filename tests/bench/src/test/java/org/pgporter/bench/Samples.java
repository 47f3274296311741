package org.pgporter.bench;

import java.util.List;
import java.util.Map;

/// Measurements that nobody made.
final class Samples {
    static final Work.Load SIMPLE = Catalogue.select(Setup.PLAIN, Work.Protocol.SIMPLE, 20);

    private Samples() {}

    /// @param rounds the values of each contender, a value for each round
    static Results results(Work work, Metric metric, Map<String, List<Double>> rounds) {
        var results = new Results();
        add(results, work, metric, rounds);
        return results;
    }

    static void add(Results results, Work work, Metric metric, Map<String, List<Double>> rounds) {
        rounds.forEach((contender, values) ->
                values.forEach(value -> results.add(work, contender, new Measurement(Map.of(metric, value)))));
    }
}
