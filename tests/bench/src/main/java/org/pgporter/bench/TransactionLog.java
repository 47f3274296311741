package org.pgporter.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Arrays;
import java.util.stream.LongStream;

/// The transactions that pgbench logged (`-l`): when each ended and how long it took, in microseconds.
///
/// @param ends since the epoch, in the order of the files
/// @param durations as long as `ends`
record TransactionLog(long[] ends, long[] durations) {
    private static final int DURATION = 2;
    private static final int SECONDS = 4;
    private static final int MICROSECONDS = 5;

    /// Reads what all threads of one pgbench wrote: `<prefix>.<pid>`, `<prefix>.<pid>.1` and so on.
    static TransactionLog read(Path directory, String prefix) {
        var ends = LongStream.builder();
        var durations = LongStream.builder();
        try (var files = Files.newDirectoryStream(directory, prefix + ".*")) {
            for (var file : files) {
                try (var lines = Files.lines(file)) {
                    lines.map(line -> line.split(" ")).forEach(fields -> {
                        ends.add(Long.parseLong(fields[SECONDS]) * 1_000_000 + Long.parseLong(fields[MICROSECONDS]));
                        durations.add(Long.parseLong(fields[DURATION]));
                    });
                }
            }
        } catch (IOException e) {
            throw new BenchFailure("the log of pgbench cannot be read: " + e.getMessage(), e);
        }
        return new TransactionLog(ends.build().toArray(), durations.build().toArray());
    }

    int size() {
        return ends.length;
    }

    /// Durations of the transactions that ended from `from` on and before `to`, shortest first.
    long[] between(Instant from, Instant to) {
        var first = ChronoUnit.MICROS.between(Instant.EPOCH, from);
        var end = ChronoUnit.MICROS.between(Instant.EPOCH, to);
        var selected = new long[ends.length];
        var count = 0;
        for (int i = 0; i < ends.length; i++) {
            if (ends[i] >= first && ends[i] < end) {
                selected[count++] = durations[i];
            }
        }
        var sorted = Arrays.copyOf(selected, count);
        Arrays.sort(sorted);
        return sorted;
    }
}
