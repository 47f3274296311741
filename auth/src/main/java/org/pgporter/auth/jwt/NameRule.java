package org.pgporter.auth.jwt;

import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Makes a name out of what a token says.
///
/// @param match a regular expression for the whole of the value
/// @param name what it becomes; `\1` to `\9` stand for the groups of the expression; empty: nobody
public record NameRule(Pattern match, Optional<String> name) {
    /// What a token says is not looked at when it is longer, in characters: no name is, and an expression
    /// may take long.
    public static final int MOST_VALUE = 256;

    /// The name for a value, by the first rule that matches it; without rules it is the value itself.
    public static Optional<String> apply(List<NameRule> rules, String value) {
        if (value.length() > MOST_VALUE) {
            return Optional.empty();
        }
        if (rules.isEmpty()) {
            return Optional.of(value);
        }
        for (NameRule rule : rules) {
            Matcher matcher = rule.match.matcher(value);
            if (matcher.matches()) {
                return rule.name.map(template -> filled(template, matcher));
            }
        }
        return Optional.empty();
    }

    private static String filled(String template, Matcher groups) {
        StringBuilder name = new StringBuilder();
        for (int i = 0; i < template.length(); i++) {
            char c = template.charAt(i);
            if (c == '\\' && i + 1 < template.length()) {
                char next = template.charAt(++i);
                int group = next - '0';
                if (group >= 1 && group <= 9) {
                    String text = group <= groups.groupCount() ? groups.group(group) : null;
                    name.append(text == null ? "" : text);
                } else {
                    name.append(next);
                }
            } else {
                name.append(c);
            }
        }
        return name.toString();
    }
}
