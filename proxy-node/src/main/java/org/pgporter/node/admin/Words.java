package org.pgporter.node.admin;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// A command in its words. Comments are left out; what stands in quotation marks is one word.
final class Words {
    /// @param text as it is meant: without quotation marks, and otherwise as written
    /// @param quoted it stood in quotation marks, so it is no keyword
    record Word(String text, boolean quoted) {
        boolean is(String keyword) {
            return !quoted && text.equalsIgnoreCase(keyword);
        }
    }

    /// @param text of the statement, as written
    record Statement(String text, List<Word> words) {
        /// The keyword at this place in capitals; empty if there is none.
        String keyword(int at) {
            return at < words.size() && !words.get(at).quoted()
                    ? words.get(at).text().toUpperCase(Locale.ROOT)
                    : "";
        }
    }

    private final String sql;
    private final List<Statement> statements = new ArrayList<>();
    private List<Word> words = new ArrayList<>();
    private int at;
    private int begin;

    private Words(String sql) {
        this.sql = sql;
    }

    /// The statements of a text, without those that have no word, unless there is no other.
    static List<Statement> read(String sql) {
        Words reader = new Words(sql);
        reader.readAll();
        return reader.statements;
    }

    private void readAll() {
        while (at < sql.length()) {
            char c = sql.charAt(at);
            if (Character.isWhitespace(c)) {
                at++;
            } else if (sql.startsWith("--", at)) {
                int end = sql.indexOf('\n', at);
                at = end < 0 ? sql.length() : end + 1;
            } else if (sql.startsWith("/*", at)) {
                int end = sql.indexOf("*/", at + 2);
                at = end < 0 ? sql.length() : end + 2;
            } else if (c == ';') {
                endOfStatement();
                at++;
                begin = at;
            } else if (c == '\'' || c == '"') {
                words.add(new Word(quoted(c), true));
            } else if (isPartOfWord(c)) {
                int start = at;
                while (at < sql.length() && isPartOfWord(sql.charAt(at))) {
                    at++;
                }
                words.add(new Word(sql.substring(start, at), false));
            } else {
                words.add(new Word(String.valueOf(c), false));
                at++;
            }
        }
        endOfStatement();
        if (statements.isEmpty()) {
            statements.add(new Statement("", List.of()));
        }
    }

    private static boolean isPartOfWord(char c) {
        return Character.isLetterOrDigit(c) || c == '_' || c == '.' || c == '-' || c == '$' || c == '#';
    }

    /// A quotation mark within is written twice.
    private String quoted(char mark) {
        StringBuilder text = new StringBuilder();
        at++;
        while (at < sql.length()) {
            char c = sql.charAt(at++);
            if (c != mark) {
                text.append(c);
            } else if (at < sql.length() && sql.charAt(at) == mark) {
                text.append(mark);
                at++;
            } else {
                break;
            }
        }
        return text.toString();
    }

    private void endOfStatement() {
        if (!words.isEmpty()) {
            statements.add(new Statement(
                    sql.substring(begin, Math.min(at, sql.length())).strip(), words));
            words = new ArrayList<>();
        }
    }
}
