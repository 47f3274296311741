package org.pgporter.config;

import java.util.Optional;
import org.pgporter.auth.Secret;
import org.pgporter.auth.TokenGrant;

/// Everything that holds for one user of one database, with inheritance resolved: see
/// [ProxyConfig#settings].
///
/// @param database the database as clients name it
/// @param user the user as clients name it; where many share the pool, the role that they share
/// @param kind whose pool it is
/// @param server where the backend listens
/// @param serverDatabase database at the backend
/// @param serverUser role of the backend connections
/// @param serverPassword its plain password or `md5…` hash; empty: only what the client proved itself with is there
///     to log in with
/// @param previousServerPassword another one, for when PostgreSQL refuses that
/// @param grant what a token gives whoever uses the pool; empty: nobody came with one of an issuer
/// @param unlisted what holds for a pool of somebody who does not stand in the configuration
/// @param options how the pool behaves
/// @param databaseLimits what all users of the database may hold together
/// @param tls what holds for TLS on both legs
/// @param serverTls TLS of the backend connections
/// @param sockets TCP options of the backend connections
/// @param maxDatabaseClients clients of this database at one time; 0: no limit
/// @param maxUserClients clients of this user of this database at one time; 0: no limit
public record PoolSettings(
        String database,
        String user,
        PoolKind kind,
        ServerAddress server,
        String serverDatabase,
        String serverUser,
        Optional<Secret> serverPassword,
        Optional<Secret> previousServerPassword,
        Optional<TokenGrant> grant,
        Optional<UnlistedUsers> unlisted,
        PoolOptions options,
        DatabaseLimits databaseLimits,
        TlsOptions tls,
        ServerTlsOptions serverTls,
        SocketOptions sockets,
        int maxDatabaseClients,
        int maxUserClients) {

    /// The same for somebody with a token. Where that gives him a role, a backend connection is asked
    /// after each transaction which one it has, or reset after each session, so that what one session has
    /// taken on does not
    /// reach the next one.
    public PoolSettings withGrant(TokenGrant given) {
        PoolSettings changed = Records.with(this, "grant", Optional.of(given));
        if (given.role().isEmpty()) {
            return changed;
        }
        PoolOptions strict = options.withSessionStateCheck(StateCheck.ALWAYS);
        return changed.withOptions(
                strict.serverResetQuery().isBlank()
                        ? strict.withServerResetQuery(PoolOptions.defaults().serverResetQuery())
                        : strict);
    }

    /// The same for a user that the configuration does not know.
    public PoolSettings withUnlisted(UnlistedUsers changed) {
        return Records.with(this, "unlisted", Optional.of(changed));
    }

    /// The same with other options.
    public PoolSettings withOptions(PoolOptions changed) {
        return Records.with(this, "options", changed);
    }
}
