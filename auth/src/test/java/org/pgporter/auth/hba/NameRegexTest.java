package org.pgporter.auth.hba;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What the first table expects, PostgreSQL 18.6 was asked: `select 'text' ~ 'expression'` in a database of
/// SQL_ASCII. The rest follows from `hba.c` and the documentation.
class NameRegexTest {
    @ParameterizedTest
    @CsvSource(delimiter = ';', quoteCharacter = '`', textBlock = """
            ^ab$;ab;true
            ^ab$;abc;false
            ^ab$;xab;false
            b;abc;true
            ^a.c$;abc;true
            ^a\\.c$;abc;false
            ^a[b-d]{2}$;acd;true
            ^a[^b-d]$;ae;true
            ^a[^b-d]$;ac;false
            ^[]a]+$;]a];true
            ^[a-]+$;a-a;true
            ^[\\w.]+$;a_1.b;true
            ^[[:alpha:]]+$;abC;true
            ^[[:alpha:]]+$;ab1;false
            ^\\d+$;42;true
            ^\\D+$;42;false
            a{,2};a{,2};true
            ^a{2}$;aa;true
            ^a{2,}$;a;false
            ^a{1,2}?$;aa;true
            ^(?:ab)+$;abab;true
            ^(a|b)*c$;ababc;true
            ^(?!admin);administrator;false
            ^(?!admin);alice;true
            (?<=_)ro$;app_ro;true
            (?<=_)ro$;appro;false
            (?i)^ALICE$;alice;true
            \\mfoo\\M;a foo b;true
            \\mfoo\\M;afoo;false
            ^\\yfoo\\y$;foo;true
            a|b|;x;true
            ^();x;true
            a]b};a]b};true
            ^ä$;ä;true
            ^.$;ä;false
            ^..$;ä;true
            """)
    void shouldMatchAsPostgresDoes(String regex, String name, boolean matches) throws RegexSyntax {
        NameRegex compiled = NameRegex.compile(regex.replace("\\\\", "\\"));
        assertThat(compiled.find(name) instanceof NameRegex.Found.Yes).isEqualTo(matches);
        assertThat(compiled.find(name)).isNotInstanceOf(NameRegex.Found.TooMuch.class);
    }

    @Test
    void shouldNailDownTheEndBeforeALastNewline() throws RegexSyntax {
        assertThat(NameRegex.compile("^alice$").find("alice\n")).isInstanceOf(NameRegex.Found.No.class);
        assertThat(NameRegex.compile("^.*$").find("a\nb")).isInstanceOf(NameRegex.Found.Yes.class);
    }

    @ParameterizedTest
    @CsvSource(delimiter = ';', quoteCharacter = '`', textBlock = """
            (;parentheses () not balanced
            a);parentheses () not balanced
            [a;brackets [] not balanced
            [b-a];invalid character range
            [a-c-e];invalid character range
            [[:nope:]];invalid character class
            [[.a.]];collating elements are not supported
            *a;quantifier operand invalid
            a**;quantifier operand invalid
            a*+;quantifier operand invalid
            ^*;quantifier operand invalid
            a|*;quantifier operand invalid
            {1}a;quantifier operand invalid
            a{2,1};invalid repetition count(s)
            a{256};invalid repetition count(s)
            a{1;invalid repetition count(s)
            (a{100}){100};too complex
            a\\;invalid escape
            (a)\\1;back references are not supported
            \\x41;the escape \\x is not supported
            (?x)a;embedded options are not supported
            a(?i)b;embedded options are not supported
            ***=a;directors (***) are not supported
            (?<=a*)b;a lookbehind of any length is not supported
            """)
    void shouldRefuseWhatIsNoneOrNotSupported(String regex, String reason) {
        assertThatThrownBy(() -> NameRegex.compile(regex.replace("\\\\", "\\")))
                .isInstanceOf(RegexSyntax.class)
                .hasMessageContaining(reason.replace("\\\\", "\\"));
    }

    @Test
    void shouldRefuseWhatIsTooLong() {
        assertThatThrownBy(() -> NameRegex.compile("a".repeat(RegexTranslation.MOST_CHARACTERS + 1)))
                .isInstanceOf(RegexSyntax.class);
        assertThatThrownBy(() -> NameRegex.compile("(".repeat(60) + ")".repeat(60)))
                .isInstanceOf(RegexSyntax.class);
    }

    @Test
    void shouldGiveUpWhatWouldTakeForEver() throws RegexSyntax {
        NameRegex regex = NameRegex.compile("^.*.*.*.*.*.*.*x$");
        assertThat(regex.find("a".repeat(63))).isInstanceOf(NameRegex.Found.TooMuch.class);
        assertThat(NameRegex.compile("a").find("a".repeat(NameRegex.LONGEST_TEXT + 1)))
                .isInstanceOf(NameRegex.Found.TooMuch.class);
    }

    @ParameterizedTest
    @CsvSource(delimiter = ';', quoteCharacter = '`', textBlock = """
            ^(.*)@example\\.com$;ann@example.com;ann;false
            ^(.*)@(.*)$;a@b@c;a@b;false
            ^([^@]*)@;a@b@c;a;false
            ^(.*)@;a@b;a;false
            ^(.*)@;a@b@c;a@b;true
            ^(a|ab)(c|bcd)(d*)$;abcd;ab;true
            ^(.*?)@(.*)$;a@b@c;a;true
            ^cn=([^,]*),;cn=ann,ou=x;ann;false
            ^((?:ä)+)$;ää;ää;false
            """)
    void shouldSayWhenGroup1IsInDoubt(String regex, String name, String group, boolean ambiguous) throws RegexSyntax {
        assertThat(NameRegex.compile(regex.replace("\\\\", "\\")).find(name))
                .isInstanceOfSatisfying(NameRegex.Found.Yes.class, found -> {
                    assertThat(found.ambiguous()).isEqualTo(ambiguous);
                    if (!ambiguous) {
                        assertThat(found.group1()).isEqualTo(Optional.of(group));
                    }
                });
    }
}
