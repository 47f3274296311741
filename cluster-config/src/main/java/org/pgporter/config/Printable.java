package org.pgporter.config;

/// Makes text from a file fit for one line of output.
final class Printable {
    private static final int LONGEST_KEY = 64;

    private Printable() {}

    /// `text` with control characters and line separators replaced, so that it cannot break a line or steer a
    /// terminal.
    static String line(String text) {
        StringBuilder clean = new StringBuilder(text.length());
        text.codePoints().forEach(c -> clean.appendCodePoint(isPrintable(c) ? c : '\uFFFD'));
        return clean.toString();
    }

    /// The beginning of an unknown key, as far as it looks like one. `password:hunter2`, without the blank that
    /// YAML wants, is a single key, and its end must not be shown.
    static String key(String key) {
        int end = 0;
        while (end < key.length() && end < LONGEST_KEY && isKeyCharacter(key.charAt(end))) {
            end++;
        }
        return end == key.length() ? key : key.substring(0, end) + "…";
    }

    private static boolean isKeyCharacter(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    }

    private static boolean isPrintable(int c) {
        return switch (Character.getType(c)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR,
                    Character.SURROGATE,
                    Character.UNASSIGNED -> false;
            default -> true;
        };
    }
}
