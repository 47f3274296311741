package org.pgporter.protocol.stream;

import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Writes what a framing stage emits to the log at TRACE, one line for each marked frame and each opaque run between
/// them. Passwords, proofs, keys, queries and their values are never written. Not a stage of its own: while TRACE is
/// off it costs one check an element, and nothing for each connection.
public final class WireLog {

    /// Writes nothing.
    public static final WireLog NONE = new WireLog("", null);

    private final String connection;
    private final @org.jspecify.annotations.Nullable Logger log;

    /// `connection` names the connection and the direction in each line, such as `client-7>`.
    public WireLog(String connection) {
        this(connection, LoggerFactory.getLogger(WireLog.class));
    }

    WireLog(String connection, @org.jspecify.annotations.Nullable Logger log) {
        this.connection = connection;
        this.log = log;
    }

    void emitted(Framed framed) {
        Logger to = log;
        if (to != null && to.isTraceEnabled()) {
            List<String> lines = WireLines.of(framed);
            lines.forEach(line -> to.trace("wire connection={} {}", connection, line));
        }
    }
}
