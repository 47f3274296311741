package org.pgporter.cluster;

/// Names one pool in the whole fleet: database and server role.
///
/// @param database as clients name it
/// @param user the configured user whose settings the pool follows and under whose server role its connections log
///     in
public record PoolKey(String database, String user) {
    /// For logs: `user@database`.
    @Override
    public String toString() {
        return user + "@" + database;
    }
}
