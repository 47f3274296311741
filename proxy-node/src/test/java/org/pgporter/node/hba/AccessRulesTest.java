package org.pgporter.node.hba;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.pgporter.auth.credential.StoredCredential;
import org.pgporter.auth.hba.HbaRequest;
import org.pgporter.auth.hba.HbaVerdict;
import org.pgporter.auth.hba.IdentityVerdict;
import org.pgporter.auth.hba.RoleMembership.Membership;
import org.pgporter.auth.hba.RuleFiles;
import org.pgporter.auth.hba.RuleProblem;
import org.pgporter.auth.hba.RuleProblems;
import org.pgporter.config.AccessOptions;
import org.pgporter.config.GeneralConfig;
import org.pgporter.config.PoolConfig;
import org.pgporter.config.ProxyConfig;
import org.pgporter.config.RuleSource;
import org.pgporter.config.UserConfig;

class AccessRulesTest {
    private static final ProxyConfig CONFIG = ProxyConfig.of(
            "shop",
            PoolConfig.defaults()
                    .withUsers(
                            UserConfig.of("alice", StoredCredential.parse("x")).withRoles(List.of("staff")),
                            UserConfig.of("bob", StoredCredential.parse("x"))));

    @TempDir
    private Path folder = Path.of("");

    @Test
    void shouldReadFilesFromWhereTheyAreNamed() throws Exception {
        Files.writeString(folder.resolve("pg_hba.conf"), "include rules.d/more\nlocal all @users trust\n");
        Files.writeString(folder.resolve("users"), "alice\n");
        Files.createDirectory(folder.resolve("rules.d"));
        Files.writeString(folder.resolve("rules.d/more"), "include_dir .\n");
        Files.writeString(folder.resolve("rules.d/b.conf"), "local b all trust\n");
        Files.writeString(folder.resolve("rules.d/a.conf"), "local a all trust\n");
        Files.writeString(folder.resolve("rules.d/.c.conf"), "broken\n");
        Files.writeString(folder.resolve("rules.d/d.conf~"), "broken\n");
        try (AccessRules rules = start(options("pg_hba.conf"))) {
            assertThat(rules.counts())
                    .extracting(it -> it.rule().where())
                    .containsExactly(
                            folder + "/rules.d/a.conf:1", folder + "/rules.d/b.conf:1", folder + "/pg_hba.conf:2");
        }
    }

    @Test
    void shouldNotReadWhatIsNoRule() throws IOException {
        Files.write(folder.resolve("large"), new byte[RuleFilesOnDisk.MOST_BYTES + 1]);
        RuleFiles files = new RuleFilesOnDisk();
        assertThatThrownBy(() -> files.read(folder + "/large")).hasMessageContaining("has more than");
        assertThatThrownBy(() -> files.read(folder + "/none"))
                .isInstanceOfSatisfying(
                        RuleFiles.Unreadable.class,
                        it -> assertThat(it.missing()).isTrue());
        assertThatThrownBy(() -> files.read(folder.toString())).hasMessage("cannot be read");
        assertThatThrownBy(() -> files.configurationFilesIn(folder + "/large")).hasMessage("is no folder");
        assertThatThrownBy(() -> files.locate("a\0b", "/etc/x")).hasMessage("is no name of a file");
    }

    @Test
    void shouldReportBothFilesAtOnce() throws Exception {
        Files.writeString(folder.resolve("pg_hba.conf"), "local\n");
        Files.writeString(folder.resolve("pg_ident.conf"), "m\n");
        AccessOptions both = options("pg_hba.conf").withPgIdent(RuleSource.of(folder.resolve("pg_ident.conf")));
        assertThatThrownBy(() -> start(both))
                .isInstanceOfSatisfying(
                        RuleProblems.class,
                        it -> assertThat(it.problems())
                                .extracting(RuleProblem::source)
                                .containsExactly(folder + "/pg_hba.conf", folder + "/pg_ident.conf"));
    }

