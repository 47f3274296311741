package org.pgporter.config;

import java.util.Optional;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.pgporter.auth.jwt.NameRule;

/// One rule of `user_map` or `role_map`; the first that matches decides.
///
/// @param match a regular expression for the whole of what the token says
/// @param name what it becomes, `\1` to `\9` stand for the groups of `match`; absent: nobody comes in
public record NameRuleConfig(String match, Optional<String> name) {
    /// Longest expression, in characters.
    private static final int MOST_CHARACTERS = 1000;

    public NameRuleConfig {
        Checks checks = new Checks()
                .notBlank("match", match)
                .notBlank("name", name)
                .require(
                        match.length() <= MOST_CHARACTERS, "match", "has more than " + MOST_CHARACTERS + " characters");
        try {
            Pattern.compile(match);
        } catch (PatternSyntaxException e) {
            checks.require(false, "match", "is not a regular expression: " + e.getDescription());
        }
        checks.throwIfAny();
    }

    public NameRule rule() {
        return new NameRule(Pattern.compile(match), name);
    }
}
