package org.pgporter.bench;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// Draws what a [Report] says in tables.
record Charts(Plan plan, List<String> contenders, Results results) {
    /// Processor time of each pooler for each kind of transactions; those in which each transaction logs in or is a
    /// batch are left out, whose bars would make the others invisible.
    String cpu() {
        var categories = loads().filter(load -> !load.reconnect() && load.script() != Work.Script.PIPELINE)
                .map(load -> new BarChart.Category(
                        load.title(),
                        contenders.stream()
                                .map(it -> results.median(load, it, Metric.CPU_MICROS))
                                .toList()))
                .filter(it -> it.values().stream().anyMatch(Optional::isPresent))
                .toList();
        return new BarChart("CPU of the pooler per transaction (microseconds)", contenders, categories).svg();
    }

    /// The median and the 99th percentile of selects over the number of clients.
    String latency(Work.Protocol protocol) {
        var curves = new ArrayList<LineChart.Curve>();
        for (int i = 0; i < contenders.size(); i++) {
            curves.add(curve(protocol, contenders.get(i), i, Metric.P50_MILLIS, "p50 "));
            curves.add(curve(protocol, contenders.get(i), i, Metric.P99_MILLIS, "p99 "));
        }
        return new LineChart(
                        "select, " + protocol.option() + ": p50 and p99 (dashed)",
                        "clients",
                        "ms",
                        true,
                        curves.stream().filter(it -> !it.points().isEmpty()).toList())
                .svg();
    }

    private LineChart.Curve curve(Work.Protocol protocol, String contender, int number, Metric metric, String prefix) {
        var points = loads().filter(load -> load.setup() == Setup.PLAIN
                        && load.script() == Work.Script.SELECT
                        && load.protocol() == protocol
                        && !load.reconnect()
                        && load.pool().equals(Setup.Pool.FORTY))
                .sorted(Comparator.comparingInt(Work.Load::clients))
                .flatMap(load -> results.median(load, contender, metric).stream()
                        .map(value -> new LineChart.Point(load.clients(), value)))
                .toList();
        return new LineChart.Curve(prefix + contender, Colours.of(number), metric == Metric.P99_MILLIS, points);
    }

    private Stream<Work.Load> loads() {
        return plan.works().stream().filter(Work.Load.class::isInstance).map(Work.Load.class::cast);
    }
}
