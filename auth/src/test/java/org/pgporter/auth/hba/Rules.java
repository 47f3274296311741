package org.pgporter.auth.hba;

import static org.assertj.core.api.Assertions.fail;

import java.net.InetAddress;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.pgporter.auth.hba.RoleMembership.Membership;

/// Short ways to say what rules are and what they decide.
final class Rules {
    static final String FILE = "/etc/pg_hba.conf";

    /// alice and carol are known; alice is in staff. What bob is in nobody can tell.
    static final RoleMembership ROLES = (_, user, role) -> CompletableFuture.completedStage(
            switch (user) {
                case "alice" ->
                    Set.of("alice", "staff", "shop").contains(role) ? Membership.MEMBER : Membership.NOT_MEMBER;
                case "carol" -> Membership.NOT_MEMBER;
                default -> Membership.UNKNOWN;
            });

    static final HostNames HOSTS = address -> {
        Map<String, String> names = Map.of("10.1.2.3", "Db1.Example.com", "10.1.2.4", "evil.example.org");
        return address.getHostAddress().equals("10.9.9.9")
                ? CompletableFuture.failedStage(new IllegalStateException("no answer"))
                : CompletableFuture.completedStage(Optional.ofNullable(names.get(address.getHostAddress())));
    };

    static final LocalNetworks NETWORKS = () -> CompletableFuture.completedStage(
            List.of(AddressRange.of(ip("192.168.7.5"), 24), AddressRange.of(ip("fd00::5"), 64)));

    static final HbaPorts PORTS = new HbaPorts(ROLES, HOSTS, NETWORKS);

    private Rules() {}

    static InetAddress ip(String literal) {
        return InetAddress.ofLiteral(literal);
    }

    static HbaRules of(String... lines) {
        return of(new MemoryFiles(), lines);
    }

    static HbaRules of(RuleFiles files, String... lines) {
        try {
            return HbaRules.parse(new RuleText(FILE, 1, String.join("\n", lines)), files);
        } catch (RuleProblems e) {
            return fail(e);
        }
    }

    static List<String> problems(RuleFiles files, String... lines) {
        try {
            HbaRules rules = HbaRules.parse(new RuleText(FILE, 1, String.join("\n", lines)), files);
            return fail("accepted: " + rules.rules());
        } catch (RuleProblems e) {
            return e.problems().stream().map(RuleProblem::toString).toList();
        }
    }

    /// What is decided, in a word: the line of the rule, `none` or `undecided`.
    ///
    /// @param attempt `alice@shop 10.1.2.3`, with ` tls`, ` replication`, or `local` in place of the address
    static String decide(HbaRules rules, String attempt) {
        return word(rules.policy(PORTS)
                .match(request(attempt))
                .toCompletableFuture()
                .join());
    }

    static String word(HbaVerdict verdict) {
        return switch (verdict) {
            case HbaVerdict.Matched(var rule) -> Integer.toString(rule.line());
            case HbaVerdict.NoEntry _ -> "none";
            case HbaVerdict.Undecided _ -> "undecided";
        };
    }

    static HbaRequest request(String attempt) {
        String[] words = attempt.split(" ");
        String[] who = words[0].split("@", 2);
        Set<String> flags = Set.of(words);
        return new HbaRequest(
                words[1].equals("local") ? Optional.empty() : Optional.of(ip(words[1])),
                flags.contains("tls"),
                who[1],
                who[0],
                flags.contains("replication"));
    }
}
