package org.pgporter.auth.hba;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HbaMatchTest {
    /// The rule stands in line 1; behind it one that takes all the rest.
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            local all all trust             | alice@shop local                 | 1
            local all all trust             | alice@shop 127.0.0.1             | 2
            host all all all trust          | alice@shop local                 | 2
            host all all all trust          | alice@shop 127.0.0.1 tls         | 1
            host all all all trust          | alice@shop ::1                   | 1
            hostssl all all all trust       | alice@shop 127.0.0.1             | 2
            hostssl all all all trust       | alice@shop 127.0.0.1 tls         | 1
            hostnossl all all all trust     | alice@shop 127.0.0.1             | 1
            hostnossl all all all trust     | alice@shop 127.0.0.1 tls         | 2
            hostgssenc all all all trust    | alice@shop 127.0.0.1 tls         | 2
            hostnogssenc all all all trust  | alice@shop 127.0.0.1             | 1
            hostnogssenc all all all trust  | alice@shop 127.0.0.1 tls         | 1
            host all all 10.0.0.0/8 trust   | alice@shop 10.255.0.1            | 1
            host all all 10.0.0.0/8 trust   | alice@shop 11.0.0.1              | 2
            host all all 10.1.2.3/8 trust   | alice@shop 10.9.9.1              | 1
            host all all 0.0.0.0/0 trust    | alice@shop ::1                   | 2
            host all all ::/0 trust         | alice@shop 127.0.0.1             | 2
            host all all 10.0.0.1 255.0.0.255 trust | alice@shop 10.7.7.1      | 1
            host all all 10.0.0.1 255.0.0.255 trust | alice@shop 10.7.7.2      | 2
            host all all fd00::/8 trust     | alice@shop fd12::1               | 1
            host all all fd00::/8 trust     | alice@shop fe80::1               | 2
            host all all ::ffff:10.0.0.0/104 trust | alice@shop 10.1.2.3       | 2
            host all all samehost trust     | alice@shop 192.168.7.5           | 1
            host all all samehost trust     | alice@shop 192.168.7.6           | 2
            host all all samehost trust     | alice@shop fd00::5               | 1
            host all all samenet trust      | alice@shop 192.168.7.6           | 1
            host all all samenet trust      | alice@shop 192.168.8.6           | 2
            host all all db1.example.com trust | alice@shop 10.1.2.3           | 1
            host all all db1.example.com trust | alice@shop 10.1.2.4           | 2
            host all all db1.example.com trust | alice@shop 10.1.2.5           | 2
            host all all .example.com trust | alice@shop 10.1.2.3              | 1
            host all all .example.com trust | alice@shop 10.1.2.4              | 2
            host all all "all" trust        | alice@shop 10.1.2.3              | 2
            host all all db1.example.com trust | alice@shop 10.9.9.9           | undecided
            host shop all all trust         | alice@shop 10.0.0.1              | 1
            host shop all all trust         | alice@Shop 10.0.0.1              | 2
            host a,b,shop all all trust     | alice@shop 10.0.0.1              | 1
            host "a,shop" all all trust     | alice@shop 10.0.0.1              | 2
            host "a shop" all all trust     | alice@shop 10.0.0.1              | 2
            host "all" all all trust        | alice@shop 10.0.0.1              | 2
            host "all" all all trust        | alice@all 10.0.0.1               | 1
            host a"ll" all all trust        | alice@shop 10.0.0.1              | 1
            host sameuser all all trust     | alice@alice 10.0.0.1             | 1
            host sameuser all all trust     | alice@shop 10.0.0.1              | 2
            host "sameuser" all all trust   | alice@alice 10.0.0.1             | 2
            host samerole all all trust     | alice@shop 10.0.0.1              | 1
            host samerole all all trust     | alice@other 10.0.0.1             | 2
            host samegroup all all trust    | alice@shop 10.0.0.1              | 1
            host samerole all all trust     | bob@shop 10.0.0.1                | undecided
            host samerole,shop all all trust | bob@shop 10.0.0.1               | 1
            host samerole all 11.0.0.0/8 trust | bob@shop 10.0.0.1             | 2
            host all all all trust          | alice@shop 10.0.0.1 replication  | none
            host shop all all trust         | alice@shop 10.0.0.1 replication  | none
            host replication all all trust  | alice@shop 10.0.0.1 replication  | 1
            host replication all all trust  | alice@replication 10.0.0.1       | 2
            host "replication" all all trust | alice@replication 10.0.0.1      | 1
            host "replication" all all trust | alice@x 10.0.0.1 replication    | none
            host all,replication all all trust | alice@x 10.0.0.1 replication  | 1
            host all alice all trust        | alice@shop 10.0.0.1              | 1
            host all alice all trust        | bob@shop 10.0.0.1                | 2
            host all "all" all trust        | bob@shop 10.0.0.1                | 2
            host all +staff all trust       | alice@shop 10.0.0.1              | 1
            host all +staff all trust       | carol@shop 10.0.0.1              | 2
            host all +staff all trust       | bob@shop 10.0.0.1                | undecided
            host all +staff all reject      | bob@shop 10.0.0.1                | undecided
            host all bob,+staff all trust   | bob@shop 10.0.0.1                | 1
            host other +staff all trust     | bob@shop 10.0.0.1                | 2
            host all "+staff" all trust     | alice@shop 10.0.0.1              | 2
            host all +"staff" all trust     | alice@shop 10.0.0.1              | 1
            host all /^al all trust         | alice@shop 10.0.0.1              | 1
            host all /^al$ all trust        | alice@shop 10.0.0.1              | 2
            host all /ic all trust          | alice@shop 10.0.0.1              | 1
            host "/^shop[0-9]{1,2}$" all all trust | bob@shop7 10.0.0.1        | 1
            host "/^shop[0-9]{1,2}$" all all trust | bob@shop777 10.0.0.1      | 2
            """)
    void shouldDecideAsPostgresDoes(String rule, String attempt, String expected) {
        String rest = attempt.endsWith(" local") ? "local all all reject" : "host all all all reject";
        assertThat(Rules.decide(Rules.of(rule, rest), attempt)).isEqualTo(expected);
    }

    @Test
    void shouldTakeAlternativesOfAnExpression() {
        HbaRules rules = Rules.of("host all \"/^(alice|bob),?$\" all trust");
        assertThat(Rules.decide(rules, "bob@shop 10.0.0.1")).isEqualTo("1");
        assertThat(Rules.decide(rules, "carol@shop 10.0.0.1")).isEqualTo("none");
    }

    @Test
    void shouldLetNobodyInWhereAnExpressionTakesTooLong() {
        HbaRules rules = Rules.of("host all /^.*.*.*.*.*.*.*x$ all reject", "host all all all trust");
        assertThat(Rules.decide(rules, "a".repeat(63) + "@shop 10.0.0.1")).isEqualTo("undecided");
    }

    @Test
    void shouldLetTheFirstRuleDecide() {
        HbaRules rules =
                Rules.of("host all mallory all reject", "host all alice 10.0.0.0/8 md5", "host all all all trust");
        assertThat(Rules.decide(rules, "mallory@shop 10.0.0.1")).isEqualTo("1");
        assertThat(Rules.decide(rules, "alice@shop 10.0.0.1")).isEqualTo("2");
        assertThat(Rules.decide(rules, "alice@shop 11.0.0.1")).isEqualTo("3");
        assertThat(Rules.decide(rules, "alice@shop local")).isEqualTo("none");
    }

    @Test
    void shouldTakeIpv4InIpv6ClothesForIpv4() throws UnknownHostException { // checklist 41
        byte[] mapped = new byte[] {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, -1, -1, 10, 1, 2, 3};
        InetAddress client = Inet6Address.getByAddress(null, mapped, 0);
        assertThat(client).isInstanceOf(Inet6Address.class);
        HbaRequest request = new HbaRequest(Optional.of(client), false, "shop", "alice", false);
        HbaRules rules = Rules.of("host all all ::/0 reject", "host all all 10.0.0.0/8 trust");

        HbaVerdict verdict =
                rules.policy(Rules.PORTS).match(request).toCompletableFuture().join();

        assertThat(Rules.word(verdict)).isEqualTo("2");
    }

    @Test
    void shouldWaitForAnswersAndAskOnce() {
        CompletableFuture<Optional<String>> name = new CompletableFuture<>();
        int[] asked = new int[1];
        HostNames hosts = _ -> {
            asked[0]++;
            return name;
        };
        HbaRules rules = Rules.of("host all all a.example reject", "host all all b.example trust");

        CompletableFuture<HbaVerdict> verdict = rules.policy(new HbaPorts(Rules.ROLES, hosts, Rules.NETWORKS))
                .match(Rules.request("alice@shop 10.0.0.1"))
                .toCompletableFuture();

        assertThat(verdict).isNotDone();
        name.complete(Optional.of("b.example"));
        assertThat(Rules.word(verdict.join())).isEqualTo("2");
        assertThat(asked[0]).isEqualTo(1);
    }

    @Test
    void shouldDecideAmongManyRulesThatAsk() {
        String[] lines = new String[20_001];
        for (int i = 0; i < 20_000; i++) {
            lines[i] = "host all +role" + i + " all reject";
        }
        lines[20_000] = "host all all all trust";
        assertThat(Rules.decide(Rules.of(lines), "carol@shop 10.0.0.1")).isEqualTo("20001");
    }

    @Test
    void shouldCountWhatDecided() {
        HbaRules rules = Rules.of("host all alice all trust", "host all all all reject");
        Rules.decide(rules, "alice@shop 10.0.0.1");
        Rules.decide(rules, "bob@shop 10.0.0.1");
        Rules.decide(rules, "bob@shop 10.0.0.1");
        Rules.decide(rules, "bob@shop local");
        assertThat(rules.counts()).extracting(HbaRules.Counted::matches).containsExactly(1L, 2L);
    }

    @Test
    void shouldTakeAPlainListOfAddresses() {
        HbaRules rules = HbaRules.allowing("general.hba", java.util.List.of("10.0.0.0/8", "192.168.0.1"));
        assertThat(Rules.decide(rules, "alice@shop 10.3.4.5")).isEqualTo("1");
        assertThat(Rules.decide(rules, "alice@shop 10.3.4.5 replication")).isEqualTo("1");
        assertThat(Rules.decide(rules, "alice@shop 192.168.0.1 tls")).isEqualTo("2");
        assertThat(Rules.decide(rules, "alice@shop 192.168.0.2")).isEqualTo("none");
        assertThat(Rules.decide(rules, "alice@shop local")).isEqualTo("1");
    }

    // ---- rules that can never match

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            host all all 0.0.0.0/0 reject  | host all all 127.0.0.1/32 trust    | true
            host all all 127.0.0.1/32 trust | host all all 0.0.0.0/0 reject     | false
            host all all 0.0.0.0/0 reject  | host all all ::1/128 trust         | false
            host all all 0.0.0.0/0 reject  | host all all all trust             | false
            host all all all reject        | host all all .example.com trust    | true
            host all all all reject        | hostssl shop alice samenet trust   | true
            host all all all reject        | local all all trust                | false
            hostssl all all all reject     | host all all all trust             | false
            hostnogssenc all all all md5   | host all all all trust             | true
            host all all all reject        | host replication all all trust     | false
            host all,replication all all reject | host replication all all trust | true
            host shop all all reject       | host shop,other all all trust      | false
            host other,shop all all reject | host shop,other all all trust      | true
            host /^sh all all reject       | host shop,shelf all all trust      | true
            host /^sh all all reject       | host shop,other all all trust      | false
            host sameuser all all reject   | host alice alice all trust         | false
            host all +staff all reject     | host all alice all trust           | false
            host all +staff all reject     | host all +staff all trust          | true
            host all alice all reject      | host all "alice" 10.0.0.0/8 trust  | true
            host all "all" all reject      | host all alice all trust           | false
            host all all 10.0.0.0/8 reject | host all all 10.1.0.0/16 trust     | true
            host all all 10.1.0.0/16 reject | host all all 10.0.0.0/8 trust     | false
            host all all 10.0.0.0 255.0.255.0 reject | host all all 10.0.0.0/16 trust | false
            host all all 10.0.0.0 255.0.255.0 reject | host all all 10.0.0.0/24 trust | true
            local all all reject           | local all all peer                 | true
            """)
    void shouldSeeWhatCanNeverMatch(String earlier, String later, boolean shadowed) {
        HbaRules rules = Rules.of(earlier, later);
        if (shadowed) {
            assertThat(rules.warnings(true, Set.of()))
                    .extracting(RuleProblem::toString)
                    .containsExactly(
                            "/etc/pg_hba.conf:2: can never match: /etc/pg_hba.conf:1 takes all its connections ("
                                    + earlier.strip() + ")");
        } else {
            assertThat(rules.warnings(true, Set.of())).isEmpty();
        }
    }

    @Test
    void shouldWarnOfWhatIsNotThere() {
        HbaRules rules = Rules.of(
                "hostgssenc all all all trust", "hostssl all all all cert map=people", "local all all peer map=os");
        assertThat(rules.warnings(false, Set.of("os")))
                .extracting(RuleProblem::toString)
                .containsExactly(
                        "/etc/pg_hba.conf:1: can never match: there is no encryption by GSSAPI",
                        "/etc/pg_hba.conf:2: can never match: clients are not offered TLS",
                        "/etc/pg_hba.conf:2: nobody comes in: there is no map \"people\"");
    }
}
