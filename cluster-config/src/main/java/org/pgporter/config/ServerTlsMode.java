package org.pgporter.config;

import java.util.Locale;

/// What TLS is on connections to PostgreSQL, in libpq's words for `sslmode`. It has no meaning on a Unix socket.
public enum ServerTlsMode {
    /// Without TLS.
    DISABLE,
    /// Without TLS; if the server refuses that, again with it, on a new socket.
    ALLOW,
    /// With TLS if the server has it.
    PREFER,
    /// With TLS or not at all. Whose certificate it is does not matter.
    REQUIRE,
    /// As [#REQUIRE], and `server_tls_ca_cert` must vouch for the server's certificate.
    VERIFY_CA,
    /// As [#VERIFY_CA], and the certificate must be for the name in `server_host`.
    VERIFY_FULL;

    /// There is no connection without TLS.
    public boolean required() {
        return compareTo(REQUIRE) >= 0;
    }

    /// The server's certificate is looked at.
    public boolean verifies() {
        return compareTo(VERIFY_CA) >= 0;
    }

    /// The word in the file.
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
