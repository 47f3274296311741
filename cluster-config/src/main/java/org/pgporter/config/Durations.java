package org.pgporter.config;

import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Durations as the file writes them: `"250ms"`, `"5s"`, `"5m"`, `"1h"`, `"2d"`, in any case, blanks allowed before
/// the unit.
final class Durations {
    /// More than anybody waits, and less than what timers take: Pekko's scheduler refuses delays of more than 2^31 of
    /// its ticks, which are 248 days.
    static final Duration LONGEST = Duration.ofDays(240);

    private static final Pattern SYNTAX = Pattern.compile("(\\d{1,18})\\s*(ms|s|m|h|d)?", Pattern.CASE_INSENSITIVE);

    private Durations() {}

    /// Reads `text`; without a unit it counts `bare`. Empty when it is not a duration or longer than [#LONGEST].
    static Optional<Duration> parse(String text, Duration bare) {
        Matcher matcher = SYNTAX.matcher(text.strip());
        if (!matcher.matches()) {
            return Optional.empty();
        }
        Duration unit = matcher.group(2) == null
                ? bare
                : switch (matcher.group(2).toLowerCase(Locale.ROOT)) {
                    case "ms" -> Duration.ofMillis(1);
                    case "s" -> Duration.ofSeconds(1);
                    case "m" -> Duration.ofMinutes(1);
                    case "h" -> Duration.ofHours(1);
                    default -> Duration.ofDays(1);
                };
        long count = Long.parseLong(matcher.group(1));
        if (count > LONGEST.toMillis()) {
            return Optional.empty();
        }
        return Optional.of(unit.multipliedBy(count)).filter(duration -> duration.compareTo(LONGEST) <= 0);
    }

    /// The shortest exact notation: `90s`, `5m`, `250ms`.
    static String format(Duration duration) {
        long millis = duration.toMillis();
        if (millis == 0) {
            return "0";
        }
        if (millis % 86_400_000 == 0) {
            return millis / 86_400_000 + "d";
        }
        if (millis % 3_600_000 == 0) {
            return millis / 3_600_000 + "h";
        }
        if (millis % 60_000 == 0) {
            return millis / 60_000 + "m";
        }
        return millis % 1_000 == 0 ? millis / 1_000 + "s" : millis + "ms";
    }
}
