package org.pgporter.config;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.pgporter.auth.PasswordRotation;
import org.pgporter.auth.Secret;
import org.pgporter.auth.credential.StoredCredential;

/// One entry of `pools.<db>.users`: who may use the pool, and with which settings of its own.
///
/// @param username the name a client logs in with
/// @param password what the client must prove: `md5…`, `SCRAM-SHA-256$…`, a plain password, or with
///     `jwt-pkey-fpath:…` where the key for its tokens is; absent: no password opens the door
/// @param previousPassword as `password`, and as good as that while a change is on its way; both must be such that one
///     exchange can ask for them: plain, or of one kind with the same salt
/// @param authPamService the PAM service that checks the password instead
/// @param issuer the section of `issuers` whose tokens make somebody this user; no other token does
/// @param serverUsername role of the backend connections; absent: `username`
/// @param serverPassword plain password of that role, or its `md5…` hash for a backend that asks for MD5; absent: a
///     plain `password` of the same name, or what the client proved itself with
/// @param previousServerPassword tried when PostgreSQL refuses `serverPassword`, while a change is on its way
/// @param maxClientConnections clients of this user at one time; 0: no limit; absent:
///     `general.max_user_client_connections`
/// @param roles all roles that the user is a member of, directly or through others, for `+role` and `samerole` in
///     `pg_hba`; absent: nobody knows, and then rules that ask let nobody in
/// @param overrides what differs from the pool
public record UserConfig(
        String username,
        Optional<StoredCredential> password,
        Optional<StoredCredential> previousPassword,
        Optional<String> authPamService,
        Optional<String> issuer,
        Optional<String> serverUsername,
        Optional<Secret> serverPassword,
        Optional<Secret> previousServerPassword,
        Optional<Integer> maxClientConnections,
        Optional<List<String>> roles,
        @Flat PoolOverrides overrides) {
    public UserConfig {
        roles = roles.map(List::copyOf);
        new Checks()
                .notBlank("username", username)
                .require(
                        previousPassword.isEmpty() || password.isPresent(),
                        "previous_password",
                        "has no password that follows it",
                        "add password",
                        Set.of("password", "previous_password"))
                .require(
                        conflict(password, previousPassword).isEmpty(),
                        "previous_password",
                        "cannot be valid together with password: "
                                + conflict(password, previousPassword).orElse(""),
                        "write one of the two in plain text, or make its secret with the salt of the other",
                        Set.of("password", "previous_password"))
                .require(
                        previousServerPassword.isEmpty() || serverPassword.isPresent(),
                        "previous_server_password",
                        "has no server_password that follows it",
                        "add server_password",
                        Set.of("server_password", "previous_server_password"))
                .notBlank("auth_pam_service", authPamService)
                .notBlank("issuer", issuer)
                .notBlank("server_username", serverUsername)
                .atLeast("max_client_connections", 0, maxClientConnections)
                .throwIfAny();
    }

    private static Optional<String> conflict(Optional<StoredCredential> current, Optional<StoredCredential> previous) {
        return current.flatMap(one -> previous.flatMap(other -> PasswordRotation.conflict(one, other)));
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
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                PoolOverrides.none());
    }

    /// A user that inherits everything and logs in to the backend under its own name.
    public static UserConfig of(String username, StoredCredential password) {
        return Records.with(withoutPassword(username), "password", Optional.of(password));
    }

    /// A user that comes with a token of this issuer.
    public static UserConfig ofIssuer(String username, String issuer) {
        return Records.with(withoutPassword(username), "issuer", Optional.of(issuer));
    }

    UserConfig withServerLogin(Optional<String> role, Optional<Secret> plainPassword) {
        return Records.with(Records.with(this, "serverUsername", role), "serverPassword", plainPassword);
    }

    public UserConfig withServerLogin(String role, Secret plainPassword) {
        return Records.with(
                Records.with(this, "serverUsername", Optional.of(role)), "serverPassword", Optional.of(plainPassword));
    }

    public UserConfig withPreviousPassword(StoredCredential changed) {
        return Records.with(this, "previousPassword", Optional.of(changed));
    }

    public UserConfig withPreviousServerPassword(Secret changed) {
        return Records.with(this, "previousServerPassword", Optional.of(changed));
    }

    public UserConfig withAuthPamService(String changed) {
        return Records.with(this, "authPamService", Optional.of(changed));
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
