package org.pgporter.node.login;

import java.util.Optional;
import java.util.function.Consumer;
import org.pgporter.auth.Identity;
import org.pgporter.auth.credential.CredentialKey;
import org.pgporter.config.PoolSettings;
import org.pgporter.config.ProxyConfig;
import org.pgporter.protocol.message.SqlState;

/// Which pool somebody uses who has proved who he is.
public final class Directory {
    private final ProxyConfig config;
    private final Consumer<CredentialKey> distrust;

    /// @param distrust told of a user whom a lookup has found, and whom PostgreSQL does not take for the
    ///     same: it shall be asked again
    public Directory(ProxyConfig config, Consumer<CredentialKey> distrust) {
        this.config = config;
        this.distrust = distrust;
    }

    /// What holds for this client in this database; empty when there is nothing for it there.
    public Optional<PoolSettings> settings(String database, Identity identity) {
        if (identity.grant().isPresent()) {
            return config.settings(database, identity.user(), identity.grant().get());
        }
        return config.settings(database, identity.user())
                .or(() -> identity.dynamic()
                        .flatMap(found -> config.foundByLookup(database, identity.user(), found.startupParameters())));
    }

    /// PostgreSQL has not let this client's backend connection in.
    public void refusedByServer(String database, Identity identity, SqlState why) {
        if (identity.dynamic().isPresent() && why.equals(SqlState.INVALID_PASSWORD)) {
            distrust.accept(new CredentialKey(database, identity.user()));
        }
    }
}
