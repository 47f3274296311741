package org.pgporter.node.transport;

import java.util.Locale;
import java.util.Objects;
import java.util.stream.Stream;

/// The kind of I/O that was asked for does not work on this machine. The message says why in one line.
@SuppressWarnings("serial")
public final class TransportUnavailable extends RuntimeException {
    TransportUnavailable(IoKind kind, Throwable cause) {
        super(kind.name().toLowerCase(Locale.ROOT) + " is not available here: " + reason(cause), cause);
    }

    /// Netty often wraps what says why in errors that say nothing.
    private static String reason(Throwable cause) {
        return Stream.iterate(cause, Objects::nonNull, Throwable::getCause)
                .map(Throwable::getMessage)
                .filter(Objects::nonNull)
                .flatMap(String::lines)
                .findFirst()
                .orElseGet(cause.getClass()::getSimpleName);
    }
}
