package org.pgporter.config;

import java.util.Optional;
import org.pgporter.auth.Secret;

/// Everything that holds for one user of one database, with inheritance resolved: see [ProxyConfig#settings].
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
        PoolOptions options,
        DatabaseLimits databaseLimits,
        TlsOptions tls,
        ServerTlsOptions serverTls,
        SocketOptions sockets,
        int maxDatabaseClients,
        int maxUserClients) {

    /// The same with other options.
    public PoolSettings withOptions(PoolOptions changed) {
        return Records.with(this, "options", changed);
    }
}
