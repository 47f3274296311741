package org.pgporter.node.sql;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// Cuts a statement text into tokens by the rules of PostgreSQL's scanner (`scan.l`): comments that nest, strings
/// of every kind, dollar quotes, quoted names. Reads bytes, because all that matters is ASCII in each encoding
/// that a client may use.
///
/// A backslash in an ordinary string escapes only while `standard_conforming_strings` is off, which cannot be
/// seen here; where that would make a difference the text is [#ambiguous()].
final class SqlLexer {
    enum Token {
        END,
        WORD,
        QUOTED_NAME,
        STRING,
        PARAMETER,
        LEFT_PARENTHESIS,
        RIGHT_PARENTHESIS,
        COMMA,
        SEMICOLON,
        DOT,
        SYMBOL
    }

    private static final byte BLANK = 1;
    private static final byte LETTER = 2;
    private static final byte DIGIT = 3;

    private static final byte[] CLASS = new byte[256];

    static {
        for (char blank : " \t\n\r\f\u000b".toCharArray()) {
            CLASS[blank] = BLANK;
        }
        Arrays.fill(CLASS, 'a', 'z' + 1, LETTER);
        Arrays.fill(CLASS, 'A', 'Z' + 1, LETTER);
        Arrays.fill(CLASS, 0x80, 0x100, LETTER);
        CLASS['_'] = LETTER;
        Arrays.fill(CLASS, '0', '9' + 1, DIGIT);
    }

    private final byte[] text;
    private final int end;
    private int position;
    private int start;
    private Word word = Word.OTHER;
    private boolean ambiguous;

    SqlLexer(byte[] text, int from, int to) {
        this.text = text;
        this.position = from;
        this.end = to;
    }

    static int lower(byte character) {
        return character >= 'A' && character <= 'Z' ? character | 0x20 : character;
    }

    /// Where the token that [#next] gave begins and ends.
    int start() {
        return start;
    }

    int end() {
        return position;
    }

    /// The word that was read, when the token is one, quoted or not.
    Word word() {
        return word;
    }

    /// The text means one thing with `standard_conforming_strings` and may mean another without.
    boolean ambiguous() {
        return ambiguous;
    }

    Token next() {
        word = Word.OTHER;
        skipBlanksAndComments();
        start = position;
        if (position >= end) {
            return Token.END;
        }
        int character = text[position] & 0xff;
        switch (CLASS[character]) {
            case LETTER -> {
                return wordOrPrefixedString();
            }
            case DIGIT -> {
                skipWhile(DIGIT, LETTER);
                return Token.SYMBOL;
            }
            default -> {}
        }
        position++;
        return switch (character) {
            case '\'' -> string(false);
            case '"' -> quotedName();
            case '$' -> dollar();
            case '(' -> Token.LEFT_PARENTHESIS;
            case ')' -> Token.RIGHT_PARENTHESIS;
            case ',' -> Token.COMMA;
            case ';' -> Token.SEMICOLON;
            case '.' -> Token.DOT;
            default -> Token.SYMBOL;
        };
    }

    private void skipBlanksAndComments() {
        while (position < end) {
            int character = text[position] & 0xff;
            if (CLASS[character] == BLANK) {
                position++;
            } else if (character == '-' && peek(1) == '-') {
                while (position < end && text[position] != '\n' && text[position] != '\r') {
                    position++;
                }
            } else if (character == '/' && peek(1) == '*') {
                skipComment();
            } else {
                return;
            }
        }
    }

    private void skipComment() {
        int depth = 0;
        while (position < end) {
            if (text[position] == '/' && peek(1) == '*') {
                depth++;
                position += 2;
            } else if (text[position] == '*' && peek(1) == '/') {
                depth--;
                position += 2;
                if (depth == 0) {
                    return;
                }
            } else {
                position++;
            }
        }
    }

    private int peek(int ahead) {
        return position + ahead < end ? text[position + ahead] : 0;
    }

