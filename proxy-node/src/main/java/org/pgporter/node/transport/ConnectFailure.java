package org.pgporter.node.transport;

/// A connection could not be opened. The message names address and cause in one line.
@SuppressWarnings("serial")
public final class ConnectFailure extends RuntimeException {
    ConnectFailure(String message, Throwable cause) {
        super(message, cause);
    }
}
