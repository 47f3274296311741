package org.pgporter.node.ldap;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import com.unboundid.ldap.sdk.DN;
import com.unboundid.ldap.sdk.Filter;
import com.unboundid.ldap.sdk.SearchScope;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.pgporter.auth.Secret;

class LdapTargetTest {
    @Test
    void shouldReadTheOptionsOfPostgres() {
        assertThat(LdapTarget.of(Map.of(
                        "ldapserver", "one two", "ldapprefix", "cn=", "ldapsuffix", ", dc=example", "ldaptls", "1")))
                .isEqualTo(new LdapTarget(
                        List.of("one", "two"),
                        389,
                        LdapTarget.Security.STARTTLS,
                        new LdapTarget.Simple("cn=", ", dc=example")));
        assertThat(LdapTarget.of(Map.of(
                        "ldapserver",
                        "one",
                        "ldapscheme",
                        "ldaps",
                        "ldapbasedn",
                        "dc=example",
                        "ldapbinddn",
                        "cn=reader",
                        "ldapbindpasswd",
                        "secret",
                        "ldapsearchattribute",
                        "mail")))
                .isEqualTo(new LdapTarget(
                        List.of("one"),
                        636,
                        LdapTarget.Security.LDAPS,
                        new LdapTarget.SearchFirst(
                                "dc=example",
                                SearchScope.SUB,
                                "(mail=$username)",
                                Optional.of("cn=reader"),
                                Optional.of(Secret.of("secret")))));
    }

    @Test
    void shouldReadAUrl() {
        assertThat(LdapTarget.of(Map.of("ldapurl", "ldap://host:1389/dc=example,dc=com?cn?one", "ldapbinddn", "")))
                .isEqualTo(new LdapTarget(
                        List.of("host"),
                        1389,
                        LdapTarget.Security.NONE,
                        new LdapTarget.SearchFirst(
                                "dc=example,dc=com",
                                SearchScope.ONE,
                                "(cn=$username)",
                                Optional.empty(),
                                Optional.empty())));
        assertThat(LdapTarget.of(
                                Map.of("ldapurl", "ldaps://host/o=A%20B+C??sub?(&(uid=$username)(objectClass=person))"))
                        .search())
                .isEqualTo(new LdapTarget.SearchFirst(
                        "o=A B+C",
                        SearchScope.SUB,
                        "(&(uid=$username)(objectClass=person))",
                        Optional.empty(),
                        Optional.empty()));
        assertThat(LdapTarget.of(Map.of("ldapurl", "ldap://[::1]:1/dc=x")).servers())
                .containsExactly("::1");
    }

    @Test
    void shouldRefuseWhatContradictsItself() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> LdapTarget.of(
                        Map.of("ldapserver", "x", "ldapscheme", "ldaps", "ldaptls", "1", "ldapprefix", "a")));
        assertThatIllegalArgumentException().isThrownBy(() -> LdapTarget.of(Map.of("ldapbasedn", "dc=x")));
        assertThatIllegalArgumentException()
                .isThrownBy(() -> LdapTarget.of(Map.of("ldapurl", "ldap://x/dc=x??nowhere")));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "alice",
                "*",
                "alice)(uid=*",
                "*)(objectClass=*",
                "a\\2a",
                "nul\0byte",
                "jürgen",
                "(",
                ")",
                "a*b",
                "$username"
            })
    void shouldNotLetANameChangeItsFilter(String user) throws Exception {
        LdapTarget.SearchFirst search = new LdapTarget.SearchFirst(
                "dc=x", SearchScope.SUB, "(&(uid=$username)(active=true))", Optional.empty(), Optional.empty());

        assertThat(search.filterFor(user))
                .isEqualTo(Filter.createANDFilter(
                        Filter.createEqualityFilter("uid", user), Filter.createEqualityFilter("active", "true")));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "alice",
                "a,dc=evil",
                "a+cn=b",
                " a ",
                "#a",
                "a=b",
                "a\\",
                "a\"b",
                "<a>;",
                "nul\0byte",
                "jürgen",
                "a\nb",
                "a\\,b"
            })
    void shouldNotLetANameChangeItsPlaceInTheTree(String user) throws Exception {
        String name =
                new LdapTarget.Simple("uid=", ",ou=people,dc=x").bindName(user).orElseThrow();

        DN parsed = new DN(name);
        assertThat(parsed.getRDNs()).hasSize(3);
        assertThat(parsed.getRDNs()[0].isMultiValued()).isFalse();
        assertThat(parsed.getRDNs()[0].getAttributeValues()).containsExactly(user);
        assertThat(parsed.getParent()).isEqualTo(new DN("ou=people,dc=x"));
    }

    @Test
    void shouldLetPlainNamesIntoOtherForms() {
        LdapTarget.Simple mail = new LdapTarget.Simple("", "@example.com");
        assertThat(mail.bindName("alice.b-c_d$1")).contains("alice.b-c_d$1@example.com");
        assertThat(mail.bindName("jürgen")).contains("jürgen@example.com");
        for (String user : List.of("cn=admin,dc=x\0", "a@b", "a\\b", "cn=a,dc=b", " ", "a b", "a/b", "")) {
            assertThat(mail.bindName(user)).as(user).isEmpty();
        }
    }
}
