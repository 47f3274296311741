package org.pgporter.config;

/// Who computes TLS. In the file: `auto`, `boringssl` or `jdk`.
public enum TlsEngine {
    /// BoringSSL where there is a build of it for this machine, else the JDK.
    AUTO,
    /// BoringSSL, or the node does not start.
    BORINGSSL,
    /// The JDK's own engine.
    JDK
}
