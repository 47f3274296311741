package org.pgporter.auth.hba;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.LongAdder;

/// The rules of a `pg_hba.conf`, read and checked. The first that fits decides. Immutable but for the
/// counters.
public final class HbaRules {
    private final List<CompiledRule> rules;

    private HbaRules(List<CompiledRule> rules) {
        this.rules = List.copyOf(rules);
    }

    /// Reads rules, and the files that they include.
    ///
    /// @throws RuleProblems with every line that cannot be understood
    public static HbaRules parse(RuleText text, RuleFiles files) throws RuleProblems {
        List<RuleProblem> problems = new ArrayList<>();
        List<CompiledRule> rules = new ArrayList<>();
        for (RuleLine line : new RuleLines(files, problems).read(text)) {
            try {
                rules.add(new RuleParser(line).parse());
            } catch (BadRule bad) {
                problems.add(new RuleProblem(line.source(), line.line(), String.valueOf(bad.getMessage())));
            }
        }
        if (problems.isEmpty() && rules.isEmpty()) {
            problems.add(new RuleProblem(text.source(), text.line(), "has no rules, so nobody could come in"));
        }
        if (!problems.isEmpty()) {
            throw new RuleProblems(problems);
        }
        return new HbaRules(rules);
    }

    /// A plain list of addresses: who comes from one of them, or through a Unix socket, proves himself by
    /// whatever his user has (method `md5`); others do not come in.
    ///
    /// @param source what the list is called
    /// @param ranges as [AddressRange#parse] reads them, at least one
    /// @throws IllegalArgumentException when one is no range
    public static HbaRules allowing(String source, List<String> ranges) {
        List<CompiledRule> rules = new ArrayList<>();
        rules.add(allowing(source, 1, "Unix sockets", ConnectionType.LOCAL, new ClientTest.Anywhere()));
        for (int i = 0; i < ranges.size(); i++) {
            String text = ranges.get(i);
            AddressRange range =
                    AddressRange.parse(text).orElseThrow(() -> new IllegalArgumentException("no range: " + text));
            rules.add(allowing(source, i + 1, text, ConnectionType.HOST, new ClientTest.Within(range)));
        }
        return new HbaRules(rules);
    }

    private static CompiledRule allowing(
            String source, int number, String text, ConnectionType type, ClientTest client) {
        return new CompiledRule(
                new HbaRule(source, number, text, AuthMethod.MD5, Map.of()),
                type,
                client,
                List.of(new NameTest.All(), new NameTest.Replication()),
                List.of(new NameTest.All()),
                new LongAdder());
    }

    /// How these rules decide.
    public HbaPolicy policy(HbaPorts ports) {
        return request -> new Attempt(request, rules, ports).decide();
    }

    /// A rule, and how often it has decided about a connection attempt since it was read.
    public record Counted(HbaRule rule, long matches) {}

    /// In the order of the file.
    public List<Counted> counts() {
        return rules.stream()
                .map(rule -> new Counted(rule.rule(), rule.matches().sum()))
                .toList();
    }

    /// In the order of the file.
    public List<HbaRule> rules() {
        return rules.stream().map(CompiledRule::rule).toList();
    }

    /// Rules that are probably not what somebody meant.
    ///
    /// @param tlsOffered whether a client can have TLS at all
    /// @param maps the maps that there are
    public List<RuleProblem> warnings(boolean tlsOffered, Set<String> maps) {
        List<RuleProblem> warnings = new ArrayList<>();
        for (int i = 0; i < rules.size(); i++) {
            CompiledRule rule = rules.get(i);
            if (rule.type() == ConnectionType.HOSTGSSENC) {
                warnings.add(about(rule, "can never match: there is no encryption by GSSAPI"));
            } else if (rule.type() == ConnectionType.HOSTSSL && !tlsOffered) {
                warnings.add(about(rule, "can never match: clients are not offered TLS"));
            } else {
                shadowOf(i)
                        .ifPresent(earlier -> warnings.add(about(
                                rule,
                                "can never match: " + earlier.rule().where() + " takes all its connections ("
                                        + earlier.rule().text() + ")")));
            }
            Optional.ofNullable(rule.rule().options().get("map"))
                    .filter(map -> !maps.contains(map))
                    .ifPresent(map -> warnings.add(about(rule, "nobody comes in: there is no map \"" + map + "\"")));
        }
        return warnings;
    }

    private static RuleProblem about(CompiledRule rule, String reason) {
        return new RuleProblem(rule.rule().source(), rule.rule().line(), reason);
    }

    private Optional<CompiledRule> shadowOf(int index) {
        return rules.subList(0, index).stream()
                .filter(earlier -> Shadows.covers(earlier, rules.get(index)))
                .findFirst();
    }
}
