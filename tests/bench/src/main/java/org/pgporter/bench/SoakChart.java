package org.pgporter.bench;

import java.util.List;
import java.util.OptionalLong;
import java.util.function.Function;

/// Memory over time.
final class SoakChart {
    private SoakChart() {}

    static LineChart of(String contender, List<Soak.Sample> samples) {
        return new LineChart(
                contender + ": memory",
                "minutes",
                "MB",
                false,
                List.of(
                        curve("resident", 0, samples, it -> OptionalLong.of(it.resident())),
                        curve("committed by the JVM", 1, samples, Soak.Sample::committed),
                        curve("heap after a full collection", 2, samples, Soak.Sample::heap),
                        curve("buffers outside of the heap", 3, samples, Soak.Sample::direct)));
    }

    private static LineChart.Curve curve(
            String name, int colour, List<Soak.Sample> samples, Function<Soak.Sample, OptionalLong> value) {
        var points = samples.stream()
                .filter(it -> value.apply(it).isPresent())
                .map(it ->
                        new LineChart.Point(it.seconds() / 60, value.apply(it).getAsLong() / 1e6))
                .toList();
        return new LineChart.Curve(name, Colours.of(colour), false, points);
    }
}
