package org.pgporter.node.admin;

import io.netty.buffer.ByteBuf;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Properties;
import org.pgporter.protocol.message.ParameterStatus;

/// What a client of the console is told first: the parameters that PgBouncer reports, with its values.
final class Greeting {
    /// As the build has it.
    static final String VERSION = version();

    /// By its end a tool knows a pooler's console.
    static final String SERVER_VERSION = VERSION + "/bouncer";

    private static final List<ParameterStatus> PARAMETERS = List.of(
            new ParameterStatus("server_version", SERVER_VERSION),
            new ParameterStatus("client_encoding", "UTF8"),
            new ParameterStatus("server_encoding", "UTF8"),
            new ParameterStatus("DateStyle", "ISO"),
            new ParameterStatus("TimeZone", "GMT"),
            new ParameterStatus("standard_conforming_strings", "on"),
            new ParameterStatus("is_superuser", "on"),
            new ParameterStatus("integer_datetimes", "on"));

    private Greeting() {}

    static void writeTo(ByteBuf out) {
        PARAMETERS.forEach(parameter -> parameter.encodeTo(out));
    }

    private static String version() {
        try (InputStream in = Greeting.class.getResourceAsStream("/org/pgporter/cli/version.properties")) {
            Properties properties = new Properties();
            if (in != null) {
                properties.load(in);
            }
            return properties.getProperty("version", "0");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
