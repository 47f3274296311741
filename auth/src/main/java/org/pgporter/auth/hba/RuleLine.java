package org.pgporter.auth.hba;

import java.util.List;

/// A line that says something, taken apart.
///
/// @param source the file
/// @param line of its beginning, from 1
/// @param text as it was written, continuation lines joined; without the value of a password option
/// @param fields at least one, each with at least one word
record RuleLine(String source, int line, String text, List<List<Word>> fields) {}
