package org.pgporter.config;

/// The least important level that is logged. In the file: the name in lower case.
public enum LogLevel {
    ERROR,
    WARN,
    INFO,
    DEBUG,
    TRACE
}
