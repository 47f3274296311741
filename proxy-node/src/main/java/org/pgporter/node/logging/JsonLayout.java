package org.pgporter.node.logging;

import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.LayoutBase;

/// A line for machines: one JSON object with `time`, `level`, `message` and the same keys as [TextLayout]. Whole
/// numbers and
/// booleans are written as such, everything else as a string.
final class JsonLayout extends LayoutBase<ILoggingEvent> {
    @Override
    public String doLayout(ILoggingEvent event) {
        var out = new StringBuilder(240);
        out.append("{\"time\":\"");
        LogTime.append(out, event.getInstant());
        out.append("\",\"level\":\"").append(event.getLevel()).append("\",\"message\":");
        Escapes.appendQuoted(out, TextLayout.message(event), Escapes.MAX_VALUE_LENGTH);
        for (var pair : TextLayout.pairs(event)) {
            appendKey(out, pair.key);
            switch (pair.value) {
                case null -> out.append("null");
                case Boolean value -> out.append(value.booleanValue());
                case Integer value -> out.append(value.intValue());
                case Long value -> out.append(value.longValue());
                case Object value -> Escapes.appendQuoted(out, value.toString(), Escapes.MAX_VALUE_LENGTH);
            }
        }
        if (TextLayout.isForeign(event)) {
            appendKey(out, LogKeys.LOGGER);
            Escapes.appendQuoted(out, event.getLoggerName(), Escapes.MAX_VALUE_LENGTH);
        }
        var throwable = event.getThrowableProxy();
        if (throwable != null) {
            appendKey(out, LogKeys.ERROR);
            Escapes.appendQuoted(
                    out, throwable.getClassName() + ": " + throwable.getMessage(), Escapes.MAX_VALUE_LENGTH);
            appendKey(out, LogKeys.TRACE);
            Escapes.appendQuoted(out, ThrowableProxyUtil.asString(throwable), Escapes.MAX_TRACE_LENGTH);
        }
        return out.append("}\n").toString();
    }

    private static void appendKey(StringBuilder out, String key) {
        out.append(",\"").append(Escapes.key(key)).append("\":");
    }
}
