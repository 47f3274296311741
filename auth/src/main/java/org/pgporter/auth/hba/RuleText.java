package org.pgporter.auth.hba;

/// Where rules begin: the text of a file, or a text that stands within another file.
///
/// @param source the file, as problems name it; relative paths start from its folder
/// @param line of `source` on which the text begins, from 1
/// @param content the text
public record RuleText(String source, int line, String content) {}
