package org.pgporter.node.hba;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.pgporter.auth.hba.AuthMethod;
import org.pgporter.auth.hba.HbaPolicy;
import org.pgporter.auth.hba.HbaPorts;
import org.pgporter.auth.hba.HbaRules;
import org.pgporter.auth.hba.IdentityMap;
import org.pgporter.auth.hba.IdentityMaps;
import org.pgporter.auth.hba.RoleMembership;
import org.pgporter.auth.hba.RuleFiles;
import org.pgporter.auth.hba.RuleProblem;
import org.pgporter.auth.hba.RuleProblems;
import org.pgporter.auth.hba.RuleText;
import org.pgporter.config.AccessOptions;
import org.pgporter.config.ProxyConfig;
import org.pgporter.config.RuleSource;
import org.pgporter.node.logging.LogKeys;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The rules of one node that hold at this moment, and the maps that they name. Read at the start and when
/// [#reload] asks for it; both together, and only if both are good. Sessions that are there are not looked
/// at again. For many threads.
public final class AccessRules implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(AccessRules.class);
    private static final String LIST = "general.hba";

    private final ProxyConfig config;
    private final RoleMembership roles;
    private final HostLookups hosts;
    private volatile Held held;

    /// What has been read.
    private record Held(Optional<HbaRules> rules, IdentityMaps maps, List<RuleProblem> warnings) {}

    private AccessRules(ProxyConfig config, RoleMembership roles, HostLookups hosts, Held held) {
        this.config = config;
        this.roles = roles;
        this.hosts = hosts;
        this.held = held;
    }

    /// @param roles answers for `+role` and `samerole`
    /// @throws RuleProblems with all that is wrong in the files
    public static AccessRules start(ProxyConfig config, RoleMembership roles) throws RuleProblems {
        AccessRules rules = quietly(config, roles);
        rules.held.warnings().forEach(AccessRules::warn);
        return rules;
    }

    /// As [#start], without a word in the log.
    public static AccessRules quietly(ProxyConfig config, RoleMembership roles) throws RuleProblems {
        return new AccessRules(config, roles, new HostLookups(), read(config));
    }

    private static Held read(ProxyConfig config) throws RuleProblems {
        AccessOptions access = config.general().access();
        RuleFiles files = new RuleFilesOnDisk();
        List<RuleProblem> problems = new ArrayList<>();
        Optional<HbaRules> rules = Optional.empty();
        IdentityMaps maps = IdentityMaps.none();
        try {
            if (access.pgHba().isPresent()) {
                rules = Optional.of(HbaRules.parse(text(access.pgHba().get(), files), files));
            }
        } catch (RuleProblems e) {
            problems.addAll(e.problems());
        }
        try {
            if (access.pgIdent().isPresent()) {
                maps = IdentityMaps.parse(text(access.pgIdent().get(), files), files);
            }
        } catch (RuleProblems e) {
            problems.addAll(e.problems());
        }
        if (!problems.isEmpty()) {
            throw new RuleProblems(problems);
        }
        if (!access.hba().isEmpty()) {
            rules = Optional.of(HbaRules.allowing(LIST, access.hba()));
        }
        boolean tls = config.general().clientTls().offered();
        IdentityMaps found = maps;
        List<RuleProblem> warnings =
                new ArrayList<>(rules.filter(_ -> access.pgHba().isPresent())
                        .map(it -> it.warnings(tls, found.names()))
                        .orElse(List.of()));
        if (config.general().clientTls().tlsCaCert().isEmpty()) {
            rules.ifPresent(it -> warnings.addAll(withoutAuthority(it)));
        }
        return new Held(rules, maps, List.copyOf(warnings));
    }

    /// Rules that let in nobody, because clients are never asked for a certificate.
    private static List<RuleProblem> withoutAuthority(HbaRules rules) {
        return rules.counts().stream()
                .map(HbaRules.Counted::rule)
                .filter(rule ->
                        rule.method() == AuthMethod.CERT || rule.options().containsKey("clientcert"))
                .map(rule -> new RuleProblem(
                        rule.source(),
                        rule.line(),
                        "demands a certificate, and clients are not asked for one: general.tls_ca_cert is missing"))
                .toList();
    }

    private static RuleText text(RuleSource source, RuleFiles files) throws RuleProblems {
        Optional<String> content = source.content();
        if (content.isPresent()) {
            return new RuleText(source.file(), source.line(), content.get());
        }
        String path = source.path().map(Path::toString).orElseThrow();
        try {
            return new RuleText(path, 1, files.read(path));
        } catch (RuleFiles.Unreadable e) {
            throw new RuleProblems(
                    List.of(new RuleProblem(source.file(), source.line(), "the file " + path + " " + e.reason())));
        }
    }

    private static void warn(RuleProblem warning) {
        LOG.atWarn()
                .addKeyValue(LogKeys.FILE, warning.source() + ":" + warning.line())
                .addKeyValue(LogKeys.REASON, warning.reason())
                .log("rule for logins");
    }

    /// What a look at the files has found, for the command `check`.
    ///
    /// @param problems what stops a start
    /// @param warnings what is probably not meant
    public record Findings(List<RuleProblem> problems, List<RuleProblem> warnings) {}

    /// Reads the files and holds nothing.
    public static Findings look(ProxyConfig config) {
        try {
            return new Findings(List.of(), read(config).warnings());
        } catch (RuleProblems e) {
            return new Findings(e.problems(), List.of());
        }
    }

    /// How the rules decide that hold now; empty where nobody has set any.
    public Optional<HbaPolicy> policy() {
        return held.rules().map(rules -> rules.policy(new HbaPorts(roles, hosts::nameOf, hosts::networks)));
    }

    /// The maps, always those that hold at the moment of the question.
    public IdentityMap identityMap() {
        return (mapName, systemUser, database, databaseUser) ->
                held.maps().with(roles).matches(mapName, systemUser, database, databaseUser);
    }

    /// Each rule, and how often it has decided since it was last read; empty where there are none.
    public List<HbaRules.Counted> counts() {
        return held.rules().map(HbaRules::counts).orElse(List.of());
    }

    /// Reads the files again: the next client meets the new rules.
    ///
    /// @return what is wrong with them; then the old ones stay, and the log says so
    public synchronized List<RuleProblem> reload() {
        try {
            Held fresh = read(config);
            held = fresh;
            fresh.warnings().forEach(AccessRules::warn);
            return List.of();
        } catch (RuleProblems e) {
            e.problems()
                    .forEach(problem -> LOG.atError()
                            .addKeyValue(LogKeys.FILE, problem.source() + ":" + problem.line())
                            .addKeyValue(LogKeys.REASON, problem.reason())
                            .log("rules for logins stay as they were"));
            return e.problems();
        }
    }

    @Override
    public void close() {
        hosts.close();
    }
}
