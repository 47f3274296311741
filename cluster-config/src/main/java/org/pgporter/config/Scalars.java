package org.pgporter.config;

import java.math.BigInteger;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import org.pgporter.auth.Secret;
import org.pgporter.auth.credential.JwtKeyFile;
import org.pgporter.auth.credential.StoredCredential;

/// Reads the text of one value as the type of its record component. Each error is reported once, and never
/// shows a secret or what came out of a reference.
final class Scalars {
    private static final Set<Class<?>> TYPES = Set.of(
            int.class,
            Integer.class,
            boolean.class,
            Boolean.class,
            String.class,
            Duration.class,
            ByteSize.class,
            FileMode.class,
            Path.class,
            Secret.class,
            StoredCredential.class);

    private static final Pattern INTEGER = Pattern.compile("[+-]?\\d{1,30}");
    private static final Duration MILLISECOND = Duration.ofMillis(1);
    private static final Duration SECOND = Duration.ofSeconds(1);
    private static final Duration TEN_SECONDS = Duration.ofSeconds(10);

    /// How PgDoorman names the key it makes tokens with. Taken as a plain password it would let in whoever
    /// guesses a path.
    private static final String PRIVATE_KEY = "jwt-priv-key-fpath:";

    private final Problems problems;

    Scalars(Problems problems) {
        this.problems = problems;
    }

    static boolean isScalar(Class<?> type) {
        return TYPES.contains(type) || type.isEnum();
    }

    Optional<?> read(Class<?> type, boolean inSeconds, References.Resolved value, String path) {
        String text = value.text();
        if (type == String.class) {
            return Optional.of(text);
        }
        if (type == Secret.class) {
            return secret(text, path);
        }
        if (type == StoredCredential.class) {
            return credential(text, path);
        }
        if (type == int.class || type == Integer.class) {
            return integer(value, path);
        }
        if (type == boolean.class || type == Boolean.class) {
            return switch (text) {
                case "true" -> Optional.of(true);
                case "false" -> Optional.of(false);
                default -> refused(path, "must be true or false", value);
            };
        }
        if (type == Duration.class) {
            return duration(inSeconds, value, path);
        }
        if (type == ByteSize.class) {
            Optional<ByteSize> size = ByteSize.parse(text);
            return size.isPresent() ? size : refused(path, "must be a size such as 65536, \"64K\" or \"1MB\"", value);
        }
        if (type == FileMode.class) {
            Optional<FileMode> mode = FileMode.parse(text);
            return mode.isPresent() ? mode : refused(path, "must be three octal digits such as \"0600\"", value);
        }
        if (type == Path.class) {
            try {
                return Optional.of(Path.of(text));
            } catch (InvalidPathException _) {
                return refused(path, "must be a path", value);
            }
        }
        return word(type, value, path);
    }

    private Optional<?> integer(References.Resolved value, String path) {
        if (!INTEGER.matcher(value.text()).matches()) {
            return refused(path, "must be a whole number", value);
        }
        BigInteger number = new BigInteger(value.text());
        return number.bitLength() < Integer.SIZE
                ? Optional.of(number.intValue())
                : refused(path, "must be from -2147483648 to 2147483647", value);
    }

    private Optional<?> duration(boolean inSeconds, References.Resolved value, String path) {
        Optional<Duration> duration = Durations.parse(value.text(), inSeconds ? SECOND : MILLISECOND);
        if (duration.isEmpty()) {
            String bare = inSeconds ? "seconds" : "milliseconds";
            return refused(
                    path,
                    "must be a duration such as \"250ms\", \"5s\", \"10m\", \"1h\" or \"2d\", or " + bare
                            + ", up to 240d",
                    value);
        }
        String text = value.text().strip();
        boolean isBare = Character.isDigit(text.charAt(text.length() - 1));
        if (isBare
                && !inSeconds
                && duration.get().isPositive()
                && duration.get().compareTo(shortestMeant(path)) < 0) {
            String count = value.hidden() ? "a bare number" : text;
            String unit = value.hidden() ? "a unit" : "\"" + text + "ms\" or \"" + text + "s\"";
            problems.warning(path, count + " means milliseconds", "write " + unit + " to say which you mean");
        }
        return duration;
    }

    /// A bare number below this was probably meant as seconds.
    private static Duration shortestMeant(String path) {
        return path.endsWith(".cache_ttl") ? TEN_SECONDS : SECOND;
    }

    private Optional<?> word(Class<?> type, References.Resolved value, String path) {
        List<String> words = Arrays.stream(type.getEnumConstants())
                .map(constant -> constant.toString().toLowerCase(Locale.ROOT))
                .toList();
        int index = words.indexOf(value.text().toLowerCase(Locale.ROOT));
        return index >= 0
                ? Optional.of(type.getEnumConstants()[index])
                : refused(path, "must be one of " + String.join(", ", words), value);
    }

    private Optional<?> secret(String text, String path) {
        if (text.startsWith(PRIVATE_KEY) || text.startsWith(JwtKeyFile.PREFIX)) {
            return tokenKey(path);
        }
        if (text.isEmpty()) {
            problems.error(path, "is empty", "remove the key, or give a password");
            return Optional.empty();
        }
        if (text.startsWith("SCRAM-SHA-256$")) {
            problems.error(path, "is a SCRAM secret, with which nobody can log in", "give the plain password");
            return Optional.empty();
        }
        if (text.indexOf('\0') >= 0) {
            problems.error(path, "must not contain a zero byte", "");
            return Optional.empty();
        }
        return Optional.of(Secret.of(text));
    }

    private Optional<?> credential(String text, String path) {
        if (text.startsWith(PRIVATE_KEY)) {
            return tokenKey(path);
        }
        if (text.isEmpty()) {
            problems.error(path, "is empty", "give `md5…`, `SCRAM-SHA-256$…` or a plain password");
            return Optional.empty();
        }
        if (text.indexOf('\0') >= 0) {
            problems.error(path, "must not contain a zero byte", "");
            return Optional.empty();
        }
        try {
            return Optional.of(StoredCredential.parse(text));
        } catch (IllegalArgumentException e) {
            // Its message says what is wrong and never contains the text.
            problems.error(
                    path,
                    "begins as a hash of PostgreSQL does and is none: " + e.getMessage(),
                    "copy rolpassword from pg_authid in full");
            return Optional.empty();
        }
    }

    private Optional<?> tokenKey(String path) {
        problems.error(path, "names a key file for tokens, which means nothing here", "");
        return Optional.empty();
    }

    private Optional<?> refused(String path, String message, References.Resolved value) {
        String shown = value.hidden() ? "the value of its reference" : "`" + shorten(value.text()) + "`";
        problems.error(path, message + ", was " + shown, "");
        return Optional.empty();
    }

    private static String shorten(String text) {
        return text.length() <= 40 ? text : text.substring(0, text.offsetByCodePoints(0, 40 / 2)) + "…";
    }
}
