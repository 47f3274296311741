package org.pgporter.config;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// What holds for TLS on both legs; part of section `general`.
///
/// @param tlsEngine who computes it
/// @param minTlsVersion an older version is refused
/// @param tlsCiphers suites of TLS 1.2, the best first, separated by `:`; absent: those of the engine that have
///     forward secrecy
/// @param tls13Ciphers suites of TLS 1.3, separated by `:`; absent: all three. BoringSSL does not let anyone choose
///     among them, so with this key the JDK's engine is used
public record TlsOptions(
        TlsEngine tlsEngine, TlsVersion minTlsVersion, Optional<String> tlsCiphers, Optional<String> tls13Ciphers) {
    private static final TlsOptions DEFAULTS =
            new TlsOptions(TlsEngine.AUTO, TlsVersion.TLS_1_2, Optional.empty(), Optional.empty());

    public TlsOptions {
        new Checks()
                .notBlank("tls_ciphers", tlsCiphers)
                .notBlank("tls13_ciphers", tls13Ciphers)
                .require(
                        tls13Ciphers.isEmpty() || tlsEngine != TlsEngine.BORINGSSL,
                        "tls13_ciphers",
                        "cannot be chosen with tls_engine boringssl",
                        "use tls_engine jdk, or remove tls13_ciphers",
                        java.util.Set.of("tls13_ciphers", "tls_engine"))
                .throwIfAny();
    }

    public static TlsOptions defaults() {
        return DEFAULTS;
    }

    /// The suites of a key as a list.
    public static List<String> suites(Optional<String> key) {
        return key.stream()
                .flatMap(text -> Arrays.stream(text.split("[:,\\s]+")))
                .filter(suite -> !suite.isEmpty())
                .toList();
    }

    public TlsOptions withTlsEngine(TlsEngine changed) {
        return Records.with(this, "tlsEngine", changed);
    }

    public TlsOptions withMinTlsVersion(TlsVersion changed) {
        return Records.with(this, "minTlsVersion", changed);
    }

    public TlsOptions withTlsCiphers(String changed) {
        return Records.with(this, "tlsCiphers", Optional.of(changed));
    }

    public TlsOptions withTls13Ciphers(String changed) {
        return Records.with(this, "tls13Ciphers", Optional.of(changed));
    }
}
