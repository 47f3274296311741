package org.pgporter.config;

/// What is logged and how; part of section `general`.
///
/// @param logClientConnections one line for each client that has logged in
/// @param logClientDisconnections one line for each client session that has ended
/// @param logLevel the least important level that is logged
/// @param logFormat text lines for people, or one JSON object per line
public record LogConfig(
        boolean logClientConnections, boolean logClientDisconnections, LogLevel logLevel, LogFormat logFormat) {
    private static final LogConfig DEFAULTS = new LogConfig(true, true, LogLevel.INFO, LogFormat.TEXT);

    public static LogConfig defaults() {
        return DEFAULTS;
    }

    public LogConfig withLogClientConnections(boolean changed) {
        return Records.with(this, "logClientConnections", changed);
    }

    public LogConfig withLogClientDisconnections(boolean changed) {
        return Records.with(this, "logClientDisconnections", changed);
    }

    public LogConfig withLogLevel(LogLevel changed) {
        return Records.with(this, "logLevel", changed);
    }

    public LogConfig withLogFormat(LogFormat changed) {
        return Records.with(this, "logFormat", changed);
    }
}
