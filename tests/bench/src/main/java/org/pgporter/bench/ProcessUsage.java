package org.pgporter.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.stream.LongStream;

/// What a process and its descendants have used until a moment, as the operating system counts it (Linux).
///
/// @param cpu time on processors, in user and in kernel mode, of all threads and all children, also of those that
///     have ended; steps of 10 ms for each process
/// @param residentKilobytes memory in use of the process itself, `VmRSS`
record ProcessUsage(Instant at, Duration cpu, long residentKilobytes) {
    // USER_HZ, which Linux fixes for what /proc shows.
    private static final long TICKS_PER_SECOND = 100;
    // Field numbers of proc(5) from the third on: the name before them may contain anything. User and system time,
    // then both of the children that have ended.
    private static final int FIRST_TIME = 14 - 3;
    private static final int LAST_TIME = 17 - 3;

    static ProcessUsage of(long pid) {
        var children = ProcessHandle.of(pid).stream()
                .flatMap(ProcessHandle::descendants)
                .mapToLong(ProcessHandle::pid)
                .toArray();
        try {
            var status = Files.readString(Path.of("/proc", Long.toString(pid), "status"));
            var at = Instant.now();
            var own = cpu(Files.readString(stat(pid)));
            var others = LongStream.of(children)
                    .mapToObj(ProcessUsage::tryCpu)
                    .flatMap(Optional::stream)
                    .reduce(Duration.ZERO, Duration::plus);
            return new ProcessUsage(at, own.plus(others), resident(status));
        } catch (IOException e) {
            throw new BenchFailure("process " + pid + " cannot be measured: " + e.getMessage(), e);
        }
    }

    static Duration cpu(String stat) {
        var fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
        var ticks = 0L;
        for (int field = FIRST_TIME; field <= LAST_TIME; field++) {
            ticks += Long.parseLong(fields[field]);
        }
        return Duration.ofMillis(ticks * (1000 / TICKS_PER_SECOND));
    }

    static long resident(String status) {
        return status.lines()
                .filter(line -> line.startsWith("VmRSS:"))
                .map(line -> line.replaceAll("\\D", ""))
                .mapToLong(Long::parseLong)
                .findFirst()
                .orElse(0);
    }

    private static Path stat(long pid) {
        return Path.of("/proc", Long.toString(pid), "stat");
    }

    /// Nothing for a process that has just ended: its parent has its time.
    private static Optional<Duration> tryCpu(long pid) {
        try {
            return Optional.of(cpu(Files.readString(stat(pid))));
        } catch (IOException _) {
            return Optional.empty();
        }
    }
}
