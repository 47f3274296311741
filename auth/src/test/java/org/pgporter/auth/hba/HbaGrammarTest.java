package org.pgporter.auth.hba;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class HbaGrammarTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "local all all trust",
                "local\tall\tall\ttrust\r",
                "  local all all trust # a comment",
                "\"local\" all all \"trust\"",
                "local \"my db\",other \"some user\",+\"a group\" reject",
                "local \"/^shop[0-9]{2,4}$\" \"/^(alice|bob),x$\" scram-sha-256",
                "local sameuser,samerole,samegroup,replication all peer map=os",
                "local all all ident",
                "host all all 10.0.0.0/8 md5",
                "host all all 10.1.2.3 255.255.255.0 password",
                "host all all fe80::1 ffff:: password",
                "host all all ::/0 trust",
                "host all all ::ffff:10.0.0.0/104 trust",
                "host all all samehost trust",
                "host all all samenet trust",
                "host all all all trust",
                "host all all \"all\" trust",
                "host all all db1.example.com trust",
                "host all all .example.com trust",
                "host all all localhost trust",
                "hostssl all all 0.0.0.0/0 cert",
                "hostssl all all 0.0.0.0/0 cert clientcert=verify-full clientname=DN map=x",
                "hostssl all all 0.0.0.0/0 scram-sha-256 clientcert=verify-ca",
                "hostnossl all all 0.0.0.0/0 reject",
                "hostgssenc all all 0.0.0.0/0 trust",
                "hostnogssenc all all 0.0.0.0/0 trust",
                "host all all all pam pamservice=pgporter pam_use_hostname=0",
                "host all all all ldap ldapserver=l.example.com ldapprefix=\"cn=\" ldapsuffix=\", dc=example, dc=net\"",
                "host all all all ldap ldapserver=l ldapbasedn=\"dc=example, dc=net\" ldapsearchattribute=uid ldaptls=1",
                "host all all all ldap ldapurl=\"ldaps://l.example.com/dc=example,dc=net?uid?sub\" ldapport=636",
                "host all all all ldap ldapserver=l ldapbasedn=x ldapsearchfilter=\"(|(uid=$username)(m=$username))\"",
                "hostssl all all all jwt",
                "hostssl all all all jwt issuer=corp map=people",
                "hostssl all all all oauth issuer=\"https://idp.example.com\" scope=\"openid pg\" map=people",
                "hostssl all all all oauth issuer=x scope=\"\" delegate_ident_mapping=1",
                "local all all trust\\",
                "local all all \\\ntrust",
            })
    void shouldUnderstand(String text) {
        assertThat(Rules.of(text).rules()).hasSize(1);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            Local all all trust | invalid connection type "Local"
            local,host all all trust | multiple values specified for connection type
            hostxyz all all all trust | invalid connection type "hostxyz"
            local | end-of-line before database specification
            local all | end-of-line before role specification
            local all all | end-of-line before authentication method
            host all all | end-of-line before IP address specification
            host all all trust | end-of-line before authentication method
            host all all 10.0.0.1 | end-of-line before netmask specification
            host all all 10.0.0.1 trust | invalid IP mask "trust"
            host all all 10.0.0.1 ffff:: trust | IP address and mask do not match
            host all all 10.0.0.0/33 trust | invalid CIDR mask in address "10.0.0.0/33"
            host all all 10.0.0.0/ trust | invalid CIDR mask in address "10.0.0.0/"
            host all all 10.0.0.0/+8 trust | invalid CIDR mask in address "10.0.0.0/+8"
            host all all ::/129 trust | invalid CIDR mask in address "::/129"
            host all all 10.0.0/8 trust | invalid IP address "10.0.0/8"
            host all all 010.0.0.1/8 trust | invalid IP address "010.0.0.1/8"
            host all all 256.0.0.1/8 trust | invalid IP address "256.0.0.1/8"
            host all all fe80::1%eth0/64 trust | invalid IP address "fe80::1%eth0/64"
            host all all 1:2:3/64 trust | invalid IP address "1:2:3/64"
            host all all db.example.com/8 trust | specifying both host name and CIDR mask is invalid
            host all all db!.example.com trust | neither an address nor a host name: "db!.example.com"
            host all all 10.0.0.0/8,11.0.0.0/8 trust | multiple values specified for host address
            local all all Trust | invalid authentication method "Trust"
            local all all scram_sha_256 | invalid authentication method "scram_sha_256"
            local all all trust,md5 | multiple values specified for authentication type
            local all all gss | authentication method "gss" is not supported
            host all all all sspi | authentication method "sspi" is not supported
            host all all all ident | authentication method "ident" is not supported
            host all all all radius radiusservers=x | authentication method "radius" is not supported
            host all all all bsd | authentication method "bsd" is not supported
            host all all all peer | peer authentication is only supported on local sockets
            host all all all cert | cert authentication is only supported on hostssl connections
            local all all cert | cert authentication is only supported on hostssl connections
            local all all md5 map=x | option "map" is only valid for authentication methods peer, cert, jwt, and oauth
            local all all pam map=x | option "map" is only valid for authentication methods peer, cert, jwt, and oauth
            local all all peer map= | option "map" is empty
            local all all peer map=x map=y | option "map" is given twice
            local all all md5 nonsense=1 | unrecognized authentication option name: "nonsense"
            local all all md5 nonsense | authentication option not in name=value format: number 1
            local all all md5 krb_realm=X | authentication option "krb_realm" is not supported
            local all all md5 pamservice=x | option "pamservice" is only valid for authentication methods pam
            local all all md5 ldapserver=x | option "ldapserver" is only valid for authentication methods ldap
            host all all all md5 clientcert=verify-full | clientcert can only be configured for "hostssl" rows
            hostssl all all all md5 clientcert=1 | invalid value for clientcert: "1"
            hostssl all all all cert clientcert=verify-ca | clientcert only accepts "verify-full" when using "cert"
            host all all all md5 clientname=CN | clientname can only be configured for "hostssl" rows
            hostssl all all all cert clientname=dn | invalid value for clientname: "dn"
            local all all pam pam_use_hostname=yes | option "pam_use_hostname" must be 0 or 1
            local all all ldap ldapserver=l ldapbasedn=x ldaptls=true | option "ldaptls" must be 0 or 1
            local all all ldap ldapserver=l | requires argument "ldapbasedn", "ldapprefix", or "ldapsuffix" to be set
            local all all ldap ldapbasedn=x | authentication method "ldap" requires argument "ldapserver" to be set
            local all all ldap ldapserver=l ldapprefix=a ldapbasedn=x | cannot mix options for simple bind and search
            local all all ldap ldapserver=l ldapprefix=a ldapbinddn=x | cannot mix options for simple bind and search
            local all all ldap ldapserver=l ldapbasedn=x ldapsearchattribute=a ldapsearchfilter=b | together with
            local all all ldap ldapurl=http://l/x | unsupported LDAP URL scheme
            local all all ldap ldapurl=ldap:///dc=x | requires argument "ldapserver" to be set
            local all all ldap ldapserver=l ldapbasedn=x ldapport=0 | invalid LDAP port number: "0"
            local all all ldap ldapserver=l ldapbasedn=x ldapport=65536 | invalid LDAP port number: "65536"
            local all all ldap ldapserver=l ldapbasedn=x ldapscheme=LDAP | invalid ldapscheme value: "LDAP"
            local all all oauth scope=x | authentication method "oauth" requires argument "issuer" to be set
            local all all oauth issuer=x | authentication method "oauth" requires argument "scope" to be set
            local all all oauth issuer=x scope=y validator=z | authentication option "validator" is not supported
            local all all oauth issuer=x scope=y map=a delegate_ident_mapping=1 | map cannot be used together with
            local all all md5 issuer=x | option "issuer" is only valid for authentication methods jwt and oauth
            local all all jwt scope=x | option "scope" is only valid for authentication methods oauth
            local /( all trust | invalid regular expression "(": parentheses () not balanced
            local all "/(a)\\1" trust | invalid regular expression "(a)\\1": back references are not supported
            local "all all trust | quotation marks are not closed
            include nowhere.conf | the file /etc/nowhere.conf does not exist
            include_dir nowhere | the folder /etc/nowhere does not exist
            local @nowhere all trust | the file /etc/nowhere does not exist
            """)
    void shouldSayWhatIsWrong(String line, String reason) {
        assertThat(Rules.problems(new MemoryFiles(), "# first", line.replace("\\\\", "\\")))
                .singleElement()
                .asString()
                .startsWith(Rules.FILE + ":2: ")
                .contains(reason.replace("\\\\", "\\"));
    }

    @Test
    void shouldReportEveryBrokenLineOfEveryFile() { // checklist 41
        MemoryFiles files = new MemoryFiles().with("/etc/more.conf", "local all all trust", "hots all all all trust");
        assertThat(Rules.problems(
                        files, "local all all", "", "include more.conf", "local all \\", " all \\", "what", "x y z"))
                .satisfiesExactly(
                        one -> assertThat(one).startsWith("/etc/pg_hba.conf:1: end-of-line"),
                        two -> assertThat(two).startsWith("/etc/more.conf:2: invalid connection type \"hots\""),
                        // A line that goes on is named by where it begins.
                        three -> assertThat(three).startsWith("/etc/pg_hba.conf:4: invalid authentication method"),
                        four -> assertThat(four).startsWith("/etc/pg_hba.conf:7: invalid connection type \"x\""));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "# nothing", "\n \n\t# local all all trust\n"})
    void shouldRefuseAFileWithoutRules(String text) {
        assertThat(Rules.problems(new MemoryFiles(), text))
                .containsExactly("/etc/pg_hba.conf:1: has no rules, so nobody could come in");
    }

    @Test
    void shouldFollowFiles() {
        MemoryFiles files = new MemoryFiles()
                .with("/etc/users", "alice, bob # people", "\"all\"", "@more_users")
                .with("/etc/more_users", "carol")
                .with("/etc/conf.d/b.conf", "local b all trust")
                .with("/etc/conf.d/a.conf", "local a all trust", "include ../none")
                .with("/etc/conf.d/c.txt", "broken")
                .with("/etc/conf.d/../none", "local n all trust");
        HbaRules rules = Rules.of(
                files,
                "local shop @users trust",
                "include_if_exists missing.conf",
                "include_dir conf.d",
                "local \"@users\" all trust");
        assertThat(rules.rules())
                .extracting(HbaRule::where)
                .containsExactly(
                        "/etc/pg_hba.conf:1",
                        "/etc/conf.d/a.conf:1",
                        "/etc/conf.d/../none:1",
                        "/etc/conf.d/b.conf:1",
                        "/etc/pg_hba.conf:4");
        assertThat(Rules.decide(rules, "carol@shop local")).isEqualTo("1");
        assertThat(Rules.decide(rules, "all@shop local")).isEqualTo("1");
        assertThat(Rules.decide(rules, "dave@shop local")).isEqualTo("none");
        assertThat(Rules.decide(rules, "dave@@users local")).isEqualTo("4");
    }

    @Test
    void shouldEndFilesThatIncludeEachOther() {
        MemoryFiles files = new MemoryFiles().with("/etc/a", "include b").with("/etc/b", "include a");
        assertThat(Rules.problems(files, "include a"))
                .singleElement()
                .asString()
                .contains("is included too deep");
        assertThat(Rules.problems(files.with("/etc/x", "@x"), "local @x all trust"))
                .anySatisfy(problem -> assertThat(problem).contains("is included too deep"));
    }

    @Test
    void shouldRefuseAFieldThatVanishes() {
        assertThat(Rules.problems(new MemoryFiles().with("/etc/empty", "# nobody"), "host all @empty all trust"))
                .singleElement()
                .asString()
                .contains("a field is empty");
    }

    @Test
    void shouldNotIncludeMoreThanFits() {
        MemoryFiles files = new MemoryFiles().with("/etc/large.conf", "# " + "x".repeat(1_000_000));
        assertThat(Rules.problems(
                        files,
                        "include large.conf",
                        "include large.conf",
                        "include large.conf",
                        "include large.conf",
                        "include large.conf"))
                .singleElement()
                .asString()
                .contains("all rules together have more than");
    }

    @Test
    void shouldShowNoPassword() {
        String secret = "hunter2";
        for (String option : new String[] {
            "ldapbindpasswd=hunter2",
            "\"ldapbindpasswd=hun ter2 hunter2\"",
            "ldapbindpasswd=\"x hunter2\"",
            "ldap\"bindpasswd=hunter2\""
        }) {
            HbaRule rule = Rules.of("host all all all ldap ldapserver=l ldapbasedn=x " + option + " ldaptls=1")
                    .rules()
                    .getFirst();
            assertThat(rule.options().get("ldapbindpasswd")).contains(secret);
            assertThat(rule.text())
                    .doesNotContain(secret)
                    .isEqualTo("host all all all ldap ldapserver=l ldapbasedn=x ldapbindpasswd=... ldaptls=1");
            assertThat(rule.toString()).doesNotContain(secret);
        }
        assertThat(Rules.problems(
                        new MemoryFiles(), "host all all all ldap ldapserver=l ldapbasedn=x ldapbindpasswd=a hunter2"))
                .singleElement()
                .asString()
                .doesNotContain(secret);
    }

    @Test
    void shouldKeepOptions() {
        assertThat(Rules.of("hostssl all all all oauth issuer=\"https://i=1\", scope=\"a, b\"")
                        .rules()
                        .getFirst()
                        .options())
                .isEqualTo(Map.of("issuer", "https://i=1", "scope", "a, b"));
    }
}
