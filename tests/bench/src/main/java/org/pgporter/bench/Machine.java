package org.pgporter.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/// What the numbers were measured on.
final class Machine {
    private static final long MEGABYTE_IN_KILOBYTES = 1024;

    private Machine() {}

    static String describe() {
        return "%s, %d processors, %d MB, %s %s"
                .formatted(
                        field("/proc/cpuinfo", "model name"),
                        Runtime.getRuntime().availableProcessors(),
                        Long.parseLong("0" + field("/proc/meminfo", "MemTotal").replaceAll("\\D", ""))
                                / MEGABYTE_IN_KILOBYTES,
                        System.getProperty("os.name"),
                        System.getProperty("os.version"));
    }

    /// How many threads wanted a processor during the last minute, on average.
    static String load() {
        return read("/proc/loadavg").split(" ")[0];
    }

    private static String field(String file, String name) {
        return read(file)
                .lines()
                .filter(line -> line.startsWith(name))
                .map(line -> line.substring(line.indexOf(':') + 1).strip())
                .findFirst()
                .orElse("unknown " + name);
    }

    private static String read(String file) {
        try {
            return Files.readString(Path.of(file));
        } catch (IOException _) {
            return "";
        }
    }
}
