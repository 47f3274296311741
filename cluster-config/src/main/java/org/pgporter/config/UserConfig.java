package org.pgporter.config;

import java.util.List;
import java.util.Optional;
import org.pgporter.auth.Secret;
import org.pgporter.auth.credential.StoredCredential;

/// One entry of `pools.<db>.users`: who may use the pool, and with which settings of its own.
///
/// @param username the name a client logs in with
/// @param password what the client must prove: `md5…`, `SCRAM-SHA-256$…`, a plain password, or with
///     `jwt-pkey-fpath:…` where the key for its tokens is; absent: no password opens the door
/// @param authPamService the PAM service that checks the password instead
/// @param serverUsername role of the backend connections; absent: `username`
/// @param serverPassword plain password of that role, or its `md5…` hash for a backend that asks for MD5; absent: a
///     plain `password` of the same name, or what the client proved itself with
/// @param maxClientConnections clients of this user at one time; 0: no limit; absent:
///     `general.max_user_client_connections`
/// @param roles all roles that the user is a member of, directly or through others, for `+role` and `samerole` in
///     `pg_hba`; absent: nobody knows, and then rules that ask let nobody in
/// @param overrides what differs from the pool
public record UserConfig(
        String username,
        Optional<StoredCredential> password,
        Optional<String> authPamService,
        Optional<String> serverUsername,
        Optional<Secret> serverPassword,
        Optional<Integer> maxClientConnections,
        Optional<List<String>> roles,
        @Flat PoolOverrides overrides) {
    public UserConfig {
        roles = roles.map(List::copyOf);
        new Checks()
                .notBlank("username", username)
                .notBlank("auth_pam_service", authPamService)
                .notBlank("server_username", serverUsername)
                .atLeast("max_client_connections", 0, maxClientConnections)
                .throwIfAny();
    }

    /// A user without anything to prove himself by: for rules of `pg_hba` that do not look at it.
    public static UserConfig withoutPassword(String username) {
        return new UserConfig(
                username,
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                PoolOverrides.none());
    }

    /// A user that inherits everything and logs in to the backend under its own name.
    public static UserConfig of(String username, StoredCredential password) {
        return new UserConfig(
                username,
                Optional.of(password),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                PoolOverrides.none());
    }

    public UserConfig withServerLogin(String role, Secret plainPassword) {
        return Records.with(
                Records.with(this, "serverUsername", Optional.of(role)), "serverPassword", Optional.of(plainPassword));
    }

    public UserConfig withMaxClientConnections(int changed) {
        return Records.with(this, "maxClientConnections", Optional.of(changed));
    }

    public UserConfig withRoles(List<String> changed) {
        return Records.with(this, "roles", Optional.of(changed));
    }

    public UserConfig withOverrides(PoolOverrides changed) {
        return Records.with(this, "overrides", changed);
    }
}
