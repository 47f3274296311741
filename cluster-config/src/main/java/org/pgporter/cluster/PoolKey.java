package org.pgporter.cluster;

import java.util.Optional;
import org.pgporter.auth.TokenGrant;
import org.pgporter.config.PoolKind;
import org.pgporter.config.PoolSettings;

/// Names one pool in the whole fleet: database and server role.
///
/// @param database as clients name it
/// @param user whose settings the pool follows and under whose server role its connections log in
/// @param kind a user that is configured, and one of the same name that is not, never share a pool
/// @param grant what a token gives those who use it: who comes with another one, or with none, has another pool
public record PoolKey(String database, String user, PoolKind kind, Optional<TokenGrant> grant) {
    /// The pool of a user who stands in the configuration and comes without a token.
    public PoolKey(String database, String user) {
        this(database, user, PoolKind.CONFIGURED, Optional.empty());
    }

    /// The pool of a user who comes without a token.
    public PoolKey(String database, String user, PoolKind kind) {
        this(database, user, kind, Optional.empty());
    }

    /// The pool that these settings are for.
    public static PoolKey of(PoolSettings settings) {
        return new PoolKey(settings.database(), settings.user(), settings.kind(), settings.grant());
    }

    /// For logs: `user@database`.
    @Override
    public String toString() {
        return user + "@" + database
                + (kind == PoolKind.CONFIGURED ? "" : " (" + kind.name().toLowerCase(java.util.Locale.ROOT) + ")");
    }
}
