package org.pgporter.auth.hba;

/// Takes a line apart as PostgreSQL does (`next_token` in `hba.c`): words are separated by blanks and commas,
/// quotation marks keep blanks, commas and `#` together, two of them in quotation marks mean one, and `#`
/// begins a comment.
final class WordReader {
    private final String line;
    private int position;
    private int start;
    private int end;
    private boolean quoted;
    private boolean comma;
    private boolean unterminated;
    private String text = "";

    WordReader(String line) {
        this.line = line;
    }

    /// Goes to the next word; false at the end of the line.
    boolean next() {
        quoted = false;
        comma = false;
        while (position < line.length() && (isBlank(line.charAt(position)) || line.charAt(position) == ',')) {
            position++;
        }
        start = position;
        StringBuilder word = new StringBuilder();
        boolean inQuotes = false;
        boolean afterQuote = false;
        boolean sawQuote = false;
        for (; position < line.length(); position++) {
            char c = line.charAt(position);
            if (!inQuotes && (isBlank(c) || c == ',')) {
                comma = c == ',';
                break;
            }
            if (!inQuotes && c == '#') {
                text = word.toString();
                boolean found = sawQuote || !text.isEmpty();
                end = position;
                position = line.length();
                return found;
            }
            if (c != '"' || afterQuote) {
                word.append(c);
            }
            afterQuote = inQuotes && c == '"' && !afterQuote;
            if (c == '"') {
                inQuotes = !inQuotes;
                sawQuote = true;
                quoted |= word.isEmpty();
            }
        }
        unterminated |= inQuotes;
        text = word.toString();
        end = position;
        return sawQuote || !text.isEmpty();
    }

    Word word() {
        return new Word(text, quoted);
    }

    /// Whether a comma follows the word at once, so that the next one belongs to the same field.
    boolean comma() {
        return comma;
    }

    /// Where the word begins in the line.
    int start() {
        return start;
    }

    /// Where it ends.
    int end() {
        return end;
    }

    /// Whether quotation marks were opened and not closed.
    boolean unterminated() {
        return unterminated;
    }

    boolean atEnd() {
        return position >= line.length();
    }

    private static boolean isBlank(char c) {
        return c == ' ' || c == '\t' || c == '\r';
    }
}
