package org.pgporter.node.logging;

import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.Configurator;
import ch.qos.logback.core.spi.ContextAwareBase;
import org.pgporter.config.LogFormat;
import org.pgporter.config.LogLevel;

/// What logback finds when it starts: text at INFO, until the configuration has been read. Saves looking for and
/// parsing XML, and
/// keeps a program that only embeds the node from logback's own default, which prints everything.
public final class LogbackDefaults extends ContextAwareBase implements Configurator {
    @Override
    public ExecutionStatus configure(LoggerContext context) {
        LogConfiguration.configure(context, LogFormat.TEXT, LogLevel.INFO, new StandardError());
        return ExecutionStatus.DO_NOT_INVOKE_NEXT_IF_ANY;
    }
}
