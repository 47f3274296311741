package org.pgporter.integration;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// docs/checklist.md speaks of tests that are there and that carry the number they are named for.
class ChecklistTest {
    private static final Path ROOT = Path.of("..", "..");
    private static final Pattern ROW = Pattern.compile("(?m)^\\| (\\d+) \\| (.*) \\|$");
    private static final Pattern TEST = Pattern.compile("`(\\w+(?:Test|IT))\\.(\\w+)`");

    @Test
    void shouldNameTestsThatCarryTheirNumber() throws IOException {
        Map<String, String> sources = sourcesOfTests();
        List<String> wrong = new ArrayList<>();
        int tests = 0;
        for (MatchResult row : rows()) {
            for (Matcher test = TEST.matcher(row.group(2)); test.find(); tests++) {
                String source = sources.getOrDefault(test.group(1), "");
                if (!carriesItsNumber(source, test.group(2), row.group(1))) {
                    wrong.add(row.group(1) + ": " + test.group());
                }
            }
        }
        assertThat(wrong).as("not there, or without the number").isEmpty();
        assertThat(tests).isGreaterThan(0);
    }

    /// Of the sections that are complete.
    @Test
    void shouldSpeakOfEveryItem() throws IOException {
        assertThat(rows())
                .extracting(row -> Integer.valueOf(row.group(1)))
                .containsAll(IntStream.rangeClosed(1, 26).boxed().toList())
                .containsAll(IntStream.rangeClosed(68, 86).boxed().toList());
    }

    @Test
    void shouldNameAnItemOnce() throws IOException {
        assertThat(rows()).extracting(row -> row.group(1)).doesNotHaveDuplicates();
    }

    /// In the name, behind it, or in the annotations in front of it.
    private static boolean carriesItsNumber(String source, String method, String number) {
        Matcher declaration = Pattern.compile(
                        "(?:    @.*\\R(?:        .*\\R)*)*    void " + method + "\\([^{;]*\\{.*\\R.*\\R")
                .matcher(source);
        return declaration.find()
                && Pattern.compile("checklist[ \\d,_]*(?<!\\d)" + number + "(?!\\d)")
                        .matcher(declaration.group())
                        .find();
    }

    private static List<MatchResult> rows() throws IOException {
        return ROW.matcher(Files.readString(ROOT.resolve("docs/checklist.md")))
                .results()
                .toList();
    }

    /// By the names of the classes; two of the same name are one here.
    private static Map<String, String> sourcesOfTests() throws IOException {
        Map<String, String> sources = new HashMap<>();
        try (Stream<Path> files = Files.find(
                ROOT,
                20,
                (file, _) -> file.toString().contains("src/test/java")
                        && file.toString().endsWith(".java"))) {
            for (Path file : files.toList()) {
                sources.merge(
                        file.getFileName().toString().replace(".java", ""), Files.readString(file), String::concat);
            }
        }
        return sources;
    }
}
