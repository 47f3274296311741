package org.pgporter.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Pattern;

/// What the operating system allows to this process and to those it starts.
///
/// @param openFiles the soft limit of `ulimit -n`
record Limits(long openFiles) {
    // Backend connections, listeners, libraries and logs.
    private static final int BESIDES = 300;
    private static final Pattern OPEN_FILES = Pattern.compile("Max open files +(\\d+|unlimited) ");

    static Limits here() {
        try {
            return parse(Files.readString(Path.of("/proc/self/limits")));
        } catch (IOException e) {
            throw new BenchFailure("the limits of this process cannot be read: " + e.getMessage(), e);
        }
    }

    static Limits parse(String limits) {
        var found = OPEN_FILES.matcher(limits);
        if (!found.find()) {
            throw new BenchFailure("no limit of open files in: " + limits);
        }
        return new Limits(found.group(1).equals("unlimited") ? Long.MAX_VALUE : Long.parseLong(found.group(1)));
    }

    /// Why so many clients are too many for one process, which takes an open file for each.
    Optional<String> forbids(int clients) {
        return clients + BESIDES <= openFiles
                ? Optional.empty()
                : Optional.of("needs ulimit -n %d, here it is %d".formatted(clients + BESIDES, openFiles));
    }
}
