package org.pgporter.node.logging;

import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;

/// The time of a log line: UTC, ISO 8601, always three digits of milliseconds, so that lines sort as text.
final class LogTime {
    private static final DateTimeFormatter FORMAT =
            DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSS'Z'").withZone(ZoneOffset.UTC);

    private LogTime() {}

    static void append(StringBuilder out, Instant instant) {
        FORMAT.formatTo(instant, out);
    }
}
