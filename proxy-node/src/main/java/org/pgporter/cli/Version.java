package org.pgporter.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Properties;
import picocli.CommandLine.IVersionProvider;

/// The version that the build has written into the jar.
final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
        return new String[] {
            "PgPorter " + text(), "Java " + Runtime.version() + " (" + System.getProperty("java.vendor") + ")"
        };
    }

    static String text() {
        try (var in = Version.class.getResourceAsStream("version.properties")) {
            var properties = new Properties();
            if (in != null) {
                properties.load(in);
            }
            return properties.getProperty("version", "unknown");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
