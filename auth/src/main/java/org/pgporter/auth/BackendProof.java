package org.pgporter.auth;

/// What a client proved itself with, as far as it can be used again to log in to PostgreSQL (passthrough). No
/// variant shows its content in `toString`.
public sealed interface BackendProof permits ScramKeys, Md5Hash {}
