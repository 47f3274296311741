package org.pgporter.node.logging;

import ch.qos.logback.classic.AsyncAppender;
import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.Layout;
import ch.qos.logback.core.LayoutBase;
import ch.qos.logback.core.OutputStreamAppender;
import ch.qos.logback.core.encoder.LayoutWrappingEncoder;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.pgporter.config.LogFormat;
import org.pgporter.config.LogLevel;
import org.slf4j.LoggerFactory;

/// Sends log lines to standard error, as text or JSON.
///
/// Whoever logs never waits for the terminal or the pipe: lines go through a queue of [#QUEUE_LENGTH], and a
/// line that finds it full is dropped. That is because a stalled reader of our log must not stall a client.
public final class LogConfiguration {
    /// Lines that may wait; at about half a kilobyte each this is 4 MB at most.
    private static final int QUEUE_LENGTH = 8_192;

    /// How long [#close] waits for the queue to be written, in milliseconds.
    private static final int FLUSH_MILLIS = 2_000;

    /// Libraries that tell more than an operator wants; they speak from WARN on.
    private static final List<String> QUIET = List.of("org.apache.pekko", "io.netty", "io.zonky", "org.postgresql");

    private LogConfiguration() {}

    /// Replaces what was configured before; threads may log meanwhile.
    public static void apply(LogFormat format, LogLevel level) {
        if (LoggerFactory.getILoggerFactory() instanceof LoggerContext context) {
            context.reset();
            configure(context, format, level, new StandardError());
        }
    }

    /// What is logged from now on, until the node starts anew.
    ///
    /// @param logger a package or class; empty: everything that has no level of its own
    /// @param level empty: as its surroundings
    public static void setLevel(Optional<String> logger, Optional<LogLevel> level) {
        if (LoggerFactory.getILoggerFactory() instanceof LoggerContext context) {
            Level set = level.map(it -> Level.valueOf(it.name())).orElse(null);
            if (logger.isPresent()) {
                context.getLogger(logger.get()).setLevel(set);
            } else if (set != null) {
                context.getLogger(Logger.ROOT_LOGGER_NAME).setLevel(set);
                QUIET.forEach(name -> context.getLogger(name).setLevel(quiet(set)));
            }
        }
    }

    /// The levels that were set, by package or class; that of everything else comes first, under an empty name.
    public static Map<String, String> levels() {
        Map<String, String> levels = new LinkedHashMap<>();
        if (LoggerFactory.getILoggerFactory() instanceof LoggerContext context) {
            levels.put("", word(context.getLogger(Logger.ROOT_LOGGER_NAME).getLevel()));
            context.getLoggerList().stream()
                    .filter(logger ->
                            logger.getLevel() != null && !logger.getName().equals(Logger.ROOT_LOGGER_NAME))
                    .forEach(logger -> levels.put(logger.getName(), word(logger.getLevel())));
        }
        return levels;
    }

    private static String word(@Nullable Level level) {
        return level == null ? "" : level.toString().toLowerCase(Locale.ROOT);
    }

    /// Writes what still waits and stops logging. To be called last, before the JVM exits.
    public static void close() {
        if (LoggerFactory.getILoggerFactory() instanceof LoggerContext context) {
            context.stop();
        }
    }

    static void configure(LoggerContext context, LogFormat format, LogLevel level, OutputStream out) {
        var layout = layout(format);
        layout.setContext(context);
        layout.start();

        var encoder = new LayoutWrappingEncoder<ILoggingEvent>();
        encoder.setContext(context);
        encoder.setCharset(StandardCharsets.UTF_8);
        encoder.setLayout(layout);
        encoder.start();

        var writer = new OutputStreamAppender<ILoggingEvent>();
        writer.setContext(context);
        writer.setName("stderr");
        writer.setEncoder(encoder);
        writer.setOutputStream(out);
        writer.start();

        var queue = new AsyncAppender();
        queue.setContext(context);
        queue.setName("queue");
        queue.setQueueSize(QUEUE_LENGTH);
        queue.setDiscardingThreshold(0);
        queue.setNeverBlock(true);
        queue.setMaxFlushTime(FLUSH_MILLIS);
        queue.addAppender(writer);
        queue.start();

        var root = context.getLogger(Logger.ROOT_LOGGER_NAME);
        root.setLevel(Level.valueOf(level.name()));
        root.addAppender(queue);
        for (var name : QUIET) {
            context.getLogger(name).setLevel(quiet(root.getLevel()));
        }
    }

    static Layout<ILoggingEvent> layout(LogFormat format) {
        LayoutBase<ILoggingEvent> layout = switch (format) {
            case TEXT -> new TextLayout();
            case JSON -> new JsonLayout();
        };
        return layout;
    }

    private static Level quiet(Level level) {
        return level.isGreaterOrEqual(Level.WARN) ? level : Level.WARN;
    }
}
