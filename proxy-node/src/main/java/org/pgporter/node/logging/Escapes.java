package org.pgporter.node.logging;

/// Makes foreign text harmless: nothing that a client sends can end a line, forge a key, move the cursor of a
/// terminal or hide text.
///
/// What is not plainly visible is written as a backslash with `n`, `r`, `t` or `u` and four digits: control
/// characters, line and paragraph separators, invisible format characters (among them those that reverse the
/// direction of writing), unusual blanks, and halves of surrogate pairs. Escapes are those of JSON, so both
/// layouts share them.
final class Escapes {
    /// Longest value in characters; a name of PostgreSQL has 63 bytes, and a statement is not logged.
    static final int MAX_VALUE_LENGTH = 2_048;

    /// Longest stack trace in characters.
    static final int MAX_TRACE_LENGTH = 16_384;

    private static final String HEX = "0123456789abcdef";

    private Escapes() {}

    /// Appends the text with what is invisible escaped, quotes and backslashes left as they are.
    static void appendVisible(StringBuilder out, String text, int limit) {
        append(out, text, limit, false);
    }

    /// Appends the text in quotes, as a JSON string.
    static void appendQuoted(StringBuilder out, String text, int limit) {
        out.append('"');
        append(out, text, limit, true);
        out.append('"');
    }

    /// Appends the text bare if it can stand so after a `=`, else in quotes.
    static void appendValue(StringBuilder out, String text, int limit) {
        if (isPlain(text) && text.length() <= limit) {
            out.append(text);
        } else {
            appendQuoted(out, text, limit);
        }
    }

    /// Makes a key out of any text, so that it needs no quotes.
    static String key(String text) {
        var plain = text.codePoints().allMatch(Escapes::belongsToKey);
        if (plain && !text.isEmpty()) {
            return text;
        }
        var out = new StringBuilder();
        text.codePoints().forEach(point -> out.append(belongsToKey(point) ? (char) point : '_'));
        return out.isEmpty() ? "_" : out.toString();
    }

    private static boolean belongsToKey(int point) {
        return point < 128 && (Character.isLetterOrDigit(point) || point == '_' || point == '-' || point == '.');
    }

    private static boolean isPlain(String text) {
        return !text.isEmpty() && text.codePoints().allMatch(Escapes::isPlain);
    }

    private static boolean isPlain(int point) {
        return isVisible(point) && point != ' ' && point != '"' && point != '\'' && point != '=' && point != '\\';
    }

    private static void append(StringBuilder out, String text, int limit, boolean quoted) {
        var end = end(text, limit);
        for (int i = 0; i < end; ) {
            var point = text.codePointAt(i);
            i += Character.charCount(point);
            if (quoted && (point == '"' || point == '\\')) {
                out.append('\\').append((char) point);
            } else if (isVisible(point)) {
                out.appendCodePoint(point);
            } else {
                appendEscaped(out, point);
            }
        }
        if (end < text.length()) {
            out.append("...(").append(text.length() - end).append(" more)");
        }
    }

    /// Where to cut, without leaving half a surrogate pair.
    private static int end(String text, int limit) {
        if (text.length() <= limit) {
            return text.length();
        }
        return Character.isHighSurrogate(text.charAt(limit - 1)) ? limit - 1 : limit;
    }

    private static void appendEscaped(StringBuilder out, int point) {
        switch (point) {
            case '\n' -> out.append("\\n");
            case '\r' -> out.append("\\r");
            case '\t' -> out.append("\\t");
            default -> {
                for (var unit : Character.toChars(point)) {
                    out.append("\\u");
                    for (int shift = 12; shift >= 0; shift -= 4) {
                        out.append(HEX.charAt((unit >> shift) & 0xf));
                    }
                }
            }
        }
    }

    private static boolean isVisible(int point) {
        if (point >= ' ' && point < 0x7f) {
            return true;
        }
        return switch (Character.getType(point)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR,
                    Character.SPACE_SEPARATOR,
                    Character.SURROGATE,
                    Character.PRIVATE_USE,
                    Character.UNASSIGNED -> false;
            default -> true;
        };
    }
}
