package org.pgporter.bench;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Optional;
import org.pgporter.bench.Measurement.Used;

/// Moves many bytes through one connection with `psql`, which writes what it gets to nowhere and reads what it sends
/// from `yes`; PostgreSQL stores nothing either (`COPY … WHERE false`).
///
/// @param megabytes how much, in units of a million bytes
record Bulk(Path psql, Path directory, int megabytes) {
    private static final Duration ENDS_WITHIN = Duration.ofMinutes(10);
    private static final int LINE = 1000;
    private static final int LINES_PER_MEGABYTE = 1_000_000 / LINE;
    private static final int ROW_MEGABYTES = 100;

    Measurement run(Work.Bulk bulk, Pooler pooler) {
        var command = command(bulk, pooler);
        var before = pooler.usage();
        var started = System.nanoTime();
        Program.run(directory.resolve("psql.out"), PgbenchCommand.environment(bulk.setup()), ENDS_WITHIN, command);
        var seconds = (System.nanoTime() - started) / 1e9;
        var after = pooler.usage();
        return measurement(before.flatMap(it -> after.map(then -> new Used(it, then))), seconds, moved(bulk.kind()));
    }

    static Measurement measurement(Optional<Used> pooler, double seconds, long bytes) {
        var values = new EnumMap<Metric, Double>(Metric.class);
        values.put(Metric.MEGABYTES_PER_SECOND, bytes / 1e6 / seconds);
        pooler.ifPresent(it -> {
            values.put(Metric.CPU_SECONDS_PER_GIGABYTE, it.cpuNanos() / bytes);
            values.put(Metric.RESIDENT_MEGABYTES, it.after().residentKilobytes() / 1024.0);
        });
        return new Measurement(values);
    }

    List<String> command(Work.Bulk bulk, Pooler pooler) {
        var command = new ArrayList<>(List.of(
                psql.toString(),
                "-X",
                "-q",
                "-A",
                "-t",
                "-v",
                "ON_ERROR_STOP=1",
                "-h",
                Pooler.HOST,
                "-p",
                Integer.toString(pooler.port()),
                "-U",
                Setup.Pool.FORTY.role().user(),
                "-d",
                pooler.databaseOf(Setup.Pool.FORTY.database()),
                "-o",
                "/dev/null"));
        switch (bulk.kind()) {
            case COPY_OUT ->
                command.addAll(List.of(
                        "-c",
                        "copy (select repeat('x', %d) from generate_series(1, %d)) to stdout"
                                .formatted(LINE - 1, lines())));
            case COPY_IN ->
                command.addAll(List.of(
                        "-c",
                        "\\copy bulk from program 'yes %s | head -n %d' where false"
                                .formatted("x".repeat(LINE - 1), lines())));
            case LARGE_ROW -> {
                for (int row = 0; row < rows(); row++) {
                    command.addAll(List.of("-c", "select repeat('x', %d)".formatted(rowBytes())));
                }
            }
        }
        return command;
    }

    /// The payload, without what the protocol adds.
    long moved(Work.Bulk.Kind kind) {
        return kind == Work.Bulk.Kind.LARGE_ROW ? (long) rows() * rowBytes() : (long) lines() * LINE;
    }

    private int lines() {
        return megabytes * LINES_PER_MEGABYTE;
    }

    private int rows() {
        return Math.max(1, megabytes / ROW_MEGABYTES);
    }

    private int rowBytes() {
        return Math.min(megabytes, ROW_MEGABYTES) * 1_000_000;
    }
}