    @Test
    void shouldFollowAReloadWithRulesAndMapsAlike() throws Exception {
        Files.writeString(folder.resolve("pg_hba.conf"), "local all all trust\n");
        Files.writeString(folder.resolve("pg_ident.conf"), "m ann alice\n");
        AccessOptions both = options("pg_hba.conf").withPgIdent(RuleSource.of(folder.resolve("pg_ident.conf")));
        try (AccessRules rules = start(both)) {
            var map = rules.identityMap();
            assertThat(map.matches(Optional.of("m"), "ann", "shop", "alice")
                            .toCompletableFuture()
                            .join())
                    .isInstanceOf(IdentityVerdict.Matches.class);

            Files.writeString(folder.resolve("pg_ident.conf"), "m ann bob\n");
            Files.writeString(folder.resolve("pg_hba.conf"), "what\n");
            assertThat(rules.reload()).hasSize(1);
            assertThat(map.matches(Optional.of("m"), "ann", "shop", "alice")
                            .toCompletableFuture()
                            .join())
                    .as("one broken file keeps both")
                    .isInstanceOf(IdentityVerdict.Matches.class);

            Files.writeString(folder.resolve("pg_hba.conf"), "local all all reject\n");
            assertThat(rules.reload()).isEmpty();
            assertThat(map.matches(Optional.of("m"), "ann", "shop", "alice")
                            .toCompletableFuture()
                            .join())
                    .isInstanceOf(IdentityVerdict.NoMatch.class);
        }
    }

    @Test
    void shouldHaveNoPolicyWithoutRules() throws RuleProblems {
        try (AccessRules rules = start(AccessOptions.defaults())) {
            assertThat(rules.policy()).isEmpty();
            assertThat(rules.counts()).isEmpty();
        }
    }

    /// Defect H1 of another program: what it could not read as an address matched everybody.
    @Test
    void shouldOpenNoRuleToTheWorldBecauseOfItsAddress() throws RuleProblems { // checklist 41
        InetAddress stranger = InetAddress.ofLiteral("203.0.113.9");
        for (String address : List.of("samehost", "samenet", "localhost", "nowhere.invalid", "10.0.0.1 255.0.0.0")) {
            try (AccessRules rules = start(AccessOptions.defaults()
                    .withPgHba(RuleSource.of("host all all " + address + " trust", "x.yaml")))) {
                HbaVerdict verdict = rules.policy()
                        .orElseThrow()
                        .match(new HbaRequest(Optional.of(stranger), true, "shop", "alice", false))
                        .toCompletableFuture()
                        .join();
                assertThat(verdict).as(address).isNotInstanceOf(HbaVerdict.Matched.class);
            }
        }
    }

    @Test
    void shouldKnowMembershipsOfTheConfigurationOnly() {
        ConfiguredRoles roles = new ConfiguredRoles(CONFIG);
        assertThat(told(roles, "alice", "staff")).isEqualTo(Membership.MEMBER);
        assertThat(told(roles, "alice", "alice")).isEqualTo(Membership.MEMBER);
        assertThat(told(roles, "alice", "other")).isEqualTo(Membership.NOT_MEMBER);
        assertThat(told(roles, "bob", "staff")).isEqualTo(Membership.UNKNOWN);
        assertThat(told(roles, "bob", "bob")).isEqualTo(Membership.MEMBER);
        assertThat(told(roles, "nobody", "nobody")).isEqualTo(Membership.UNKNOWN);
    }

    private static Membership told(ConfiguredRoles roles, String user, String role) {
        return roles.of("shop", user, role).toCompletableFuture().join();
    }

    private AccessOptions options(String file) {
        return AccessOptions.defaults().withPgHba(RuleSource.of(folder.resolve(file)));
    }

    private static AccessRules start(AccessOptions access) throws RuleProblems {
        ProxyConfig config = CONFIG.withGeneral(GeneralConfig.defaults().withAccess(access));
        return AccessRules.start(config, new ConfiguredRoles(config));
    }
}
