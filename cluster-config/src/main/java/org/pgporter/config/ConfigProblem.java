package org.pgporter.config;

/// One mistake, or one thing to think about, in a configuration file. No part of it contains the value of a
/// password or of a resolved reference.
///
/// @param file the file as it was named to the loader
/// @param line line in the file, from 1; 0 when the whole file is meant
/// @param path the key from the root, such as `pools.app.users[0].password`; empty when no key is meant
/// @param message what is wrong
/// @param remedy what to do about it; empty when the message says it already
public record ConfigProblem(String file, int line, String path, String message, String remedy) {
    /// `pgporter.yaml:12: general.pool_sise: unknown key; did you mean general.pool_size?`, always one line.
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder(file);
        if (line > 0) {
            text.append(':').append(line);
        }
        if (!path.isEmpty()) {
            text.append(": ").append(path);
        }
        text.append(": ").append(message);
        if (!remedy.isEmpty()) {
            text.append("; ").append(remedy);
        }
        return Printable.line(text.toString());
    }
}
