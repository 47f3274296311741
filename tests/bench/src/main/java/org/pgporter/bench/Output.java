package org.pgporter.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/// The files that a run leaves behind: `report.md`, `measurements.csv`, the plots, and under `configurations` what each
/// pooler was told.
///
/// @param directory it is created
record Output(Path directory) {
    // The files that contenders are configured by; what else is in their directories are logs and keys.
    private static final Set<String> CONFIGURATIONS = Set.of("yaml", "ini", "conf", "toml", "txt");
    private static final String HEADER = "work,contender,round,metric,value\n";

    void write(Report report, Path working) {
        var contenders = report.contenders().stream().map(Contender::name).toList();
        var poolers = report.contenders().stream()
                .filter(Contender::isPooler)
                .map(Contender::name)
                .toList();
        try {
            Files.createDirectories(directory);
            copyConfigurations(working);
        } catch (IOException e) {
            throw new BenchFailure(directory + " cannot be written: " + e.getMessage(), e);
        }
        write("report.md", report.markdown());
        write("measurements.csv", csv(report.results()));
        write("reasons.txt", reasons(report));
        write("cpu.svg", new Charts(report.plan(), poolers, report.results()).cpu());
        for (var protocol : List.of(Work.Protocol.SIMPLE, Work.Protocol.PREPARED)) {
            var chart = new Charts(report.plan(), contenders, report.results()).latency(protocol);
            write("latency-" + protocol.option() + ".svg", chart);
        }
    }

    /// Every single measurement, a line for each metric.
    static String csv(Results results) {
        var text = new StringBuilder(HEADER);
        results.all().forEach((cell, measurements) -> {
            for (int round = 0; round < measurements.size(); round++) {
                var values = measurements.get(round).values();
                for (var metric : Metric.values()) {
                    var value = values.get(metric);
                    if (value != null) {
                        text.append(String.format(
                                Locale.ROOT,
                                "%s,\"%s\",%d,%s,%.4f%n",
                                cell.work(),
                                cell.contender(),
                                round + 1,
                                metric.name().toLowerCase(Locale.ROOT),
                                value));
                    }
                }
            }
        });
        return text.toString();
    }

    private static String reasons(Report report) {
        var text = new StringBuilder();
        for (var work : report.plan().works()) {
            for (var contender : report.contenders()) {
                report.results()
                        .missing(work, contender.name())
                        .ifPresent(it -> text.append(work.key())
                                .append(", ")
                                .append(contender.name())
                                .append(": ")
                                .append(it.strip())
                                .append("\n\n"));
            }
        }
        return text.toString();
    }

    private void write(String name, String text) {
        Settings.write(directory.resolve(name), text);
    }

    private void copyConfigurations(Path working) throws IOException {
        try (var files = Files.walk(working)) {
            for (var file : files.filter(Files::isRegularFile).toList()) {
                var relative = working.relativize(file);
                if (relative.getNameCount() > 1 && CONFIGURATIONS.contains(extension(file))) {
                    var copy = directory.resolve("configurations").resolve(relative);
                    Files.createDirectories(copy.getParent());
                    Files.writeString(copy, Files.readString(file));
                }
            }
        }
    }

    private static String extension(Path file) {
        var name = file.getFileName().toString();
        return name.substring(name.lastIndexOf('.') + 1);
    }
}
