package org.pgporter.node.authquery;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/// Reads a JSON object whose values are texts, numbers or truth values. What else stands in it makes the
/// whole text unreadable.
final class FlatJson {
    private static final String ESCAPES = "\"\\/bfnrt";
    private static final String ESCAPED = "\"\\/\b\f\n\r\t";
    private static final int HEX = 16;
    private static final int HEX_DIGITS = 4;

    private final String text;
    private int at;

    private static final class Unreadable extends Exception {
        private static final long serialVersionUID = 1;

        Unreadable() {
            super("not a flat JSON object", null, false, false);
        }
    }

    private FlatJson(String text) {
        this.text = text;
    }

    /// The members in their order; of two with one name the last counts, as in PostgreSQL's `jsonb`.
    static Optional<Map<String, String>> read(String text) {
        try {
            return Optional.of(new FlatJson(text).object());
        } catch (Unreadable _) {
            return Optional.empty();
        }
    }

    private Map<String, String> object() throws Unreadable {
        Map<String, String> members = new LinkedHashMap<>();
        expect('{');
        if (next() != '}') {
            do {
                String name = string();
                expect(':');
                members.put(name, value());
            } while (skip(','));
        }
        expect('}');
        if (next() != 0) {
            throw new Unreadable();
        }
        return members;
    }

    private String value() throws Unreadable {
        if (next() == '"') {
            return string();
        }
        int from = at;
        while (at < text.length() && ",}]{[\" \t\r\n".indexOf(text.charAt(at)) < 0) {
            at++;
        }
        String word = text.substring(from, at);
        if (word.equals("true")
                || word.equals("false")
                || word.matches("-?(0|[1-9]\\d{0,30})(\\.\\d{1,30})?([eE][+-]?\\d{1,3})?")) {
            return word;
        }
        throw new Unreadable();
    }

    private String string() throws Unreadable {
        expect('"');
        StringBuilder read = new StringBuilder();
        while (true) {
            char c = take();
            if (c == '"') {
                return read.toString();
            }
            if (c < ' ') {
                throw new Unreadable();
            }
            read.append(c == '\\' ? escaped() : c);
        }
    }

    private char escaped() throws Unreadable {
        char c = take();
        if (c == 'u') {
            int value = 0;
            for (int i = 0; i < HEX_DIGITS; i++) {
                int digit = Character.digit(take(), HEX);
                if (digit < 0) {
                    throw new Unreadable();
                }
                value = value * HEX + digit;
            }
            return (char) value;
        }
        int index = ESCAPES.indexOf(c);
        if (index < 0) {
            throw new Unreadable();
        }
        return ESCAPED.charAt(index);
    }

    private char take() throws Unreadable {
        if (at >= text.length()) {
            throw new Unreadable();
        }
        return text.charAt(at++);
    }

    /// The next character that is no blank, which stays; 0 at the end.
    private char next() {
        while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
        return at < text.length() ? text.charAt(at) : 0;
    }

    private boolean skip(char wanted) {
        if (next() != wanted) {
            return false;
        }
        at++;
        return true;
    }

    private void expect(char wanted) throws Unreadable {
        if (!skip(wanted)) {
            throw new Unreadable();
        }
    }
}
