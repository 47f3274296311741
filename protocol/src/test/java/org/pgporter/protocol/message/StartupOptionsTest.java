package org.pgporter.protocol.message;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StartupOptionsTest {

    @Test
    void shouldReadAllThreeForms_checklist15() {
        assertThat(StartupOptions.parse("-c a=1 -cb=2   --c-d=3\t-c e="))
                .containsExactly(Map.entry("a", "1"), Map.entry("b", "2"), Map.entry("c_d", "3"), Map.entry("e", ""));
    }

    @Test
    void shouldTakeEscapedBlanksAndBackslashesLiterally_checklist15() {
        assertThat(StartupOptions.parse("-c search_path=a,\\ b -c x=\\\\y"))
                .containsExactly(Map.entry("search_path", "a, b"), Map.entry("x", "\\y"));
    }

    @Test
    void shouldLetTheLastValueCountAndKeepFurtherEqualsSigns_checklist15() {
        assertThat(StartupOptions.parse("-c a=1 -c a=b=c")).containsExactly(Map.entry("a", "b=c"));
        assertThat(StartupOptions.parse("  ")).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"-c", "-c a", "-ca", "--a", "--", "-B 5", "plain", "-c =1", "--=1"})
    void shouldRefuseEverythingElse_checklist15(String options) {
        assertThatThrownBy(() -> StartupOptions.parse(options))
                .isInstanceOfSatisfying(ProtocolViolation.class, violation -> {
                    assertThat(violation.sqlState()).isEqualTo(SqlState.SYNTAX_ERROR);
                    assertThat(violation).hasMessageStartingWith("invalid command-line argument for server process: ");
                });
    }
}
