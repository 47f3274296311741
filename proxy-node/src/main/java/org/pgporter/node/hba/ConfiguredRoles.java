package org.pgporter.node.hba;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.pgporter.auth.hba.RoleMembership;
import org.pgporter.config.ProxyConfig;
import org.pgporter.config.UserConfig;

/// Memberships as the configuration lists them (`roles` of a user). About others it says that it does not
/// know.
public final class ConfiguredRoles implements RoleMembership {
    private final ProxyConfig config;

    public ConfiguredRoles(ProxyConfig config) {
        this.config = config;
    }

    @Override
    public CompletionStage<Membership> of(String database, String user, String role) {
        Optional<UserConfig> configured = config.pool(database).flatMap(pool -> pool.user(user));
        Optional<List<String>> roles = configured.flatMap(UserConfig::roles);
        return CompletableFuture.completedStage(
                configured.isPresent() && user.equals(role)
                        ? Membership.MEMBER
                        : roles.map(its -> its.contains(role) ? Membership.MEMBER : Membership.NOT_MEMBER)
                                .orElse(Membership.UNKNOWN));
    }
}
