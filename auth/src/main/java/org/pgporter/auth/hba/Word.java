package org.pgporter.auth.hba;

/// One word of a line.
///
/// @param text without its quotation marks
/// @param quoted its first character stood in quotation marks: then it is no keyword, as in PostgreSQL
record Word(String text, boolean quoted) {
    boolean isKeyword(String keyword) {
        return !quoted && text.equals(keyword);
    }
}
