package org.pgporter.auth.hba;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/// Reads lines, and follows what they point to: `@file` in a field, and the lines `include`,
/// `include_if_exists` and
/// `include_dir`.
///
/// Stricter than PostgreSQL where that leaves something to luck: quotation marks that are not closed, a
/// field that is nothing but an empty `@file` (PostgreSQL forgets the field, so that the next one takes its
/// place), a zero byte.
final class RuleLines {
    /// `CONF_FILE_MAX_DEPTH` of PostgreSQL: how deep files may include files.
    static final int MOST_DEPTH = 10;

    /// Characters of all files together: thousands of rules fit, and a file that is included for ever does
    /// not.
    static final int MOST_CHARACTERS = 4 * 1024 * 1024;

    /// What stands for the value of a password in texts for people.
    private static final String HIDDEN = "...";

    private static final String SECRET_OPTION = "ldapbindpasswd=";

    private final RuleFiles files;
    private final List<RuleProblem> problems;
    private int characters;

    /// @param problems where what is wrong is added
    RuleLines(RuleFiles files, List<RuleProblem> problems) {
        this.files = files;
        this.problems = problems;
    }

    /// Thrown where a line cannot be understood.
    private static final class BadLine extends Exception {
        private static final long serialVersionUID = 1L;

        BadLine(String reason) {
            super(reason);
        }
    }

    /// All lines, in their order, without those that are broken.
    List<RuleLine> read(RuleText text) {
        List<RuleLine> lines = new ArrayList<>();
        read(text, 0, lines);
        return lines;
    }

    private void read(RuleText text, int depth, List<RuleLine> found) {
        characters += text.content().length();
        if (characters > MOST_CHARACTERS) {
            problems.add(new RuleProblem(
                    text.source(),
                    text.line(),
                    "all rules together have more than " + MOST_CHARACTERS + " characters"));
            return;
        }
        String[] raw = text.content().split("\n", -1);
        for (int i = 0; i < raw.length; ) {
            int first = i;
            StringBuilder joined = new StringBuilder();
            boolean goesOn = true;
            while (goesOn && i < raw.length) {
                int before = joined.length();
                joined.append(withoutReturn(raw[i++]));
                // A backslash that stands before the place where the lines were joined is an ordinary character.
                goesOn = joined.length() > before && joined.charAt(joined.length() - 1) == '\\';
                if (goesOn) {
                    joined.setLength(joined.length() - 1);
                }
            }
            int number = text.line() + first;
            try {
                line(text.source(), number, joined.toString(), depth, found);
            } catch (BadLine bad) {
                problems.add(new RuleProblem(text.source(), number, String.valueOf(bad.getMessage())));
            }
        }
    }

    private static String withoutReturn(String line) {
        int end = line.length();
        while (end > 0 && line.charAt(end - 1) == '\r') {
            end--;
        }
        return line.substring(0, end);
    }

    private void line(String source, int number, String line, int depth, List<RuleLine> found) throws BadLine {
        if (line.indexOf('\0') >= 0) {
            throw new BadLine("has a zero byte");
        }
        WordReader reader = new WordReader(line);
        StringBuilder shown = new StringBuilder();
        int copied = 0;
        List<List<Word>> fields = new ArrayList<>();
        while (!reader.atEnd()) {
            List<Word> field = new ArrayList<>();
            boolean any = false;
            boolean more = true;
            while (more && reader.next()) {
                any = true;
                Word word = reader.word();
                if (word.text().startsWith(SECRET_OPTION)) {
                    shown.append(line, copied, reader.start())
                            .append(SECRET_OPTION)
                            .append(HIDDEN);
                    copied = reader.end();
                }
                if (!word.quoted() && word.text().length() > 1 && word.text().charAt(0) == '@') {
                    field.addAll(contentOf(word.text().substring(1), source, depth));
                } else {
                    field.add(word);
                }
                more = reader.comma();
            }
            if (any && field.isEmpty()) {
                throw new BadLine("a field is empty, because the file it names has no words in it");
            }
            if (any) {
                fields.add(List.copyOf(field));
            }
        }
        if (reader.unterminated()) {
            throw new BadLine("quotation marks are not closed");
        }
        if (fields.isEmpty()) {
            return;
        }
        if (fields.size() == 2) {
            String second = fields.get(1).getFirst().text();
            switch (fields.getFirst().getFirst().text()) {
                case "include" -> {
                    include(located(second, source), depth, false, found);
                    return;
                }
                case "include_if_exists" -> {
                    include(located(second, source), depth, true, found);
                    return;
                }
                case "include_dir" -> {
                    for (String file : filesIn(located(second, source))) {
                        include(file, depth, false, found);
                    }
                    return;
                }
                default -> {}
            }
        }
        shown.append(line, copied, line.length());
        found.add(new RuleLine(source, number, shown.toString().strip(), List.copyOf(fields)));
    }

    private String located(String name, String outer) throws BadLine {
        try {
            return files.locate(name, outer);
        } catch (RuleFiles.Unreadable e) {
            throw new BadLine(name + " " + e.reason());
        }
    }

    private List<String> filesIn(String folder) throws BadLine {
        try {
            return files.configurationFilesIn(folder);
        } catch (RuleFiles.Unreadable e) {
            throw new BadLine("the folder " + folder + " " + e.reason());
        }
    }

    private void include(String file, int depth, boolean mayBeMissing, List<RuleLine> found) throws BadLine {
        try {
            checkDepth(file, depth);
            read(new RuleText(file, 1, files.read(file)), depth + 1, found);
        } catch (RuleFiles.Unreadable e) {
            if (!mayBeMissing || !e.missing()) {
                throw new BadLine("the file " + file + " " + e.reason());
            }
        }
    }

    /// The words of a file that a field names. Its own problems are reported with its own lines.
    private List<Word> contentOf(String name, String outer, int depth) throws BadLine {
        String file = located(name, outer);
        checkDepth(file, depth);
        List<RuleLine> lines = new ArrayList<>();
        int before = problems.size();
        try {
            read(new RuleText(file, 1, files.read(file)), depth + 1, lines);
        } catch (RuleFiles.Unreadable e) {
            throw new BadLine("the file " + file + " " + e.reason());
        }
        if (problems.size() > before) {
            throw new BadLine("the file " + file + " has problems");
        }
        return lines.stream()
                .flatMap(line -> line.fields().stream())
                .flatMap(List::stream)
                .collect(Collectors.toList());
    }

    private static void checkDepth(String file, int depth) throws BadLine {
        if (depth >= MOST_DEPTH) {
            throw new BadLine("the file " + file + " is included too deep, more than " + MOST_DEPTH + " files");
        }
    }
}
