package org.pgporter.auth;

import java.time.Instant;
import java.util.Optional;

/// The result of an authentication: who it is, and how that was proven.
///
/// @param user by which the session goes from now on: the name in the client's startup packet, unless the
///     method says otherwise (a Talos token names a role)
/// @param method the method in the words of `pg_hba.conf`, such as `scram-sha-256` or `md5`
/// @param principal what the method itself calls the client, such as the subject of a token or of a
///     certificate; for logs (PostgreSQL's `system_user`)
/// @param proof what the client's own proof taught us for logging in to PostgreSQL as this user
/// @param expires when what it was proven with ceases to hold; the session ends then
/// @param grant what a token gives its bearer; empty where no issuer stands behind the user
/// @param applicationName a name for the session that the method knows
/// @param dynamic the user is not configured and was looked up; empty for configured users
public record Identity(
        String user,
        String method,
        Optional<String> principal,
        Optional<BackendProof> proof,
        Optional<Instant> expires,
        Optional<TokenGrant> grant,
        Optional<String> applicationName,
        Optional<DynamicUser> dynamic) {

    /// A user that has proved it is one, by a method that teaches nothing else.
    public static Identity of(String user, String method) {
        return new Identity(
                user,
                method,
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty());
    }

    public Identity withPrincipal(String changed) {
        return new Identity(user, method, Optional.of(changed), proof, expires, grant, applicationName, dynamic);
    }

    public Identity withProof(BackendProof changed) {
        return new Identity(user, method, principal, Optional.of(changed), expires, grant, applicationName, dynamic);
    }

    public Identity withExpiry(Instant changed) {
        return new Identity(user, method, principal, proof, Optional.of(changed), grant, applicationName, dynamic);
    }

    public Identity withGrant(TokenGrant changed) {
        return new Identity(user, method, principal, proof, expires, Optional.of(changed), applicationName, dynamic);
    }

    public Identity withApplicationName(String changed) {
        return new Identity(user, method, principal, proof, expires, grant, Optional.of(changed), dynamic);
    }

    public Identity withDynamic(DynamicUser changed) {
        return new Identity(user, method, principal, proof, expires, grant, applicationName, Optional.of(changed));
    }
}
