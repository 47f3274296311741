package org.pgporter.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;

/// What a process has used until a moment, as the operating system counts it (Linux).
///
/// @param cpu time on processors, in user and in kernel mode, of all threads, also of those that have ended;
///     steps of 10 ms
/// @param residentKilobytes memory in use, `VmRSS`
record ProcessUsage(Instant at, Duration cpu, long residentKilobytes) {
    // USER_HZ, which Linux fixes for what /proc shows.
    private static final long TICKS_PER_SECOND = 100;
    // Field numbers of proc(5) from the third on: the name before them may contain anything.
    private static final int USER_TIME = 14 - 3;
    private static final int SYSTEM_TIME = 15 - 3;

    static ProcessUsage of(long pid) {
        var directory = Path.of("/proc", Long.toString(pid));
        try {
            var status = Files.readString(directory.resolve("status"));
            var at = Instant.now();
            return new ProcessUsage(at, cpu(Files.readString(directory.resolve("stat"))), resident(status));
        } catch (IOException e) {
            throw new BenchFailure("process " + pid + " cannot be measured: " + e.getMessage(), e);
        }
    }

    static Duration cpu(String stat) {
        var fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
        var ticks = Long.parseLong(fields[USER_TIME]) + Long.parseLong(fields[SYSTEM_TIME]);
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
}
