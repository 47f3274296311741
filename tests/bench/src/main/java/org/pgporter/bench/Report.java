package org.pgporter.bench;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// The table that a person reads, in Markdown.
///
/// @param poolers the first is what the others are compared with
/// @param conditions lines about machine, versions and settings
record Report(Plan plan, List<Pooler> poolers, Results results, List<String> conditions) {
    private static final String NONE = "–";

    String markdown() {
        return conditions.stream().map(line -> "* " + line + "\n").collect(Collectors.joining())
                + "\n"
                + row(Stream.of(
                        "work",
                        "pooler",
                        "CPU us/tx",
                        "lowest – highest",
                        "x CPU",
                        "tps",
                        "x tps",
                        "avg ms",
                        "p50 ms",
                        "p99 ms",
                        "worst ms",
                        "RSS MB"))
                + row(Stream.of("---", "---", "--:", "--:", "--:", "--:", "--:", "--:", "--:", "--:", "--:", "--:"))
                + plan.workloads().stream().map(this::rows).collect(Collectors.joining());
    }

    private String rows(Workload workload) {
        return poolers.stream().map(pooler -> row(workload, pooler)).collect(Collectors.joining());
    }

    private String row(Workload workload, Pooler pooler) {
        var base = poolers.getFirst();
        var cpu = results.sorted(workload, pooler, Measurement::cpuMicros);
        if (cpu.isEmpty()) {
            var why = pooler.serves(workload) ? "not measured" : "cannot in transaction mode";
            return row(Stream.concat(
                    Stream.of(workload.title(), pooler.name(), why),
                    Stream.generate(() -> NONE).limit(9)));
        }
        return row(Stream.of(
                workload.title(),
                pooler.name(),
                number("%.1f", results.median(workload, pooler, Measurement::cpuMicros)),
                String.format(Locale.ROOT, "%.1f – %.1f", cpu.getFirst(), cpu.getLast()),
                number("%.2f", results.ratio(workload, pooler, base, Measurement::cpuMicros)),
                number("%.0f", results.median(workload, pooler, Measurement::transactionsPerSecond)),
                number("%.2f", results.ratio(workload, pooler, base, Measurement::transactionsPerSecond)),
                number("%.2f", results.median(workload, pooler, Measurement::averageMillis)),
                number("%.2f", results.median(workload, pooler, Measurement::p50Millis)),
                number("%.2f", results.median(workload, pooler, Measurement::p99Millis)),
                number("%.1f", results.median(workload, pooler, Measurement::worstMillis)),
                number("%.0f", results.median(workload, pooler, Measurement::residentMegabytes))));
    }

    private static String number(String format, Optional<Double> value) {
        return value.map(it -> String.format(Locale.ROOT, format, it)).orElse(NONE);
    }

    private static String row(Stream<String> cells) {
        return cells.collect(Collectors.joining(" | ", "| ", " |\n"));
    }
}
