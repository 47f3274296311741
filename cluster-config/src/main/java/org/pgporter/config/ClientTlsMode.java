package org.pgporter.config;

import java.util.Locale;

/// What TLS is to clients. In the file: `disable`, `allow`, `require`, `verify-full`, and two words for what others
/// have: `prefer` for allow, `verify-ca` for verify-full.
public enum ClientTlsMode {
    /// Who asks for TLS is told that there is none.
    DISABLE,
    /// Who asks for TLS gets it; who does not goes on without. Nothing is offered without a certificate.
    ALLOW,
    /// The same as [#ALLOW]: it is the client who decides.
    PREFER,
    /// Who does not ask for TLS is refused.
    REQUIRE,
    /// The same as [#VERIFY_FULL]: a client has no host name that could be compared.
    VERIFY_CA,
    /// As [#REQUIRE], and the client must have a certificate that `tls_ca_cert` vouches for.
    VERIFY_FULL;

    /// Who does not use TLS is refused.
    public boolean required() {
        return this == REQUIRE || certificateRequired();
    }

    /// Who has no certificate is refused.
    public boolean certificateRequired() {
        return this == VERIFY_CA || this == VERIFY_FULL;
    }

    /// The word in the file.
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
