package org.pgporter.config;

import java.util.Optional;
import org.pgporter.auth.Secret;
import org.pgporter.auth.credential.StoredCredential;

/// One entry of `pools.<db>.users`: who may use the pool, and with which settings of its own.
///
/// @param username the name a client logs in with
/// @param password what the client must prove: `md5…`, `SCRAM-SHA-256$…`, a plain password, or with
///     `jwt-pkey-fpath:…` where the key for its tokens is; absent: no password opens the door
/// @param authPamService the PAM service that checks the password instead
/// @param issuer the section of `issuers` whose tokens make somebody this user; no other token does
/// @param serverUsername role of the backend connections; absent: `username`
/// @param serverPassword plain password of that role, or its `md5…` hash for a backend that asks for MD5;
///     absent: a plain `password` of the same name, or what the client proved itself with
/// @param maxClientConnections clients of this user at one time; 0: no limit; absent:
///     `general.max_user_client_connections`
/// @param overrides what differs from the pool
public record UserConfig(
        String username,
        Optional<StoredCredential> password,
        Optional<String> authPamService,
        Optional<String> issuer,
        Optional<String> serverUsername,
        Optional<Secret> serverPassword,
        Optional<Integer> maxClientConnections,
        @Flat PoolOverrides overrides) {
    public UserConfig {
        new Checks()
                .notBlank("username", username)
                .notBlank("auth_pam_service", authPamService)
                .notBlank("issuer", issuer)
                .notBlank("server_username", serverUsername)
                .atLeast("max_client_connections", 0, maxClientConnections)
                .throwIfAny();
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

    /// A user that comes with a token of this issuer.
    public static UserConfig ofIssuer(String username, String issuer) {
        return new UserConfig(
                username,
                Optional.empty(),
                Optional.empty(),
                Optional.of(issuer),
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

    public UserConfig withOverrides(PoolOverrides changed) {
        return Records.with(this, "overrides", changed);
    }
}
