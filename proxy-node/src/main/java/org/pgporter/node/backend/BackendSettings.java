package org.pgporter.node.backend;

import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.pgporter.node.transport.RemoteAddress;
import org.pgporter.node.transport.SocketOptions;

/// How the backend connections of one pool are opened, used and cleaned.
///
/// @param user the role in the startup packet
/// @param identity who the connection is beyond its login
/// @param startupParameters sent in the startup packet; what RESET ALL and DISCARD ALL return to
/// @param connectTimeout from the first packet to ReadyForQuery; also the limit for each cycle of our own
/// @param statementCapacity named prepared statements kept per backend
/// @param resetQuery what cleans a connection before another session gets it; empty where no session state is
///     left behind
/// @param checkDelay a connection that was idle for longer is asked for a sign of life before it is lent
public record BackendSettings(
        RemoteAddress address,
        SocketOptions socketOptions,
        String user,
        String database,
        BackendIdentity identity,
        Map<String, String> startupParameters,
        Duration connectTimeout,
        int statementCapacity,
        Optional<String> resetQuery,
        Duration checkDelay) {

    /// A connection that is who logs in.
    public BackendSettings(
            RemoteAddress address,
            SocketOptions socketOptions,
            String user,
            String database,
            Map<String, String> startupParameters,
            Duration connectTimeout,
            int statementCapacity,
            Optional<String> resetQuery,
            Duration checkDelay) {
        this(
                address,
                socketOptions,
                user,
                database,
                BackendIdentity.LOGIN,
                startupParameters,
                connectTimeout,
                statementCapacity,
                resetQuery,
                checkDelay);
    }

    /// The same at another address.
    BackendSettings at(RemoteAddress other) {
        return new BackendSettings(
                other,
                socketOptions,
                user,
                database,
                identity,
                startupParameters,
                connectTimeout,
                statementCapacity,
                resetQuery,
                checkDelay);
    }
}
