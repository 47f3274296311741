package org.pgporter.config;

import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;

/// TLS towards clients; part of section `general`. Files are PEM; what stands in them is looked at when the node
/// starts and when `check` runs.
///
/// @param tlsMode who gets TLS and who must have it
/// @param tlsCertificate the node's certificate and, behind it, those that lead to the root; absent: no TLS
/// @param tlsPrivateKey the certificate's key, not encrypted
/// @param tlsCaCert who vouches for certificates of clients, one or several; absent: clients are not asked for one
/// @param tlsCrlFile certificates of clients that count no longer; then each certificate needs a list of its issuer
/// @param tlsRateLimitPerSecond handshakes that begin in one second at most, the others wait; 0: no limit
public record ClientTlsOptions(
        ClientTlsMode tlsMode,
        Optional<Path> tlsCertificate,
        Optional<Path> tlsPrivateKey,
        Optional<Path> tlsCaCert,
        Optional<Path> tlsCrlFile,
        int tlsRateLimitPerSecond) {
    private static final ClientTlsOptions DEFAULTS = new ClientTlsOptions(
            ClientTlsMode.ALLOW, Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty(), 0);

    public ClientTlsOptions {
        new Checks()
                .atLeast("tls_rate_limit_per_second", 0, tlsRateLimitPerSecond)
                .require(
                        tlsCertificate.isPresent() || tlsPrivateKey.isEmpty(),
                        "tls_private_key",
                        "has no certificate",
                        "add tls_certificate",
                        Set.of("tls_private_key", "tls_certificate"))
                .require(
                        tlsPrivateKey.isPresent() || tlsCertificate.isEmpty(),
                        "tls_certificate",
                        "has no key",
                        "add tls_private_key",
                        Set.of("tls_private_key", "tls_certificate"))
                .require(
                        !tlsMode.required() || tlsCertificate.isPresent() || tlsPrivateKey.isPresent(),
                        "tls_mode",
                        "is " + tlsMode + ", but there is no certificate, so nobody could come in",
                        "add tls_certificate and tls_private_key",
                        Set.of("tls_mode", "tls_certificate", "tls_private_key"))
                .require(
                        !tlsMode.certificateRequired() || tlsCaCert.isPresent(),
                        "tls_mode",
                        "is " + tlsMode + ", but nobody vouches for certificates of clients",
                        "add tls_ca_cert",
                        Set.of("tls_mode", "tls_ca_cert"))
                .require(
                        tlsCrlFile.isEmpty() || tlsCaCert.isPresent(),
                        "tls_crl_file",
                        "means nothing while clients are not asked for certificates",
                        "add tls_ca_cert",
                        Set.of("tls_crl_file", "tls_ca_cert"))
                .throwIfAny();
    }

    public static ClientTlsOptions defaults() {
        return DEFAULTS;
    }

    /// Whether who asks for TLS gets it.
    public boolean offered() {
        return tlsMode != ClientTlsMode.DISABLE && tlsCertificate.isPresent();
    }

    public ClientTlsOptions withTlsMode(ClientTlsMode changed) {
        return Records.with(this, "tlsMode", changed);
    }

    /// Both at once: neither can do without the other.
    public ClientTlsOptions withIdentity(Path certificate, Path privateKey) {
        return new ClientTlsOptions(
                tlsMode,
                Optional.of(certificate),
                Optional.of(privateKey),
                tlsCaCert,
                tlsCrlFile,
                tlsRateLimitPerSecond);
    }

    public ClientTlsOptions withTlsCaCert(Path changed) {
        return Records.with(this, "tlsCaCert", Optional.of(changed));
    }

    public ClientTlsOptions withTlsCrlFile(Path changed) {
        return Records.with(this, "tlsCrlFile", Optional.of(changed));
    }

    public ClientTlsOptions withTlsRateLimitPerSecond(int changed) {
        return Records.with(this, "tlsRateLimitPerSecond", changed);
    }
}