    private Token wordOrPrefixedString() {
        int hash = 0;
        while (position < end) {
            byte character = text[position];
            byte kind = CLASS[character & 0xff];
            if (kind != LETTER && kind != DIGIT && character != '$') {
                break;
            }
            hash = Word.hash(hash, lower(character));
            position++;
        }
        int length = position - start;
        if (length == 1 && position < end) {
            int prefix = lower(text[start]);
            if (text[position] == '\'' && (prefix == 'e' || prefix == 'b' || prefix == 'x' || prefix == 'n')) {
                position++;
                return string(prefix == 'e');
            }
            if (prefix == 'u' && text[position] == '&' && (peek(1) == '\'' || peek(1) == '"')) {
                int quote = peek(1);
                position += 2;
                if (quote == '\'') {
                    return string(false);
                }
                ambiguous = true; // the escapes in such a name are not read here
                return quotedName();
            }
        }
        word = Word.find(text, start, position, hash);
        return Token.WORD;
    }

    private void skipWhile(byte one, byte other) {
        while (position < end) {
            byte kind = CLASS[text[position] & 0xff];
            if (kind != one && kind != other) {
                return;
            }
            position++;
        }
    }

    private Token string(boolean escapes) {
        while (position < end) {
            byte character = text[position++];
            if (character == '\\' && position < end) {
                if (escapes) {
                    position++;
                } else if (text[position] == '\'' || text[position] == '\\') {
                    ambiguous = true;
                }
            } else if (character == '\'') {
                if (peek(0) != '\'') {
                    break;
                }
                position++;
            }
        }
        return Token.STRING;
    }

    private Token quotedName() {
        int from = position;
        int hash = 0;
        while (position < end) {
            byte character = text[position++];
            if (character == '"') {
                if (peek(0) != '"') {
                    word = Word.find(text, from, position - 1, hash);
                    return Token.QUOTED_NAME;
                }
                position++;
            }
            hash = Word.hash(hash, lower(character));
        }
        return Token.QUOTED_NAME;
    }

    /// `$1`, or a string between dollar quotes.
    private Token dollar() {
        int first = peek(0) & 0xff;
        if (CLASS[first] == DIGIT) {
            skipWhile(DIGIT, DIGIT);
            return Token.PARAMETER;
        }
        int tagEnd = position;
        if (CLASS[first] == LETTER) {
            while (tagEnd < end && CLASS[text[tagEnd] & 0xff] >= LETTER) {
                tagEnd++;
            }
        }
        if (tagEnd >= end || text[tagEnd] != '$') {
            return Token.SYMBOL;
        }
        int length = tagEnd + 1 - start; // of the opening quote, dollars included
        int at = tagEnd + 1;
        while (at + length <= end && !Arrays.equals(text, at, at + length, text, start, start + length)) {
            at++;
        }
        position = Math.min(at + length, end);
        return Token.STRING;
    }

    /// Whether the last token begins with this character.
    boolean isAt(int character) {
        return start < end && text[start] == character;
    }

    /// The number in the last token, a [Token#PARAMETER]; 0 when it is not one that a Bind can have.
    int parameterNumber() {
        int number = 0;
        for (int i = start + 1; i < position && number <= 0xffff; i++) {
            number = number * 10 + text[i] - '0';
        }
        return number <= 0xffff ? number : 0;
    }

    /// The name that the last token means: folded to lower case unless it is quoted. Bytes beyond ASCII stand as
    /// one character each (ISO 8859-1), so that a name compares as its bytes do.
    String name(Token token) {
        String written = new String(text, start, position - start, StandardCharsets.ISO_8859_1);
        if (token == Token.QUOTED_NAME) {
            return unquoted(written, '"');
        }
        StringBuilder folded = new StringBuilder(written);
        for (int i = 0; i < folded.length(); i++) {
            char character = folded.charAt(i);
            if (character >= 'A' && character <= 'Z') {
                folded.setCharAt(i, (char) (character | 0x20));
            }
        }
        return folded.toString();
    }

    /// What the last token, a string, says; escapes of E strings are left as they are.
    String literal() {
        String written = new String(text, start, position - start, StandardCharsets.ISO_8859_1);
        if (written.startsWith("$")) {
            int tag = written.indexOf('$', 1) + 1;
            return written.length() >= 2 * tag ? written.substring(tag, written.length() - tag) : "";
        }
        return unquoted(written, '\'');
    }

    private static String unquoted(String written, char quote) {
        int from = written.indexOf(quote) + 1;
        int to = written.length() - (written.length() > from && written.charAt(written.length() - 1) == quote ? 1 : 0);
        return written.substring(from, to).replace("" + quote + quote, "" + quote);
    }
}
