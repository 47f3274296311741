package org.pgporter.config;

import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;

/// TLS towards PostgreSQL. In section `general` this is the default of all databases; a database overrides single
/// keys ([ServerTlsOverrides]). Files are PEM; what stands in them is looked at when the node starts and when
/// `check` runs.
///
/// @param serverTlsMode whether there is TLS, and what the server must prove
/// @param serverTlsNegotiation how it begins
/// @param serverTlsCaCert who vouches for the server, one certificate or several
/// @param serverTlsCrlFile certificates of servers that count no longer; then each certificate needs a list of its
///     issuer
/// @param serverTlsCertificate the certificate we show if the server asks for one
/// @param serverTlsPrivateKey its key, not encrypted
public record ServerTlsOptions(
        ServerTlsMode serverTlsMode,
        ServerTlsNegotiation serverTlsNegotiation,
        Optional<Path> serverTlsCaCert,
        Optional<Path> serverTlsCrlFile,
        Optional<Path> serverTlsCertificate,
        Optional<Path> serverTlsPrivateKey) {
    private static final ServerTlsOptions DEFAULTS = new ServerTlsOptions(
            ServerTlsMode.ALLOW,
            ServerTlsNegotiation.POSTGRES,
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty());

    public ServerTlsOptions {
        new Checks()
                .require(
                        !serverTlsMode.verifies() || serverTlsCaCert.isPresent(),
                        "server_tls_mode",
                        "is " + serverTlsMode + ", but nobody vouches for the server's certificate",
                        "add server_tls_ca_cert",
                        Set.of("server_tls_mode", "server_tls_ca_cert"))
                .require(
                        serverTlsNegotiation == ServerTlsNegotiation.POSTGRES || serverTlsMode.required(),
                        "server_tls_negotiation",
                        "is direct, which leaves no choice, but server_tls_mode is " + serverTlsMode,
                        "set server_tls_mode to require, verify-ca or verify-full",
                        Set.of("server_tls_negotiation", "server_tls_mode"))
                .require(
                        serverTlsCrlFile.isEmpty() || serverTlsCaCert.isPresent(),
                        "server_tls_crl_file",
                        "means nothing while nobody vouches for the server's certificate",
                        "add server_tls_ca_cert",
                        Set.of("server_tls_crl_file", "server_tls_ca_cert"))
                .require(
                        serverTlsCertificate.isPresent() || serverTlsPrivateKey.isEmpty(),
                        "server_tls_private_key",
                        "has no certificate",
                        "add server_tls_certificate",
                        Set.of("server_tls_private_key", "server_tls_certificate"))
                .require(
                        serverTlsPrivateKey.isPresent() || serverTlsCertificate.isEmpty(),
                        "server_tls_certificate",
                        "has no key",
                        "add server_tls_private_key",
                        Set.of("server_tls_private_key", "server_tls_certificate"))
                .throwIfAny();
    }

    public static ServerTlsOptions defaults() {
        return DEFAULTS;
    }

    /// These options with the keys that `overrides` has.
    ///
    /// @throws ConfigException when the combination contradicts itself
    public ServerTlsOptions overriddenBy(ServerTlsOverrides overrides) {
        return new ServerTlsOptions(
                overrides.serverTlsMode().orElse(serverTlsMode),
                overrides.serverTlsNegotiation().orElse(serverTlsNegotiation),
                overrides.serverTlsCaCert().or(() -> serverTlsCaCert),
                overrides.serverTlsCrlFile().or(() -> serverTlsCrlFile),
                overrides.serverTlsCertificate().or(() -> serverTlsCertificate),
                overrides.serverTlsPrivateKey().or(() -> serverTlsPrivateKey));
    }

    public ServerTlsOptions withServerTlsMode(ServerTlsMode changed) {
        return Records.with(this, "serverTlsMode", changed);
    }

    /// A mode that verifies, and who vouches.
    public ServerTlsOptions withServerTlsMode(ServerTlsMode changed, Path caCert) {
        return new ServerTlsOptions(
                changed,
                serverTlsNegotiation,
                Optional.of(caCert),
                serverTlsCrlFile,
                serverTlsCertificate,
                serverTlsPrivateKey);
    }

    public ServerTlsOptions withServerTlsNegotiation(ServerTlsNegotiation changed) {
        return Records.with(this, "serverTlsNegotiation", changed);
    }

    public ServerTlsOptions withServerTlsCrlFile(Path changed) {
        return Records.with(this, "serverTlsCrlFile", Optional.of(changed));
    }

    /// Both at once: neither can do without the other.
    public ServerTlsOptions withIdentity(Path certificate, Path privateKey) {
        return new ServerTlsOptions(
                serverTlsMode,
                serverTlsNegotiation,
                serverTlsCaCert,
                serverTlsCrlFile,
                Optional.of(certificate),
                Optional.of(privateKey));
    }
}
