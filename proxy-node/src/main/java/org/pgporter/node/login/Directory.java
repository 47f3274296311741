package org.pgporter.node.login;

import java.util.Optional;
import org.pgporter.auth.Identity;
import org.pgporter.config.PoolSettings;
import org.pgporter.config.ProxyConfig;

/// Which pool somebody uses who has proved who he is.
public final class Directory {
    private final ProxyConfig config;

    public Directory(ProxyConfig config) {
        this.config = config;
    }

    /// What holds for this client in this database; empty when there is nothing for it there.
    public Optional<PoolSettings> settings(String database, Identity identity) {
        return identity.grant()
                .map(grant -> config.settings(database, identity.user(), grant))
                .orElseGet(() -> config.settings(database, identity.user()));
    }
}
