package org.pgporter.auth;

import java.util.Optional;

/// The result of an authentication: who it is, and how that was proven.
///
/// @param user the name the client gave in its startup packet
/// @param method the method in the words of `pg_hba.conf`, such as `scram-sha-256` or `md5`
/// @param proof what the client's own proof taught us for logging in to PostgreSQL as this user
public record Identity(String user, String method, Optional<BackendProof> proof) {}
