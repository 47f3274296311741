package org.pgporter.node.transport;

/// The kind of I/O that was asked for does not work on this machine.
@SuppressWarnings("serial")
public final class TransportUnavailable extends RuntimeException {
    TransportUnavailable(IoKind kind, Throwable cause) {
        super(kind.name().toLowerCase(java.util.Locale.ROOT) + " is not available here: " + cause.getMessage(), cause);
    }
}
