package org.pgporter.config;

import java.time.Duration;

/// What clients may take; part of section `general`.
///
/// @param maxConnections client connections at one time on this node; more are refused with 53300
/// @param maxDbClientConnections clients of one database at one time; 0: no limit. A pool's
///     `max_client_connections` goes before it
/// @param maxUserClientConnections clients of one user of a database at one time; 0: no limit. A user's
///     `max_client_connections` goes before it
/// @param clientLoginTimeout from accept to the end of authentication; PostgreSQL's `authentication_timeout` is 60
///     s, too
public record ClientLimits(
        int maxConnections, int maxDbClientConnections, int maxUserClientConnections, Duration clientLoginTimeout) {
    private static final ClientLimits DEFAULTS = new ClientLimits(8192, 0, 0, Duration.ofSeconds(60));

    public ClientLimits {
        new Checks()
                .atLeast("max_connections", 1, maxConnections)
                .atLeast("max_db_client_connections", 0, maxDbClientConnections)
                .atLeast("max_user_client_connections", 0, maxUserClientConnections)
                .positive("client_login_timeout", clientLoginTimeout)
                .throwIfAny();
    }

    public static ClientLimits defaults() {
        return DEFAULTS;
    }

    public ClientLimits withMaxConnections(int changed) {
        return Records.with(this, "maxConnections", changed);
    }

    public ClientLimits withMaxDbClientConnections(int changed) {
        return Records.with(this, "maxDbClientConnections", changed);
    }

    public ClientLimits withMaxUserClientConnections(int changed) {
        return Records.with(this, "maxUserClientConnections", changed);
    }

    public ClientLimits withClientLoginTimeout(Duration changed) {
        return Records.with(this, "clientLoginTimeout", changed);
    }
}
