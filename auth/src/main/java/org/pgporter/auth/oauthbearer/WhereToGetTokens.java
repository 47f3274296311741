package org.pgporter.auth.oauthbearer;

import org.pgporter.auth.jwt.Json;

/// What a client without a good token is told.
///
/// @param issuer as in `pg_hba.conf`: its URL, or that of its discovery document
/// @param scope what the token must allow, words with blanks between
public record WhereToGetTokens(String issuer, String scope) {
    private static final String WELL_KNOWN = "/.well-known/";

    /// The discovery document (OpenID Connect Discovery 1.0 section 4), as PostgreSQL makes it of the
    /// issuer.
    public String discoveryDocument() {
        return issuer.contains(WELL_KNOWN) ? issuer : issuer + WELL_KNOWN + "openid-configuration";
    }

    /// The server's error (RFC 7628 section 3.2.2). `invalid_token` whatever the reason: with any other
    /// status libpq ends without showing the error that follows.
    String json() {
        return "{\"status\":\"invalid_token\",\"openid-configuration\":" + Json.quoted(discoveryDocument())
                + ",\"scope\":" + Json.quoted(scope) + "}";
    }
}
