package org.pgporter.auth.jwt;

import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/// Reads JSON (RFC 8259) that a stranger has written, and takes no liberties: a name that stands twice in
/// an object is an error, because two readers may see two different values; so is everything that only
/// some parsers allow.
///
/// What comes out are [Map], [List], [String], [BigDecimal], [Boolean] and [#NULL].
public final class Json {
    /// Levels of objects and arrays in each other: libpq's bound on what it reads of an issuer.
    public static final int MOST_LEVELS = 16;

    /// The longest number, in characters. A date in seconds has ten.
    static final int MOST_DIGITS = 40;

    /// Stands for `null`.
    public static final Object NULL = new Object() {
        @Override
        public String toString() {
            return "null";
        }
    };

    /// The text is not JSON, or not such as is read here. Its message says what and where, and quotes
    /// nothing.
    public static final class Malformed extends Exception {
        private static final long serialVersionUID = 1L;

        Malformed(String message) {
            super(message);
        }
    }

    private final String text;
    private int at;

    private Json(String text) {
        this.text = text;
    }

    /// Reads an object.
    ///
    /// @param bytes in UTF-8
    public static Map<String, Object> object(byte[] bytes) throws Malformed {
        try {
            return object(StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString());
        } catch (CharacterCodingException _) {
            throw new Malformed("is not UTF-8");
        }
    }

    static Map<String, Object> object(String text) throws Malformed {
        Json json = new Json(text);
        json.blanks();
        if (json.peek() != '{') {
            throw new Malformed("is not an object");
        }
        Map<String, Object> object = json.members(1);
        json.blanks();
        if (json.at != text.length()) {
            throw json.malformed("something follows the end");
        }
        return object;
    }

    /// Writes a text as a JSON string, quotation marks included.
    public static String quoted(String text) {
        StringBuilder out = new StringBuilder(text.length() + 2).append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            switch (c) {
                case '"', '\\' -> out.append('\\').append(c);
                default -> {
                    if (c < 0x20) {
                        out.append(String.format("\\u%04x", (int) c));
                    } else {
                        out.append(c);
                    }
                }
            }
        }
        return out.append('"').toString();
    }

    private Object value(int level) throws Malformed {
        blanks();
        return switch (peek()) {
            case '{' -> members(level + 1);
            case '[' -> elements(level + 1);
            case '"' -> string();
            case 't' -> word("true", true);
            case 'f' -> word("false", false);
            case 'n' -> word("null", NULL);
            default -> number();
        };
    }

    private Map<String, Object> members(int level) throws Malformed {
        enter(level);
        Map<String, Object> members = new LinkedHashMap<>();
        at++;
        blanks();
        if (peek() == '}') {
            at++;
            return members;
        }
        while (true) {
            blanks();
            if (peek() != '"') {
                throw malformed("a name is missing");
            }
            String name = string();
            blanks();
            expect(':');
            if (members.put(name, value(level)) != null) {
                throw malformed("a name stands twice in one object");
            }
            blanks();
            if (peek() == '}') {
                at++;
                return members;
            }
            expect(',');
        }
    }

    private List<Object> elements(int level) throws Malformed {
        enter(level);
        List<Object> elements = new ArrayList<>();
        at++;
        blanks();
        if (peek() == ']') {
            at++;
            return elements;
        }
        while (true) {
            elements.add(value(level));
            blanks();
            if (peek() == ']') {
                at++;
                return elements;
            }
            expect(',');
        }
    }

    private void enter(int level) throws Malformed {
        if (level > MOST_LEVELS) {
            throw malformed("more than " + MOST_LEVELS + " levels");
        }
    }

    private Object word(String word, Object meaning) throws Malformed {
        if (!text.startsWith(word, at)) {
            throw malformed("not a value");
        }
        at += word.length();
        return meaning;
    }

    private String string() throws Malformed {
        StringBuilder out = new StringBuilder();
        at++;
        while (true) {
            char c = peek();
            at++;
            if (c == '"') {
                return out.toString();
            }
            if (c < 0x20) {
                throw malformed("a control character in a string");
            }
            out.append(c == '\\' ? escaped() : c);
        }
    }

    private char escaped() throws Malformed {
        char c = peek();
        at++;
        return switch (c) {
            case '"', '\\', '/' -> c;
            case 'b' -> '\b';
            case 'f' -> '\f';
            case 'n' -> '\n';
            case 'r' -> '\r';
            case 't' -> '\t';
            case 'u' -> {
                int code = 0;
                for (int i = 0; i < 4; i++) {
                    int digit = Character.digit(peek(), 16);
                    if (digit < 0 || peek() > 'f') {
                        throw malformed("a broken escape");
                    }
                    code = code * 16 + digit;
                    at++;
                }
                yield (char) code;
            }
            default -> throw malformed("a broken escape");
        };
    }

    private Object number() throws Malformed {
        int start = at;
        if (peek() == '-') {
            at++;
        }
        if (peek() == '0') {
            at++;
        } else {
            digits();
        }
        if (at < text.length() && text.charAt(at) == '.') {
            at++;
            digits();
        }
        if (at < text.length() && (text.charAt(at) == 'e' || text.charAt(at) == 'E')) {
            at++;
            if (peek() == '+' || peek() == '-') {
                at++;
            }
            digits();
        }
        if (at - start > MOST_DIGITS) {
            throw malformed("a number of more than " + MOST_DIGITS + " characters");
        }
        try {
            return new BigDecimal(text.substring(start, at));
        } catch (NumberFormatException _) {
            throw malformed("not a number"); // an exponent beyond what a BigDecimal has
        }
    }

    private void digits() throws Malformed {
        int start = at;
        while (at < text.length() && text.charAt(at) >= '0' && text.charAt(at) <= '9') {
            at++;
        }
        if (at == start) {
            throw malformed("not a value");
        }
    }

    private void blanks() {
        while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) {
            at++;
        }
    }

    private void expect(char c) throws Malformed {
        if (peek() != c) {
            throw malformed("`" + c + "` is missing");
        }
        at++;
    }

    private char peek() throws Malformed {
        if (at >= text.length()) {
            throw malformed("it ends too early");
        }
        return text.charAt(at);
    }

    private Malformed malformed(String what) {
        return new Malformed("is not JSON: " + what + " at character " + at);
    }
}
