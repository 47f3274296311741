package org.pgporter.auth.hba;

import java.util.Map;

/// One line of `pg_hba.conf` after it has matched.
///
/// @param source the file, or what stands for it
/// @param line of its beginning, from 1
/// @param text the line as it was written, for people; without the value of a password option
/// @param method what it demands
/// @param options by name, such as `map`; a name without a value does not occur
public record HbaRule(String source, int line, String text, AuthMethod method, Map<String, String> options) {
    public HbaRule {
        options = Map.copyOf(options);
    }

    /// `file:line`, for logs.
    public String where() {
        return source + ":" + line;
    }

    /// Without the options, because one of them may be a password.
    @Override
    public String toString() {
        return where() + ": " + text;
    }
}
