package org.pgporter.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

/// Whatever stands in the file, loading answers; it never throws, and never leaks what a reference stood for.
class MutationTest {
    private static final int ROUNDS = 3_000;
    private static final String ALPHABET = "\n\t :-#{}[],'\"&*!|>%@`$\\0Aa9~?\u0000\u2028\ud800é";
    private static final String SECRET = "s3cr3t-out-of-the-environment";

    @Test
    void shouldAnswerEveryMutationOfTheReference() throws IOException {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        String original = Files.readString(Path.of("../deploy/pgporter.example.yaml"))
                .replaceAll("(?m)^(\\s*)#((?:- )?[a-z0-9_]+:)", "$1$2")
                .replaceAll("(?m)^\\s*#.*\n", "");
        for (int round = 0; round < ROUNDS; round++) {
            String mutated = mutate(original, random);
            String name = "seed " + seed + ", round " + round;
            try {
                Loaded loaded = ProxyConfigLoader.parse(mutated, "pgporter.yaml", _ -> Optional.of(SECRET));
                // The configuration itself may show it: an edit can move a reference to a key that is no secret.
                List<ConfigProblem> said = switch (loaded) {
                    case Loaded.Valid valid -> valid.warnings();
                    case Loaded.Invalid invalid -> {
                        assertThat(invalid.problems()).as(name).isNotEmpty();
                        yield invalid.problems();
                    }
                };
                assertThat(said.toString()).as(name).doesNotContain(SECRET);
            } catch (RuntimeException e) {
                throw new AssertionError(name + ":\n" + mutated, e);
            }
        }
    }

    private static String mutate(String original, Random random) {
        StringBuilder text = new StringBuilder(original);
        int changes = 1 + random.nextInt(4);
        for (int i = 0; i < changes; i++) {
            int from = random.nextInt(text.length());
            int to = Math.min(text.length(), from + random.nextInt(12));
            switch (random.nextInt(5)) {
                case 0 -> text.delete(from, to);
                case 1 -> text.insert(from, ALPHABET.charAt(random.nextInt(ALPHABET.length())));
                case 2 -> text.setCharAt(from, ALPHABET.charAt(random.nextInt(ALPHABET.length())));
                case 3 -> text.insert(random.nextInt(text.length()), text.substring(from, to));
                default -> swapLines(text, random);
            }
        }
        return text.toString();
    }

    private static void swapLines(StringBuilder text, Random random) {
        String[] lines = text.toString().split("\n", -1);
        int one = random.nextInt(lines.length);
        int other = random.nextInt(lines.length);
        String kept = lines[one];
        lines[one] = lines[other];
        lines[other] = kept;
        text.setLength(0);
        text.append(String.join("\n", lines));
    }
}
