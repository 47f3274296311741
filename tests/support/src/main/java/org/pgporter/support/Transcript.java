package org.pgporter.support;

import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.pgporter.protocol.message.WireMessage;

/// What was said on one connection, a line for each message: `F Query "select 1"`, `B ReadyForQuery I`. F is the
/// frontend and
/// B the backend, as in libpq's trace.
final class Transcript {
    static final char FRONTEND = 'F';
    static final char BACKEND = 'B';

    private static final int SHOWN_LINES = 300;
    private static final int SHOWN_BYTES = 40;

    private final String title;
    private final List<String> lines = new ArrayList<>();

    Transcript(String title) {
        this.title = title;
    }

    void message(char who, WireMessage message) {
        line(who, MessageText.of(message));
    }

    void raw(char who, byte[] bytes) {
        var shown = HexFormat.ofDelimiter(" ").formatHex(bytes, 0, Math.min(bytes.length, SHOWN_BYTES));
        line(who, bytes.length + " raw bytes: " + shown + (bytes.length > SHOWN_BYTES ? " …" : ""));
    }

    synchronized void line(char who, String what) {
        lines.add(who + " " + what);
    }

    /// A failure with everything that was said so far.
    AssertionError failure(String what) {
        return new AssertionError(what + "\n" + this);
    }

    AssertionError failure(String what, Throwable cause) {
        return new AssertionError(what + "\n" + this, cause);
    }

    @Override
    public synchronized String toString() {
        var from = Math.max(0, lines.size() - SHOWN_LINES);
        var skipped = from > 0 ? "\n  … " + from + " lines" : "";
        return "--- " + title + skipped + "\n  " + String.join("\n  ", lines.subList(from, lines.size()));
    }
}
