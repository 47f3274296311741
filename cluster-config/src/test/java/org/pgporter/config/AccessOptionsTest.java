package org.pgporter.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AccessOptionsTest {
    @Test
    void shouldKnowOnWhichLineRulesBegin() {
        assertThat(rules("general:\n  pg_hba: |\n    # mine\n    local all all trust\n")
                        .line())
                .isEqualTo(3);
        assertThat(rules("general:\n  pg_hba:\n    content: |\n      local all all trust\n")
                        .line())
                .isEqualTo(4);
        assertThat(rules("general:\n  pg_hba: local all all trust\n").line()).isEqualTo(2);
    }

    @Test
    void shouldTakeTheSameTextInEveryForm() {
        for (String form : new String[] {
            "{pg_hba: local all all trust}",
            "{pg_hba: {content: 'local all all trust'}}",
            "\n  pg_hba: |-\n    local all all trust",
            "\n  pg_hba:\n    content: |-\n      local all all trust"
        }) {
            assertThat(rules("general: " + form + "\n").content()).as(form).hasValue("local all all trust");
        }
    }

    @Test
    void shouldFindFilesFromTheFolderOfTheConfiguration() {
        Loaded loaded = ProxyConfigLoader.parse(
                "general: {pg_hba: {path: pg_hba.conf}, pg_ident: {path: /maps}}\n" + Yaml.POOLS,
                "/etc/pgporter/pgporter.yaml",
                _ -> Optional.empty());
        assertThat(loaded).isInstanceOfSatisfying(Loaded.Valid.class, valid -> {
            AccessOptions access = valid.config().general().access();
            assertThat(access.pgHba().orElseThrow().path()).hasValue(Path.of("/etc/pgporter/pg_hba.conf"));
            assertThat(access.pgIdent().orElseThrow().path()).hasValue(Path.of("/maps"));
        });
    }

    @Test
    void shouldTakePgDoormansListOfRanges() {
        assertThat(Yaml.valid("general: {hba: [10.0.0.0/8, '::1', 192.168.0.7]}\n" + Yaml.POOLS)
                        .general()
                        .access()
                        .hba())
                .isEqualTo(List.of("10.0.0.0/8", "::1", "192.168.0.7"));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            {pg_hba: {path: a, content: b}}     | general.pg_hba: needs one of `path` and `content`
            {pg_hba: {}}                        | general.pg_hba: needs one of `path` and `content`
            {pg_hba: [a]}                       | general.pg_hba: must be a text, or a section
            {pg_hba: }                          | general.pg_hba: has no value
            {pg_hba: {paht: a, content: b}}     | general.pg_hba.paht: unknown key; did you mean general.pg_hba.path?
            {pg_ident: {path: [a]}}             | general.pg_ident.path: must be a single value
            {hba: [10.0.0.0/8], pg_hba: x}      | general.hba: means nothing beside pg_hba
            {hba: [10.0.0.0/33]}                | general.hba[0]: must be an address or a range
            {hba: [localhost]}                  | general.hba[0]: must be an address or a range
            {hba: ['::1', all]}                 | general.hba[1]: must be an address or a range
            {hba: 10.0.0.0/8}                   | general.hba: must be a list
            """)
    void shouldSayWhatIsWrong(String general, String problem) {
        assertThat(Yaml.problems("general: " + general + "\n" + Yaml.POOLS))
                .singleElement()
                .asString()
                .contains("pgporter.yaml:1: " + problem);
    }

    @Test
    void shouldLetUsersDoWithoutAPasswordWhereRulesDecide() {
        String nobody = "pools: {app: {users: [{username: a}]}}";
        assertThat(Yaml.problems(nobody)).hasSize(1);
        assertThat(Yaml.problems("general: {hba: ['::1']}\n" + nobody)).hasSize(1);
        assertThat(Yaml.valid("general: {pg_hba: local all all peer}\n" + nobody)
                        .settings("app", "a"))
                .isPresent();
    }

    @Test
    void shouldTellNoRolesFromUnknownRoles() {
        String users = "pools: {app: {users: [{username: a, password: x}, {username: b, password: x, roles: []},"
                + " {username: c, password: x, roles: [r]}]}}";
        assertThat(Yaml.valid(users).pool("app").orElseThrow().users())
                .extracting(UserConfig::roles)
                .containsExactly(Optional.empty(), Optional.of(List.of()), Optional.of(List.of("r")));
    }

    @Test
    void shouldNotShowWhatStandsInRules() {
        assertThat(rules("general: {pg_hba: host all all all ldap ldapbindpasswd=hunter2}\n"))
                .asString()
                .doesNotContain("hunter2");
    }

    private static RuleSource rules(String general) {
        return Yaml.valid(general + Yaml.POOLS).general().access().pgHba().orElseThrow();
    }
}
