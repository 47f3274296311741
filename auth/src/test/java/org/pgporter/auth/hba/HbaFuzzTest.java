package org.pgporter.auth.hba;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/// Whatever stands in the files, reading them answers, and so does what has been read.
class HbaFuzzTest {
    private static final int ROUNDS = 20_000;

    private static final List<String> PIECES = List.of(
            "local",
            "host",
            "hostssl",
            "hostnossl",
            "hostgssenc",
            "include",
            "include_dir",
            "include_if_exists",
            "all",
            "\"all\"",
            "replication",
            "sameuser",
            "samerole",
            "@list",
            "@",
            "+",
            "+staff",
            "/",
            "/^a",
            "\"/(a|b)*,\"",
            "/[",
            "/a{3}",
            "/(?i)x",
            "/(a+)+$",
            "10.0.0.0/8",
            "10.0.0.1",
            "255.0.0.0",
            "::/0",
            "::1",
            "fe80::%x",
            "/32",
            ".example.com",
            "localhost",
            "samenet",
            "samehost",
            "trust",
            "reject",
            "md5",
            "cert",
            "ldap",
            "peer",
            "oauth",
            "jwt",
            "pam",
            "ident",
            "map=x",
            "issuer=a",
            "scope=",
            "clientcert=verify-ca",
            "ldapurl=ldap://l/x?a?b?c",
            "ldapserver=l",
            "ldapbasedn=x",
            "=",
            "a=b",
            ",",
            ",,",
            " ",
            "\t",
            "\n",
            "\\\n",
            "\\",
            "\"",
            "\"\"",
            "#",
            "\r",
            "\u0000",
            "\uDC80",
            "é",
            "m",
            "\\1");

    private static final String[] ATTEMPTS = {
        "alice@shop 10.1.2.3", "bob@alice ::1 tls", "alice@alice local", "carol@x 10.1.2.3 replication"
    };

    @Test
    void shouldAnswerWhateverIsWritten() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        int understood = 0;
        for (int round = 0; round < ROUNDS; round++) {
            StringBuilder text = new StringBuilder();
            if (random.nextBoolean()) {
                // Nearly a rule.
                text.append("host ").append(piece(random)).append(' ').append(piece(random));
                text.append(" all ").append(random.nextBoolean() ? "trust " : "md5\nlocal all all peer ");
            }
            for (int i = random.nextInt(8); i > 0; i--) {
                text.append(piece(random)).append(random.nextInt(4) == 0 ? "" : " ");
            }
            MemoryFiles files = new MemoryFiles().with("/etc/list", text.substring(text.length() / 2), "alice");
            try {
                understood += answer(text.toString(), files) ? 1 : 0;
            } catch (RuntimeException | Error e) {
                throw new AssertionError("seed " + seed + ", round " + round + ":\n" + text, e);
            }
        }
        assertThat(understood).as("texts that were rules, seed %d", seed).isGreaterThan(ROUNDS / 100);
    }

    private static String piece(Random random) {
        return PIECES.get(random.nextInt(PIECES.size()));
    }

    private static boolean answer(String text, RuleFiles files) {
        try {
            IdentityMap map = IdentityMaps.parse(new RuleText("/etc/ident", 1, text), files)
                    .with(Rules.ROLES);
            map.matches(java.util.Optional.of("m"), "ann", "shop", "alice")
                    .toCompletableFuture()
                    .join();
        } catch (RuleProblems problems) {
            assertThat(problems.problems()).isNotEmpty();
        }
        try {
            HbaRules rules = HbaRules.parse(new RuleText(Rules.FILE, 1, text), files);
            assertThat(rules.rules()).isNotEmpty();
            rules.warnings(true, java.util.Set.of());
            for (String attempt : ATTEMPTS) {
                Rules.decide(rules, attempt);
            }
            return true;
        } catch (RuleProblems problems) {
            assertThat(problems.problems()).isNotEmpty();
            return false;
        }
    }
}
