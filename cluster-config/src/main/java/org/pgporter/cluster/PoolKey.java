package org.pgporter.cluster;

import java.util.Optional;
import org.pgporter.auth.TokenGrant;

/// Names one pool in the whole fleet: database and server role.
///
/// @param database as clients name it
/// @param user the configured user whose settings the pool follows and under whose server role its
///     connections log in
/// @param grant what a token gives those who use it: who comes with another one, or with none, has another pool
public record PoolKey(String database, String user, Optional<TokenGrant> grant) {
    /// The pool of users who came without a token.
    public PoolKey(String database, String user) {
        this(database, user, Optional.empty());
    }

    /// For logs: `user@database`.
    @Override
    public String toString() {
        return user + "@" + database;
    }
}
