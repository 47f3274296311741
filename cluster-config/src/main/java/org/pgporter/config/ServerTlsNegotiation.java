package org.pgporter.config;

/// How TLS begins on connections to PostgreSQL, as libpq's `sslnegotiation`. In the file: `postgres` or `direct`.
public enum ServerTlsNegotiation {
    /// With an SSLRequest, which every version understands.
    POSTGRES,
    /// At once, which saves a round trip and needs PostgreSQL 17 or newer.
    DIRECT
}
