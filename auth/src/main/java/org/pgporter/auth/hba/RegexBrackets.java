package org.pgporter.auth.hba;

import java.util.Map;

/// Translates a bracket expression (`[a-z[:digit:]_]`), from behind its opening bracket.
final class RegexBrackets {
    /// Classes of characters as the C locale has them, which PostgreSQL takes for these files.
    private static final Map<String, String> CLASSES = Map.ofEntries(
            Map.entry("alnum", "\\p{Alnum}"),
            Map.entry("alpha", "\\p{Alpha}"),
            Map.entry("ascii", "\\x00-\\x7f"),
            Map.entry("blank", " \\t"),
            Map.entry("cntrl", "\\p{Cntrl}"),
            Map.entry("digit", "0-9"),
            Map.entry("graph", "\\p{Graph}"),
            Map.entry("lower", "\\p{Lower}"),
            Map.entry("print", "\\p{Print}"),
            Map.entry("punct", "\\p{Punct}"),
            Map.entry("space", "\\s"),
            Map.entry("upper", "\\p{Upper}"),
            Map.entry("word", "\\w"),
            Map.entry("xdigit", "\\p{XDigit}"));

    private static final int NOT_A_CHARACTER = -1;

    private final String source;
    private int position;

    /// @param position behind the opening bracket
    RegexBrackets(String source, int position) {
        this.source = source;
        this.position = position;
    }

    /// Behind the closing bracket, once it has been translated.
    int position() {
        return position;
    }

    String translate() throws RegexSyntax {
        StringBuilder out = new StringBuilder("[");
        if (at('^')) {
            out.append('^');
            position++;
        }
        boolean first = true;
        while (first || !at(']')) {
            first = false;
            int from = element(out);
            if (from == NOT_A_CHARACTER) {
                continue;
            }
            boolean isRange = at('-') && position + 1 < source.length() && source.charAt(position + 1) != ']';
            out.append(literal((char) from));
            if (isRange) {
                position++;
                StringBuilder other = new StringBuilder();
                int to = element(other);
                if (to == NOT_A_CHARACTER || to < from) {
                    throw new RegexSyntax("invalid character range");
                }
                out.append('-').append(literal((char) to));
                if (at('-') && position + 1 < source.length() && source.charAt(position + 1) != ']') {
                    throw new RegexSyntax("invalid character range");
                }
            }
        }
        position++;
        return out.append(']').toString();
    }

    /// Reads one character and returns it, or a class and appends it.
    private int element(StringBuilder out) throws RegexSyntax {
        if (position >= source.length()) {
            throw new RegexSyntax("brackets [] not balanced");
        }
        char c = source.charAt(position++);
        if (c == '[' && position < source.length()) {
            switch (source.charAt(position)) {
                case ':' -> {
                    int end = source.indexOf(":]", position + 1);
                    String name = end < 0 ? "" : source.substring(position + 1, end);
                    String translated = CLASSES.get(name);
                    if (translated == null) {
                        throw new RegexSyntax("invalid character class");
                    }
                    position = end + 2;
                    out.append(translated);
                    return NOT_A_CHARACTER;
                }
                case '.', '=' -> throw new RegexSyntax("collating elements are not supported");
                default -> {}
            }
        }
        if (c != '\\') {
            return c;
        }
        if (position >= source.length()) {
            throw new RegexSyntax("invalid escape \\ sequence");
        }
        char escaped = source.charAt(position++);
        if (!isAlphanumeric(escaped)) {
            return escaped;
        }
        switch (escaped) {
            case 'd', 's', 'w' -> {
                out.append('\\').append(escaped);
                return NOT_A_CHARACTER;
            }
            default -> {
                return control(escaped);
            }
        }
    }

    private boolean at(char c) {
        return position < source.length() && source.charAt(position) == c;
    }

    /// The character that an escape of a letter stands for.
    static char control(char letter) throws RegexSyntax {
        return switch (letter) {
            case 'a' -> '\u0007';
            case 'b' -> '\b';
            case 'B' -> '\\';
            case 'e' -> '\u001b';
            case 'f' -> '\f';
            case 'n' -> '\n';
            case 'r' -> '\r';
            case 't' -> '\t';
            case 'v' -> '\u000b';
            default -> throw new RegexSyntax("the escape \\" + letter + " is not supported here");
        };
    }

    static boolean isAlphanumeric(char c) {
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
    }

    /// One character, at most `\u00ff`, as Java writes it where nothing of its kind may have a meaning.
    static String literal(char c) {
        return isAlphanumeric(c) ? Character.toString(c) : "\\x%02x".formatted((int) c);
    }
}
