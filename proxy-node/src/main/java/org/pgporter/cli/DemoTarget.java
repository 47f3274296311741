package org.pgporter.cli;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Properties;

/// Where clients connect to, and how that is written down.
///
/// @param host a name or an IPv4 address
/// @param port 1 to 65535
record DemoTarget(String host, int port) {
    /// Longer than any step; a tour that hangs is a failed tour.
    private static final String SOCKET_TIMEOUT_SECONDS = "45";

    Connection connect(DemoUser user, String database) throws SQLException {
        return connect(user, database, new Properties());
    }

    /// @param options what the driver shall do differently from its defaults
    Connection connect(DemoUser user, String database, Properties options) throws SQLException {
        var properties = new Properties();
        properties.putAll(options);
        properties.setProperty("user", user.name());
        properties.setProperty("password", user.password());
        properties.setProperty("ApplicationName", "pgporter-demo");
        properties.setProperty("socketTimeout", SOCKET_TIMEOUT_SECONDS);
        properties.setProperty("connectTimeout", "10");
        return DriverManager.getConnection("jdbc:postgresql://" + host + ":" + port + "/" + database, properties);
    }

    String psql(DemoUser user, String database) {
        return "psql 'postgresql://%s:%s@%s:%d/%s'".formatted(user.name(), user.password(), host, port, database);
    }

    String jdbc(DemoUser user, String database) {
        return "jdbc:postgresql://%s:%d/%s?user=%s&password=%s"
                .formatted(host, port, database, user.name(), user.password());
    }
}
