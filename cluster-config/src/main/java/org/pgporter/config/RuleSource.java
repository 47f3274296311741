package org.pgporter.config;

import java.nio.file.Path;
import java.util.Optional;

/// Rules for logins: a text that stands in the configuration, or a file of their own, which is read at the
/// start and again on SIGHUP.
///
/// @param path the file, absolute, or relative to the working directory; empty where `content` is
/// @param content the text; empty where `path` is
/// @param file the configuration file, as it was named; relative names in `content` start from its folder
/// @param line of `file` on which the text begins, or on which the file is named; from 1
public record RuleSource(Optional<Path> path, Optional<String> content, String file, int line) {

    public RuleSource {
        new Checks()
                .require(path.isPresent() != content.isPresent(), "path", "must be there, or content, and not both")
                .throwIfAny();
    }

    /// A file.
    public static RuleSource of(Path path) {
        return new RuleSource(Optional.of(path), Optional.empty(), path.toString(), 1);
    }

    /// A text.
    ///
    /// @param file where problems say that it stands
    public static RuleSource of(String content, String file) {
        return new RuleSource(Optional.empty(), Optional.of(content), file, 1);
    }

    /// Its content may hold a password of LDAP.
    @Override
    public String toString() {
        return "RuleSource[" + path.map(Path::toString).orElse("content") + " of " + file + ":" + line + "]";
    }
}
