package org.pgporter.config;

/// How a log line is written. In the file: `text` or `json`.
public enum LogFormat {
    TEXT,
    JSON
}
