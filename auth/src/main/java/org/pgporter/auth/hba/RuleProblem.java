package org.pgporter.auth.hba;

/// What is wrong with a line, or to think about. Contains no secret.
///
/// @param source the file
/// @param line of its beginning, from 1
/// @param reason in words
public record RuleProblem(String source, int line, String reason) {
    /// `file:line: reason`.
    @Override
    public String toString() {
        return source + ":" + line + ": " + reason;
    }
}
