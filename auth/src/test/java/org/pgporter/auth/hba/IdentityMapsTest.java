package org.pgporter.auth.hba;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class IdentityMapsTest {
    /// @param line of a map called `m`
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            m ann alice                             | ann                 | alice  | Matches
            m ann alice                             | ann                 | bob    | NoMatch
            m ann alice                             | Ann                 | alice  | NoMatch
            M ann alice                             | ann                 | alice  | NoMatch
            m "ann b" "al ice"                      | ann b               | al ice | Matches
            m ann all                               | ann                 | bob    | Matches
            m ann "all"                             | ann                 | bob    | NoMatch
            m ann "all"                             | ann                 | all    | Matches
            m ann +staff                            | ann                 | alice  | Matches
            m ann +staff                            | ann                 | carol  | NoMatch
            m ann +staff                            | ann                 | bob    | Undecided
            m ann "+staff"                          | ann                 | alice  | NoMatch
            m ann /^al                              | ann                 | alice  | Matches
            m ann /^al$                             | ann                 | alice  | NoMatch
            m /^(.*)@example\\.com$ \\1             | alice@example.com   | alice  | Matches
            m /^(.*)@example\\.com$ \\1             | alice@example.org   | alice  | NoMatch
            m /^(.*)@example\\.com$ \\1             | alice@example.com   | bob    | NoMatch
            m /^(.*)@example\\.com$ \\1             | alice@exampleXcom   | alice  | NoMatch
            m /^(.*)@example\\.com$ x_\\1_y         | alice@example.com   | x_alice_y | Matches
            m /^(.*)@example\\.com$ all             | a@example.com       | bob    | Matches
            m /^(.*)@example\\.com$ \\1             | all@example.com     | bob    | NoMatch
            m /^(.*)@example\\.com$ \\1             | +staff@example.com  | alice  | NoMatch
            m /^(.*)@example\\.com$ \\1             | /^al@example.com    | alice  | NoMatch
            m /example ann                          | x@example.com       | ann    | Matches
            m /^(x)?y$ \\1                          | y                   | alice  | NoMatch
            m /^(.*)@ \\1                           | alice@x             | alice  | Matches
            m /^(.*)@ \\1                           | alice@x@y           | alice  | NoMatch
            """)
    void shouldMapAsPostgresDoes(String line, String system, String user, String verdict) {
        IdentityMap map = maps(line.replace("\\\\", "\\")).with(Rules.ROLES);
        IdentityVerdict said = map.matches(Optional.of("m"), system, "shop", user)
                .toCompletableFuture()
                .join();
        assertThat(said.getClass().getSimpleName()).as(said.toString()).isEqualTo(verdict);
    }

    @Test
    void shouldDemandTheSameNameWithoutAMap() {
        IdentityMap map = maps("m ann bob").with(Rules.ROLES);
        assertThat(map.matches(Optional.empty(), "ann", "shop", "ann")
                        .toCompletableFuture()
                        .join())
                .isInstanceOf(IdentityVerdict.Matches.class);
        assertThat(map.matches(Optional.empty(), "ann", "shop", "bob")
                        .toCompletableFuture()
                        .join())
                .isInstanceOf(IdentityVerdict.NoMatch.class);
    }

    @Test
    void shouldTryEveryLine() {
        IdentityMap map =
                maps("m ann bob", "m ann +staff", "m ann zoe", "other ann all").with(Rules.ROLES);
        assertThat(map.matches(Optional.of("m"), "ann", "shop", "zoe")
                        .toCompletableFuture()
                        .join())
                .as("what cannot be told does not hide a line that fits")
                .isInstanceOf(IdentityVerdict.Matches.class);
        assertThat(map.matches(Optional.of("m"), "ann", "shop", "yves")
                        .toCompletableFuture()
                        .join())
                .isInstanceOf(IdentityVerdict.Undecided.class);
        assertThat(map.matches(Optional.of("nope"), "ann", "shop", "bob")
                        .toCompletableFuture()
                        .join())
                .isInstanceOf(IdentityVerdict.NoMatch.class);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            m ann        | missing entry at end of line
            m            | missing entry at end of line
            m a,b bob    | multiple values in ident field
            m a b c      | has more than three fields
            m /( bob     | invalid regular expression "("
            m ann /(     | invalid regular expression "("
            m /^ann \\1  | has no subexpressions as requested by backreference
            """)
    void shouldSayWhatIsWrong(String line, String reason) {
        assertThat(problems("# maps", line.replace("\\\\", "\\")))
                .singleElement()
                .asString()
                .startsWith("/etc/pg_ident.conf:2: ")
                .contains(reason);
    }

    private static IdentityMaps maps(String... lines) {
        try {
            return IdentityMaps.parse(text(lines), new MemoryFiles());
        } catch (RuleProblems e) {
            return fail(e);
        }
    }

    private static List<String> problems(String... lines) {
        try {
            return fail("accepted: "
                    + IdentityMaps.parse(text(lines), new MemoryFiles()).names());
        } catch (RuleProblems e) {
            return e.problems().stream().map(RuleProblem::toString).toList();
        }
    }

    private static RuleText text(String... lines) {
        return new RuleText("/etc/pg_ident.conf", 1, String.join("\n", lines));
    }
}
