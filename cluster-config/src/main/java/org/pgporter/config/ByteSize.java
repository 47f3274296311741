package org.pgporter.config;

import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A number of bytes. In the file an integer, or an integer with `K`, `KB`, `M`, `MB`, `G` or `GB` (1024 each, in
/// any case).
///
/// @param bytes 0 or more
public record ByteSize(long bytes) {
    private static final Pattern SYNTAX = Pattern.compile("(\\d{1,18})\\s*(?:([KMG])B?|B)?", Pattern.CASE_INSENSITIVE);

    public ByteSize {
        if (bytes < 0) {
            throw new IllegalArgumentException("a size cannot be negative: " + bytes);
        }
    }

    /// Reads the notation above; empty when `text` is not in it or exceeds 2^63.
    public static Optional<ByteSize> parse(String text) {
        Matcher matcher = SYNTAX.matcher(text.strip());
        if (!matcher.matches()) {
            return Optional.empty();
        }
        String unit = matcher.group(2) == null ? "" : matcher.group(2).toUpperCase(Locale.ROOT);
        long factor = switch (unit) {
            case "K" -> 1L << 10;
            case "M" -> 1L << 20;
            case "G" -> 1L << 30;
            default -> 1L;
        };
        try {
            return Optional.of(new ByteSize(Math.multiplyExact(Long.parseLong(matcher.group(1)), factor)));
        } catch (ArithmeticException _) {
            return Optional.empty();
        }
    }
}
