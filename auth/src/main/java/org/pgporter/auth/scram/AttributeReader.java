package org.pgporter.auth.scram;

import java.nio.charset.StandardCharsets;

/// Reads a SCRAM message from left to right: `name=value` pairs with a one-letter name, separated by commas.
/// Bytes are read as ISO 8859-1, so that each byte is one character and the text can be turned back into the
/// same bytes.
final class AttributeReader {
    private final String text;
    private int position;

    private AttributeReader(String text) {
        this.text = text;
    }

    /// @param maxLength longest message accepted, in bytes
    static AttributeReader of(byte[] message, int maxLength) throws MalformedScramException {
        if (message.length == 0) {
            throw MalformedScramException.because("it is empty");
        }
        if (message.length > maxLength) {
            throw MalformedScramException.because("it is too long");
        }
        String text = new String(message, StandardCharsets.ISO_8859_1);
        if (text.indexOf('\0') >= 0) {
            throw MalformedScramException.because("it contains a NUL");
        }
        return new AttributeReader(text);
    }

    record Attribute(char name, String value) {}

    /// The next attribute, whatever its name.
    Attribute next() throws MalformedScramException {
        if (text.length() - position < 2) {
            throw MalformedScramException.because("an attribute is missing");
        }
        char name = text.charAt(position);
        if (!isLetter(name) || text.charAt(position + 1) != '=') {
            throw MalformedScramException.because("an attribute has no name");
        }
        int comma = text.indexOf(',', position);
        int end = comma < 0 ? text.length() : comma;
        String value = text.substring(position + 2, end);
        position = Math.min(end + 1, text.length());
        return new Attribute(name, value);
    }

    /// The value of the next attribute, which must have this name.
    String value(char name) throws MalformedScramException {
        Attribute attribute = next();
        if (attribute.name() != name) {
            throw MalformedScramException.because("expected attribute \"" + name + "\"");
        }
        return attribute.value();
    }

    /// Takes one character, whatever it is.
    char character() throws MalformedScramException {
        if (atEnd()) {
            throw MalformedScramException.because("it ends too early");
        }
        return text.charAt(position++);
    }

    /// Takes this character, which must be the next one.
    void expect(char expected) throws MalformedScramException {
        if (character() != expected) {
            throw MalformedScramException.because("expected \"" + expected + "\"");
        }
    }

    /// Whether the next character is this one; takes nothing.
    boolean nextIs(char expected) {
        return !atEnd() && text.charAt(position) == expected;
    }

    boolean atEnd() {
        return position == text.length();
    }

    /// What has been read so far.
    String read() {
        return text.substring(0, position);
    }

    /// What has not been read yet.
    String rest() {
        return text.substring(position);
    }

    /// Whether the text is one or more of the characters a nonce may have: visible ASCII without the comma.
    static boolean isNonce(String value) {
        return !value.isEmpty() && value.chars().allMatch(c -> c >= 0x21 && c <= 0x7E && c != ',');
    }

    private static boolean isLetter(char c) {
        return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z';
    }
}
