package org.pgporter.auth.jwt;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// From what a token says to a name in PostgreSQL, and the JSON before it.
class NamesTest {
    private static final List<NameRule> RULES = List.of(
            new NameRule(Pattern.compile("root@.*"), Optional.empty()),
            new NameRule(Pattern.compile("([a-z]+)\\.([a-z]+)@corp\\.example"), Optional.of("\\2_\\1\\\\")),
            new NameRule(Pattern.compile("([a-z]+)@(x)?lab"), Optional.of("lab_\\1\\2\\9")));

    @ParameterizedTest
    @CsvSource({
        "ada.lovelace@corp.example, lovelace_ada\\",
        "ada@lab, lab_ada",
        "ada@xlab, lab_adax",
        "root@lab, ''",
        "ada.lovelace@corp.example.evil, ''",
        "xada.lovelace@corpXexample, ''",
        "'', ''"
    })
    void shouldTakeTheFirstRuleThatMatchesTheWhole(String value, String name) {
        assertThat(NameRule.apply(RULES, value)).isEqualTo(name.isEmpty() ? Optional.empty() : Optional.of(name));
    }

    @Test
    void shouldTakeTheValueWhereThereAreNoRules() {
        assertThat(NameRule.apply(List.of(), "alice")).hasValue("alice");
        assertThat(NameRule.apply(List.of(), "a".repeat(257))).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " alice",
                "alice ",
                "al\0ice",
                "al\nice",
                "al\u200bice",
                "\ud800",
                "none",
                "NONE",
                "public",
                "talos",
                "current_user"
            })
    void shouldNotLetAnythingBeAName(String name) {
        assertThat(RoleNames.usable(name)).isFalse();
    }

    /// What looks like SQL is only a name, because no name is ever put into SQL.
    @ParameterizedTest
    @ValueSource(strings = {"alice", "ada@corp.example", "al\"ice", "x'; drop table t; --", "Ada Lovelace", "ädä"})
    void shouldLetNamesBeNames(String name) {
        assertThat(RoleNames.usable(name)).isTrue();
    }

    @Test
    void shouldNotCutNamesOff() {
        assertThat(RoleNames.usable("a".repeat(63))).isTrue();
        assertThat(RoleNames.usable("a".repeat(64))).isFalse();
        assertThat(RoleNames.usable("ä".repeat(31))).isTrue();
        assertThat(RoleNames.usable("ä".repeat(32))).isFalse();
    }

    @Test
    void shouldNotGiveAwayPostgresOwnRoles() {
        assertThat(RoleNames.grantable("pg_execute_server_program")).isFalse();
        assertThat(RoleNames.grantable("analyst")).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{",
                "{\"a\"}",
                "{\"a\":}",
                "{\"a\":1,}",
                "{a:1}",
                "{'a':1}",
                "{\"a\":01}",
                "{\"a\":+1}",
                "{\"a\":.5}",
                "{\"a\":1.}",
                "{\"a\":1e}",
                "{\"a\":NaN}",
                "{\"a\":\"\t\"}",
                "{\"a\":\"\\x\"}",
                "{\"a\":\"\\u12g4\"}",
                "{\"a\":\"\\uff\"}",
                "{\"a\":tru}",
                "{\"a\":1}{}",
                "{\"a\":1} x",
                "{\"a\":1,\"a\":1}",
                "{\"a\":{\"b\":1,\"\\u0062\":2}}",
                "{\"a\":[1,]}",
                "{\"a\":1e99999999999}",
                "// no\n{}"
            })
    void shouldRefuseWhatIsNotJson(String text) {
        assertThatThrownBy(() -> Json.object(text)).isInstanceOf(Json.Malformed.class);
    }

    @Test
    void shouldBoundDepth() {
        assertThatThrownBy(() -> Json.object("{\"a\":" + "[".repeat(100_000)))
                .isInstanceOf(Json.Malformed.class)
                .hasMessageContaining("levels");
    }

    @Test
    void shouldReadJson() throws Json.Malformed {
        assertThat(Json.object(" {\"a\" : [ 1 , -0.5e1, \"\\u00e4\\n\\\"\\\\\\/\" , true, false, null, {}, [] ] } "))
                .hasToString("{a=[1, -5, ä\n\"\\/, true, false, null, {}, []]}");
    }

    @Test
    void shouldWriteStrings() throws Json.Malformed {
        String text = "a\"b\\c\nd\u0001ä";
        assertThat(Json.object("{\"a\":" + Json.quoted(text) + "}").get("a")).isEqualTo(text);
    }

    @Test
    void shouldFindClaimsByPath() throws Json.Malformed {
        Claims claims = new Claims(
                Json.object(
                        "{\"realm_access\":{\"roles\":[\"a\",\"b\"]},\"https://x.example/r\":\"c\",\"n\":null,\"m\":[\"a\",1]}"));
        assertThat(claims.texts("realm_access.roles")).containsExactly("a", "b");
        assertThat(claims.text("https://x.example/r")).hasValue("c");
        assertThat(claims.text("realm_access")).isEmpty();
        assertThat(claims.text("n")).isEmpty();
        assertThat(claims.texts("m")).isEmpty();
        assertThat(claims.text("realm_access.roles.x")).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{\"r:shop\":{\"roles\":[\"read_only\",\"owner\"]}} | OWNER",
                "{\"r:shop\":{\"roles\":[\"read_only\"]},\"q:shop\":{\"roles\":[\"read_write\"]}} | READ_WRITE",
                "{\"r:other\":{\"roles\":[\"owner\"]},\"r:shop\":{\"roles\":[\"read_only\"]}} | READ_ONLY",
                "{\"r:other\":{\"roles\":[\"owner\"]}} | ",
                "{\"shop\":{\"roles\":[\"owner\"]}} | ",
                "{\"r:x:shop\":{\"roles\":[\"owner\"]}} | ",
                "{\"r:shop\":{\"roles\":[\"owner\",\"god\"]}} | ",
                "{\"r:shop\":{\"roles\":[]}} | ",
                "{\"r:shop\":{\"roles\":\"owner\"}} | ",
                "{\"r:shop\":7} | ",
                "7 | "
            })
    void shouldGiveTheRoleOfThisDatabaseOnly(String access, String role) throws Json.Malformed {
        Claims claims = new Claims(Json.object("{\"resource_access\":" + access + "}"));
        assertThat(TalosRole.of(claims, "shop"))
                .isEqualTo(role == null ? Optional.empty() : Optional.of(TalosRole.valueOf(role)));
    }
}
