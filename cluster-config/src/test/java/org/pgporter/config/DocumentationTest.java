package org.pgporter.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.pgporter.auth.hba.HbaRules;
import org.pgporter.auth.hba.IdentityMaps;
import org.pgporter.auth.hba.RuleFiles;
import org.pgporter.auth.hba.RuleProblems;
import org.pgporter.auth.hba.RuleText;

/// Keeps the documents and the project together: what they show loads, and what they point to is there.
class DocumentationTest {
    private static final Path ROOT = Path.of("..");

    /// Folders without documents of ours.
    private static final Set<String> SKIPPED = Set.of("target", ".git", ".idea", ".vscode");

    private static final Pattern BLOCK = Pattern.compile("(?ms)^```(\\w*)\\n(.*?)^```$");
    private static final Pattern INLINE_CODE = Pattern.compile("`[^`\\n]*`");
    private static final Pattern LINK = Pattern.compile("]\\(([^)\\s]+)\\)");
    private static final Pattern DEFINITION = Pattern.compile("(?m)^\\[([^]]+)]:\\s+(\\S+)");
    private static final Pattern REFERENCE = Pattern.compile("(?m)\\[([^]\\n]+)](?![(:])");
    private static final Pattern TEST_COMMAND = Pattern.compile("(?m)^mvn .*\\bverify\\b.*$");

    /// Whatever a document points to is there.
    private static final RuleFiles FILES = new RuleFiles() {
        @Override
        public String locate(String name, String outer) {
            return name;
        }

        @Override
        public String read(String path) {
            return path.endsWith(".conf") ? "local \"" + path + "\" all reject" : "somebody";
        }

        @Override
        public List<String> configurationFilesIn(String folder) {
            return List.of();
        }
    };

    @Test
    void shouldLoadEveryConfigurationShown() throws IOException {
        int shown = 0;
        for (Path document : documents()) {
            for (String yaml : blocks(document, "yaml")) {
                Loaded loaded =
                        ProxyConfigLoader.parse(yaml, document.toString(), _ -> Optional.of("a password from outside"));
                assertThat(loaded).as("%s:%n%s", document, yaml).isInstanceOfSatisfying(Loaded.Valid.class, valid -> {
                    assertThat(valid.warnings()).isEmpty();
                    AccessOptions access = valid.config().general().access();
                    access.pgHba().flatMap(RuleSource::content).ifPresent(text -> readRules(document, text));
                    access.pgIdent().flatMap(RuleSource::content).ifPresent(text -> readMaps(document, text));
                });
                shown++;
            }
        }
        assertThat(shown).as("configurations shown").isPositive();
    }

    @Test
    void shouldUnderstandEveryRuleShown() throws IOException {
        int shown = 0;
        for (Path document : documents()) {
            for (String text : blocks(document, "pg_hba")) {
                readRules(document, text);
                shown++;
            }
            for (String text : blocks(document, "pg_ident")) {
                readMaps(document, text);
                shown++;
            }
        }
        assertThat(shown).as("rules shown").isPositive();
    }

    private static void readRules(Path document, String text) {
        try {
            HbaRules rules = HbaRules.parse(new RuleText(document.toString(), 1, text), FILES);
            assertThat(rules.warnings(
                            true,
                            rules.rules().stream()
                                    .flatMap(rule -> rule.options().values().stream())
                                    .collect(Collectors.toSet())))
                    .isEmpty();
        } catch (RuleProblems e) {
            throw new AssertionError(document + ":\n" + text, e);
        }
    }

    private static void readMaps(Path document, String text) {
        try {
            assertThat(IdentityMaps.parse(new RuleText(document.toString(), 1, text), FILES)
                            .names())
                    .isNotEmpty();
        } catch (RuleProblems e) {
            throw new AssertionError(document + ":\n" + text, e);
        }
    }

    @Test
    void shouldLinkOnlyToWhatIsThere() throws IOException {
        List<String> missing = new ArrayList<>();
        int links = 0;
        for (Path document : documents()) {
            String prose = prose(document);
            List<String> targets = new ArrayList<>();
            LINK.matcher(prose).results().map(link -> link.group(1)).forEach(targets::add);
            DEFINITION.matcher(prose).results().map(link -> link.group(2)).forEach(targets::add);
            for (String target : targets) {
                String path = target.replaceFirst("#.*", "");
                if (path.isEmpty() || path.matches("[a-z]+:.*")) {
                    continue;
                }
                links++;
                if (!Files.exists(document.resolveSibling(path))) {
                    missing.add(document + ": " + target);
                }
            }
        }
        assertThat(missing).isEmpty();
        assertThat(links).as("relative links").isPositive();
    }

    @Test
    void shouldDefineEveryReference() throws IOException {
        List<String> undefined = new ArrayList<>();
        for (Path document : documents()) {
            String prose = prose(document);
            List<String> defined = DEFINITION
                    .matcher(prose)
                    .results()
                    .map(link -> link.group(1))
                    .toList();
            if (defined.isEmpty()) {
                continue; // this one does not use references
            }
            REFERENCE
                    .matcher(prose)
                    .results()
                    .map(link -> link.group(1))
                    .filter(name -> !defined.contains(name))
                    .forEach(name -> undefined.add(document + ": [" + name + "]"));
        }
        assertThat(undefined).isEmpty();
    }

    @Test
    void shouldNameTheTestCommandThatTheBuildServerRuns() throws IOException {
        // Given
        Path readme = ROOT.resolve("README.md");
        List<String> run = TEST_COMMAND
                .matcher(Files.readString(ROOT.resolve(".ci/run")))
                .results()
                .map(MatchResult::group)
                .toList();

        // Then
        assertThat(run).hasSize(1);
        assertThat(blocks(readme, "")).contains(run.getFirst() + "\n", "./pgporter demo\n");
    }

    private static Set<Path> documents() throws IOException {
        Set<Path> documents = new TreeSet<>();
        Files.walkFileTree(ROOT, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes) {
                return SKIPPED.contains(String.valueOf(folder.getFileName()))
                        ? FileVisitResult.SKIP_SUBTREE
                        : FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                if (file.toString().endsWith(".md")) {
                    documents.add(file);
                }
                return FileVisitResult.CONTINUE;
            }
        });
        assertThat(documents).contains(ROOT.resolve("README.md"), ROOT.resolve("docs/architecture.md"));
        return documents;
    }

    private static List<String> blocks(Path document, String language) throws IOException {
        return BLOCK.matcher(Files.readString(document))
                .results()
                .filter(block -> block.group(1).equals(language))
                .map(block -> block.group(2))
                .toList();
    }

    /// The document without code, in which brackets mean something else. Links around code keep their brackets.
    private static String prose(Path document) throws IOException {
        String withoutBlocks = BLOCK.matcher(Files.readString(document)).replaceAll("");
        return INLINE_CODE.matcher(withoutBlocks).replaceAll("code");
    }
}
