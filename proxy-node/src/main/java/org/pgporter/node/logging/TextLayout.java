package org.pgporter.node.logging;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.LayoutBase;
import java.util.List;
import org.slf4j.event.KeyValuePair;

/// A line for people: `2026-11-21T10:00:00.123Z INFO  session opened session=42 database=shop`.
///
/// A value stands in quotes when it is empty or has blanks, quotes, `=`, backslashes or anything invisible. A
/// throwable becomes the keys `error` and `trace`; the trace stays in the line, with its line ends escaped.
final class TextLayout extends LayoutBase<ILoggingEvent> {
    private static final int LEVEL_WIDTH = 5;

    @Override
    public String doLayout(ILoggingEvent event) {
        var out = new StringBuilder(160);
        LogTime.append(out, event.getInstant());
        out.append(' ').append(event.getLevel());
        out.repeat(' ', LEVEL_WIDTH - event.getLevel().toString().length() + 1);
        Escapes.appendVisible(out, message(event), Escapes.MAX_VALUE_LENGTH);
        for (var pair : pairs(event)) {
            append(out, pair.key, String.valueOf(pair.value), Escapes.MAX_VALUE_LENGTH);
        }
        if (isForeign(event)) {
            append(out, LogKeys.LOGGER, event.getLoggerName(), Escapes.MAX_VALUE_LENGTH);
        }
        var throwable = event.getThrowableProxy();
        if (throwable != null) {
            append(
                    out,
                    LogKeys.ERROR,
                    throwable.getClassName() + ": " + throwable.getMessage(),
                    Escapes.MAX_VALUE_LENGTH);
            append(out, LogKeys.TRACE, ThrowableProxyUtil.asString(throwable), Escapes.MAX_TRACE_LENGTH);
        }
        return out.append('\n').toString();
    }

    static String message(ILoggingEvent event) {
        return String.valueOf(event.getFormattedMessage());
    }

    static List<KeyValuePair> pairs(ILoggingEvent event) {
        var pairs = event.getKeyValuePairs();
        return pairs == null ? List.of() : pairs;
    }

    /// Our own messages are unique and need no logger's name.
    static boolean isForeign(ILoggingEvent event) {
        return !event.getLoggerName().startsWith("org.pgporter.");
    }

    private static void append(StringBuilder out, String key, String value, int limit) {
        out.append(' ').append(Escapes.key(key)).append('=');
        Escapes.appendValue(out, value, limit);
    }
}
