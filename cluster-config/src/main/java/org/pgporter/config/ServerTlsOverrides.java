package org.pgporter.config;

import java.nio.file.Path;
import java.util.Optional;

/// The keys of [ServerTlsOptions] that a database sets for itself; what is absent is inherited from section
/// `general`. The meaning of each key stands there.
public record ServerTlsOverrides(
        Optional<ServerTlsMode> serverTlsMode,
        Optional<ServerTlsNegotiation> serverTlsNegotiation,
        Optional<Path> serverTlsCaCert,
        Optional<Path> serverTlsCrlFile,
        Optional<Path> serverTlsCertificate,
        Optional<Path> serverTlsPrivateKey) {
    private static final ServerTlsOverrides NONE = new ServerTlsOverrides(
            Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty());

    /// Everything is inherited.
    public static ServerTlsOverrides none() {
        return NONE;
    }

    public ServerTlsOverrides withServerTlsMode(ServerTlsMode changed) {
        return Records.with(this, "serverTlsMode", Optional.of(changed));
    }

    public ServerTlsOverrides withServerTlsNegotiation(ServerTlsNegotiation changed) {
        return Records.with(this, "serverTlsNegotiation", Optional.of(changed));
    }

    public ServerTlsOverrides withServerTlsCaCert(Path changed) {
        return Records.with(this, "serverTlsCaCert", Optional.of(changed));
    }

    public ServerTlsOverrides withServerTlsCrlFile(Path changed) {
        return Records.with(this, "serverTlsCrlFile", Optional.of(changed));
    }

    public ServerTlsOverrides withServerTlsCertificate(Path changed) {
        return Records.with(this, "serverTlsCertificate", Optional.of(changed));
    }

    public ServerTlsOverrides withServerTlsPrivateKey(Path changed) {
        return Records.with(this, "serverTlsPrivateKey", Optional.of(changed));
    }
}
