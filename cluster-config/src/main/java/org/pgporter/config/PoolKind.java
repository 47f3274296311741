package org.pgporter.config;

/// Whose backend connections a pool holds. Pools of different kinds are apart even where their names are
/// the same.
public enum PoolKind {
    /// Those of a user who stands in the configuration.
    CONFIGURED,
    /// Those of one user whom `auth_query` has found, logged in as that user.
    DYNAMIC,
    /// Those that all users share whom `auth_query` has found, logged in as its `server_user`.
    SHARED,
    /// Those by which `auth_query` looks users up. No client ever gets one.
    LOOKUP
}
