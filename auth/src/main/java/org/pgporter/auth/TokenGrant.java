package org.pgporter.auth;

import java.util.Optional;

/// What a token gives its bearer at PostgreSQL.
///
/// @param issuer the name of the configuration's section about its issuer
/// @param role the role that the backend connections take on; empty: that of their login
/// @param readOnly transactions begin as read only
public record TokenGrant(String issuer, Optional<String> role, boolean readOnly) {}
