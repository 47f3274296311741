package org.pgporter.auth.credential;

/// Whose credential is looked up: the same user may have different ones in different databases' pools.
public record CredentialKey(String database, String user) {}
