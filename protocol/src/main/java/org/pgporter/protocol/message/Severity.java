package org.pgporter.protocol.message;

import java.util.Optional;

/// How bad an error or notice is. FATAL and PANIC end the session. The names are what stands on the wire in the
/// field V.
public enum Severity {
    ERROR,
    FATAL,
    PANIC,
    WARNING,
    NOTICE,
    DEBUG,
    INFO,
    LOG;

    /// Severity of this name, if it is one in English.
    public static Optional<Severity> named(String name) {
        for (Severity severity : values()) {
            if (severity.name().equals(name)) {
                return Optional.of(severity);
            }
        }
        return Optional.empty();
    }
}
